"""The page on what the classifier is worth on real messages: `python -m chappe.classify.training.report LABELLED.csv`.

It prints Markdown: the packaged model on messages that it has not learnt from, and then what learning from such
messages would add, each held out from the model that judges it. Models that learnt from the file are thrown away.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from chappe.classify.artefact import packaged_artefact
from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Model, Verdict, Weights
from chappe.classify.second.opinion import load_opinion
from chappe.classify.templates import Filler, read_templates
from chappe.classify.training import comparison, splitting
from chappe.classify.training.building import held_out_verdicts
from chappe.classify.training.evaluation import Figures, Share, evaluate, figures_of, judge_with
from chappe.classify.training.examples import Example, from_corpus, from_csv

TARGETS = "95 %, 4 % and 0.92"
_HEAD = (
    "| messages | number | accuracy | trans./promo. accuracy | false positives | macro-F1 |\n|---|---|---|---|---|---|"
)


def report(path: Path, corpus: Path, second_opinion: Path | None) -> Iterator[str]:
    """The page, in pieces. Takes minutes."""
    artefact = packaged_artefact()
    model = Model(artefact.weights, artefact.version)
    real = splitting.grouped(from_csv(path))
    shipped = evaluate(real, judge_with(model))
    yield _introduction(path, artefact.version, artefact.card.data, shipped)
    yield from _shipped(real, model, shipped)
    if second_opinion is not None:
        yield from _beside(real, model, second_opinion)
    yield from _learnt(real, corpus, artefact.weights)


def _introduction(path: Path, version: str, data: str, shipped: Figures) -> str:
    found = (shipped.two_class.value >= 0.95, shipped.false_positives.value <= 0.04, shipped.macro_f1 >= 0.92)
    missed = [name for name, met in zip(("accuracy", "false positives", "macro-F1"), found, strict=True) if not met]
    told = f"Missed: {', '.join(missed)}." if missed else "All are met."
    return (
        "# The classifier on real messages\n\n"
        f"Model {version}, made from {data}. It has learnt from none of the {shipped.examples:,} messages of "
        f"`{path.name}` ({shipped.groups:,} groups of messages that are alike). This page is written by\n\n"
        "```\nchappe classify train --corpus corpus --out /tmp/model.json --second-opinion second.npz\n"
        f"python -m chappe.classify.training.report {path.name} --second-opinion second.npz > docs/classifier.md\n"
        "```\n\n"
        "given a file with the columns text, label and, if known, group and source. Shares are with their 95 % "
        "intervals (Wilson). Accuracy of transactional against promotional and false positives (transactional called "
        "promotional) are over messages that are one of the two.\n\n"
        f"The targets are {TARGETS}: accuracy of transactional against promotional, false positives, and macro-F1 over "
        f"four classes. {told}"
    )


def _shipped(real: Sequence[Example], model: Model, shipped: Figures) -> Iterator[str]:
    yield f"\n## As it is shipped\n\n{_HEAD}"
    yield _row("all", shipped)
    firsts = list({example.group: example for example in real}.values())
    yield _row("one of each group", evaluate(firsts, judge_with(model)))
    for source in sorted({example.source for example in real}):
        mine = [example for example in real if example.source == source]
        yield _row(source, evaluate(mine, judge_with(model)))
    yield "\n| class | precision | recall | F1 |\n|---|---|---|---|"
    for entry in shipped.classes:
        yield f"| {entry.label} | {_share(entry.precision)} | {_share(entry.recall)} | {entry.f1:.3f} |"
    yield f"\n| is, called | {' | '.join(LABELS)} |\n|---|{'---|' * len(LABELS)}"
    for label, row in zip(LABELS, shipped.confusion, strict=True):
        yield f"| {label} | {' | '.join(f'{count:,}' for count in row)} |"
    yield f"\nProbabilities and shares of right verdicts lie {shipped.calibration_error:.3f} apart on average."


def _beside(real: Sequence[Example], model: Model, second_opinion: Path) -> Iterator[str]:
    second = load_opinion(second_opinion)
    try:
        compared = comparison.compare(real, model, second, lambda done: None)
    finally:
        second.close()
    yield (
        "\n## Beside the second opinion\n\n"
        f"{second.forest.trees} trees over {second.lexical.width:,} grams and {second.embedding.width} numbers of a "
        "sentence embedding, learnt from the same corpus.\n\n"
        "| judged by | covered | accuracy | trans./promo. accuracy | false positives | macro-F1 |\n"
        "|---|---|---|---|---|---|"
    )
    for entry in compared:
        yield f"| {entry.name} | {entry.covered.value:.1%} | {_cells(entry.figures)} |"
    first, alone, together = compared[0].figures, compared[2].figures, compared[3].figures
    gained = together.two_class.value - first.two_class.value
    mistaken = together.false_positives.value - first.false_positives.value
    low, high = first.two_class.interval
    earns = together.two_class.value > high and mistaken <= 0
    four_classes = 100 * (together.accuracy.value - first.accuracy.value)
    yield (
        f"\nIt {'earns' if earns else 'does not earn'} its cost on transactional against promotional: asked about what "
        f"the fast path is unsure of, it changes the accuracy by {100 * gained:+.1f} points, where chance alone leaves "
        f"open {low:.1%} to {high:.1%}, the false positives by {100 * mistaken:+.1f} points; the four-class accuracy "
        f"by {four_classes:+.1f} points and the macro-F1 by {together.macro_f1 - first.macro_f1:+.3f}. Alone it has "
        f"{alone.accuracy.value:.1%} over four classes. It takes milliseconds where the fast path takes microseconds."
    )


def _learnt(real: Sequence[Example], corpus: Path, like: Weights) -> Iterator[str]:
    """With the messages in training, and those that are judged always held out."""
    own = from_corpus(read_templates(corpus), Filler(corpus))
    both = splitting.grouped([*own, *real])
    places = range(len(own), len(both))
    judged: dict[int, Verdict] = {}
    with threadpool_limits(1):
        for seen, unseen in splitting.folds([both[place] for place in places]):
            out = [len(own) + int(place) for place in unseen]
            learnt = [*range(len(own)), *(len(own) + int(place) for place in seen)]
            judged |= dict(zip(out, held_out_verdicts(both, learnt, out, like), strict=True))
        yield (
            "\n## Once more, with real messages in training\n\n"
            "Not shipped. Of the first row each group was held out, of the others the whole source.\n\n" + _HEAD
        )
        yield _row(
            "held-out groups", figures_of([both[place] for place in places], [judged[place] for place in places])
        )
        for source, mine in _sources(both, len(own)).items():
            groups = {both[place].group for place in mine}
            learnt = [place for place in range(len(both)) if both[place].group not in groups]
            verdicts = held_out_verdicts(both, learnt, mine, like)
            yield _row(f"{source}, held out", figures_of([both[place] for place in mine], verdicts))


def _sources(both: Sequence[Example], start: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place in range(start, len(both)):
        found.setdefault(both[place].source, []).append(place)
    return dict(sorted(found.items()))


def _row(name: str, figures: Figures) -> str:
    return f"| {name} | {figures.examples:,} | {_cells(figures)} |"


def _cells(figures: Figures) -> str:
    shares = (figures.accuracy, figures.two_class, figures.false_positives)
    several = sum(1 for entry in figures.classes if entry.recall.of) == len(Label)
    return " | ".join([*map(_share, shares), f"{figures.macro_f1:.3f}" if several else "-"])


def _share(share: Share) -> str:
    return str(share) if share.of else "-"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m chappe.classify.training.report", description=__doc__)
    parser.add_argument("labelled", type=Path, help="CSV with text, label and maybe group and source; may be gzipped")
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--second-opinion", type=Path, help="a file of `chappe classify train --second-opinion`")
    given = parser.parse_args()
    for piece in report(given.labelled, given.corpus, given.second_opinion):
        sys.stdout.write(piece + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
