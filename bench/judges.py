"""What figure (q) measures, each in a process of its own: `python -m bench.judges WHAT FOLDER quick|full`.

Imports stand where they are needed, because what the others import would count as the memory of each.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.machine import resident_mb

CORPUS = Path(__file__).parent.parent / "corpus"

Ask = Callable[[str], object]


def _cached(name: str, folder: Path) -> dict[str, Any]:
    from chappe.classify.artefact import packaged_model
    from chappe.classify.cache import Cached

    messages: list[tuple[str, str]] = [tuple(entry) for entry in json.loads((folder / f"{name}.json").read_text())]
    before_mb = resident_mb(os.getpid())
    cached = Cached(packaged_model())
    judge = cached.judge
    begun = time.perf_counter()
    for template, text in messages:
        judge(text, template)
    seconds = time.perf_counter() - begun
    return _row(len(messages) / seconds, before_mb, hits=cached.hits / (cached.hits + cached.misses))


def _one_by_one(load: Callable[[], Ask], folder: Path, most: int) -> dict[str, Any]:
    texts = [text for _, text in json.loads((folder / "cold.json").read_text())[:most]]
    before_mb = resident_mb(os.getpid())
    ask = load()
    for text in texts[: max(20, most // 20)]:
        ask(text)
    taken_ns = []
    for text in texts:
        start = time.perf_counter_ns()
        ask(text)
        taken_ns.append(time.perf_counter_ns() - start)
    return _row(len(texts) * 1e9 / sum(taken_ns), before_mb, taken_ns=sorted(taken_ns))


def _row(
    rate: float, before_mb: float, *, hits: float | None = None, taken_ns: Sequence[int] | None = None
) -> dict[str, Any]:
    return {
        "messages/s": rate,
        "P50 us": taken_ns[len(taken_ns) // 2] / 1000 if taken_ns else None,
        "P99 us": taken_ns[len(taken_ns) * 99 // 100] / 1000 if taken_ns else None,
        "hits %": None if hits is None else 100 * hits,
        "own MB": max(resident_mb(os.getpid()) - before_mb, 0.0),
    }


def _fast() -> Ask:
    from chappe.classify.artefact import packaged_model
    from chappe.classify.fingerprint import fingerprint

    judge = packaged_model().judge
    return lambda text: judge(fingerprint(text))


def _examples(per_template: int = 1, *, part: int = 1) -> list[Any]:
    from chappe.classify.templates import Filler, read_templates
    from chappe.classify.training.examples import from_corpus

    return from_corpus(read_templates(CORPUS)[::part], Filler(CORPUS), per_template)


def _taught(path: Path, *, quick: bool) -> None:
    """A second opinion from the corpus (quick: an eighth of it), for the process that asks it."""
    from chappe.classify.model import LABELS
    from chappe.classify.second.embedding import embedder
    from chappe.classify.second.metadata import NAMES
    from chappe.classify.second.opinion import FORMAT, Header, write_opinion
    from chappe.classify.training.forest import embeddings, train_forest

    examples = _examples(part=8 if quick else 1)
    embeds = embedder()
    lexical, forest = train_forest(examples, embeddings(examples, embeds, lambda done: None))
    header = Header(FORMAT, embeds.digest, embeds.width, tuple(map(str, LABELS)), NAMES, "bench")
    write_opinion(path, header, lexical, forest)


def _second(path: Path) -> Ask:
    from chappe.classify.artefact import packaged_model
    from chappe.classify.fingerprint import fingerprint
    from chappe.classify.second.opinion import combined, load_opinion

    judge = packaged_model().judge
    second = load_opinion(path)
    return lambda text: combined(judge(fingerprint(text)), second.judge(text))


def _scikit(kind: str) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    examples = _examples(2)
    last = (
        LogisticRegression(C=10, max_iter=300)
        if kind == "linear"
        else RandomForestClassifier(200, n_jobs=1, random_state=0)
    )
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), max_features=50_000), last)
    return pipeline.fit([example.text for example in examples], [example.label.value for example in examples])


def _alone(kind: str) -> Ask:
    fitted = _scikit(kind)
    return lambda text: fitted.predict_proba([text])


def _batches(folder: Path, most: int) -> dict[str, Any]:
    texts = [text for _, text in json.loads((folder / "cold.json").read_text())[:most]]
    before_mb = resident_mb(os.getpid())
    fitted = _scikit("linear")
    begun = time.perf_counter()
    for start in range(0, len(texts), 1_000):
        fitted.predict_proba(texts[start : start + 1_000])
    return _row(len(texts) / (time.perf_counter() - begun), before_mb)


def _measure(what: str, folder: Path, *, quick: bool) -> dict[str, Any]:
    if what in ("zipf", "cold"):
        return _cached(what, folder)
    if what == "fast":
        return _one_by_one(_fast, folder, 50_000)
    if what == "second":
        path = folder / "second.npz"
        if not path.exists():
            _taught(path, quick=quick)
            # Another process asks it, because what teaching leaves behind would count as its memory.
            os.execv(sys.executable, [sys.executable, "-m", "bench.judges", *sys.argv[1:]])
        return _one_by_one(lambda: _second(path), folder, 300 if quick else 2_000)
    if what == "batches":
        return _batches(folder, 10_000 if quick else 50_000)
    return _one_by_one(lambda: _alone(what), folder, 200 if quick else 1_000)


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], Path(sys.argv[2]), quick=sys.argv[3] == "quick")))
