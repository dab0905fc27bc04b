"""How good a model is: accuracy and false positives with their intervals, F1 per class, calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Model, Verdict
from chappe.classify.training.examples import Example

Judge = Callable[[str], Verdict]
_Z = 1.959964
"""For intervals of 95 %."""


class Share(msgspec.Struct, frozen=True):
    """A share of `of`, with its 95 % interval after Wilson (1927)."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        if not self.of:
            return math.nan, math.nan
        share, n = self.value, self.of
        middle = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
        half = _Z / (1 + _Z * _Z / n) * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%} to {high:.1%})"


class ClassFigures(msgspec.Struct, frozen=True):
    """`precision` and `recall` are shares; `f1` is their harmonic mean."""

    label: Label
    precision: Share
    recall: Share

    @property
    def f1(self) -> float:
        wrong = (self.precision.of - self.precision.count) + (self.recall.of - self.recall.count)
        return 2 * self.recall.count / (2 * self.recall.count + wrong) if self.recall.of else math.nan


class Figures(msgspec.Struct, frozen=True):
    """What an evaluation found.

    `two_class` and `false_positives` are over messages that are transactional or promotional, by which of the two the
    model finds likelier: the share it gets right, and the share of transactional ones that it calls promotional.
    """

    examples: int
    groups: int
    accuracy: Share
    two_class: Share
    false_positives: Share
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration_error: float

    @property
    def macro_f1(self) -> float:
        """The mean over the classes that occur."""
        found = [figures.f1 for figures in self.classes if figures.recall.of]
        return sum(found) / len(found) if found else math.nan


def judge_with(model: Model) -> Judge:
    return lambda text: model.judge(fingerprint(text))


def evaluate(examples: Sequence[Example], judge: Judge) -> Figures:
    """Judge every example."""
    return figures_of(examples, [judge(example.text) for example in examples])


def figures_of(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Figures:
    size = len(LABELS)
    confusion = [[0] * size for _ in range(size)]
    for example, verdict in zip(examples, verdicts, strict=True):
        confusion[LABELS.index(example.label)][LABELS.index(verdict.label)] += 1
    two = [
        (example.label, leans_promotional(verdict))
        for example, verdict in zip(examples, verdicts, strict=True)
        if example.label in (Label.TRANSACTIONAL, Label.PROMOTIONAL)
    ]
    transactional = [promotional for label, promotional in two if label is Label.TRANSACTIONAL]
    right = sum((label is Label.PROMOTIONAL) == promotional for label, promotional in two)
    return Figures(
        examples=len(examples),
        groups=len({example.group for example in examples}),
        accuracy=Share(sum(confusion[index][index] for index in range(size)), len(examples)),
        two_class=Share(right, len(two)),
        false_positives=Share(sum(transactional), len(transactional)),
        classes=tuple(
            ClassFigures(
                label,
                Share(confusion[index][index], sum(row[index] for row in confusion)),
                Share(confusion[index][index], sum(confusion[index])),
            )
            for index, label in enumerate(LABELS)
        ),
        confusion=tuple(map(tuple, confusion)),
        calibration_error=_calibration_error(examples, verdicts),
    )


def leans_promotional(verdict: Verdict) -> bool:
    """Of transactional and promotional, whether it is rather the latter: as the verdict says, or else by the odds."""
    if verdict.label in (Label.TRANSACTIONAL, Label.PROMOTIONAL):
        return verdict.label is Label.PROMOTIONAL
    return verdict.probability_of(Label.PROMOTIONAL) > verdict.probability_of(Label.TRANSACTIONAL)


def _calibration_error(examples: Sequence[Example], verdicts: Sequence[Verdict], bins: int = 10) -> float:
    """How far probability and share of right verdicts lie apart, over bins of probability, weighted by their size."""
    total = 0.0
    for number in range(bins):
        chosen = [
            (verdict.probability, verdict.label is example.label)
            for example, verdict in zip(examples, verdicts, strict=True)
            if min(int(verdict.probability * bins), bins - 1) == number
        ]
        if chosen:
            total += abs(sum(probability - right for probability, right in chosen))
    return total / len(examples) if examples else math.nan


def figures_document(figures: Figures) -> dict[str, object]:
    """The figures as JSON has them; shares have their interval with them, and what does not exist is null."""
    return {
        "messages": figures.examples,
        "groups": figures.groups,
        "accuracy": _share_document(figures.accuracy),
        "transactional_promotional_accuracy": _share_document(figures.two_class),
        "false_positives": _share_document(figures.false_positives),
        "macro_f1": _rounded(figures.macro_f1),
        "calibration_error": _rounded(figures.calibration_error),
        "classes": {
            found.label.value: {
                "precision": _share_document(found.precision),
                "recall": _share_document(found.recall),
                "f1": _rounded(found.f1),
            }
            for found in figures.classes
        },
        "confusion": {
            label.value: dict(zip(map(str, LABELS), row, strict=True))
            for label, row in zip(LABELS, figures.confusion, strict=True)
        },
    }


def _share_document(share: Share) -> dict[str, object]:
    low, high = share.interval
    return {"share": _rounded(share.value), "low": _rounded(low), "high": _rounded(high), "of": share.of}


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
