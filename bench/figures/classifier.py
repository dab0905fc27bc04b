"""(q) Judging messages: through the cache, without it, with the second opinion, and scikit-learn's models beside."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench.figure import Figure, Settings, Target
from chappe.classify.second.embedding import packaged_folder
from chappe.classify.templates import Filler, generate, read_templates

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus"
ZIPF_EXPONENT = 1.1
FILLINGS = 200
SEED = 16
ZIPF_RATE, COLD_RATE = 100_000.0, 85_000.0
FAST_P99_US, SECOND_P99_US = 1_000.0, 12_000.0


NAMES = {
    "zipf": "Chappe through its cache, Zipf replay",
    "cold": "Chappe through its cache, cold replay",
    "fast": "Chappe without the cache",
    "second": "Chappe with the second opinion",
    "linear": "scikit-learn, TF-IDF and logistic regression",
    "batches": "the same in batches of 1,000",
    "forest": "scikit-learn, TF-IDF and 200 trees",
}
CONTENDERS = tuple(NAMES)


def run(settings: Settings) -> Figure:
    """Each contender in a process of its own, one after the other on one core."""
    figure = Figure("q", "Judging messages on one core")
    with tempfile.TemporaryDirectory(dir=settings.folder, prefix="chappe-bench-") as name:
        folder = Path(name)
        count = 50_000 if settings.quick else 300_000
        _write_messages(folder, count)
        if not _installed():
            figure.notes.append("The second opinion is not measured: pip install 'chappe[embed]'.")
        contenders = [entry for entry in CONTENDERS if entry != "second" or _installed()]
        for contender in contenders:
            rounds = [_apart(contender, folder, quick=settings.quick) for _ in range(settings.rounds)]
            rounds.sort(key=lambda row: row["messages/s"])
            figure.rows.append({"judge": NAMES[contender], **rounds[len(rounds) // 2]})
    by_name = dict(zip(contenders, figure.rows, strict=True))
    figure.targets = [
        Target("through the cache, Zipf replay, messages/s", ZIPF_RATE, by_name["zipf"]["messages/s"]),
        Target("through the cache, cold replay, messages/s", COLD_RATE, by_name["cold"]["messages/s"]),
        Target("without the cache, P99 us", FAST_P99_US, by_name["fast"]["P99 us"], at_most=True),
    ]
    if "second" in by_name:
        figure.targets.append(
            Target("with the second opinion, P99 us", SECOND_P99_US, by_name["second"]["P99 us"], at_most=True)
        )
    figure.notes += [
        "Messages are filled templates of the corpus, made before. Zipf: templates drawn by their rank to the power of",
        f"-{ZIPF_EXPONENT}, each in {FILLINGS} fillings. Cold: an empty cache, every text new, the templates in turn.",
        "own MB is what the process grew by while loading and judging. The second opinion is asked about every message",
        "here; in use, about the uncertain ones alone. scikit-learn's models learn from the same corpus and are asked",
        "one message at a time, as a pipeline asks; the linear one in batches as well.",
    ]
    return figure


def _installed() -> bool:
    libraries = ("numpy", "safetensors", "tokenizers")
    return packaged_folder() is not None and all(find_spec(name) is not None for name in libraries)


def _write_messages(folder: Path, count: int) -> None:
    templates = read_templates(CORPUS)
    filler = Filler(CORPUS, SEED)
    chance = random.Random(SEED)
    chance.shuffle(templates)
    weights = list(accumulate((rank + 1) ** -ZIPF_EXPONENT for rank in range(len(templates))))
    drawn = chance.choices(templates, cum_weights=weights, k=count)
    zipf = [(template.id, filler.fill(template, chance.randrange(FILLINGS))) for template in drawn]
    cold: dict[str, str] = {}
    for filled in generate(templates, Filler(CORPUS, SEED + 1), count):
        cold.setdefault(filled.text, filled.template.id)
    (folder / "zipf.json").write_text(json.dumps(zipf))
    (folder / "cold.json").write_text(json.dumps([(template, text) for text, template in cold.items()]))


def _apart(what: str, folder: Path, *, quick: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.judges", what, str(folder), "quick" if quick else "full"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT, env=environment)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
