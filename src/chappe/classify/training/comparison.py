"""The fast path beside a second opinion: each alone, and together as they are used, with and without abstaining."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Model, Verdict
from chappe.classify.second.consulting import BAND, is_uncertain
from chappe.classify.second.opinion import SecondOpinion, combined
from chappe.classify.training.evaluation import Figures, Share, figures_of, judge_with
from chappe.classify.training.examples import Example


class Compared(msgspec.Struct, frozen=True):
    """One way to judge. `covered` is the share of messages that got a verdict; the figures are over those."""

    name: str
    covered: Share
    figures: Figures


def compare(
    examples: Sequence[Example], model: Model, second: SecondOpinion, progress: Callable[[int], None]
) -> list[Compared]:
    """Judge every example in every way."""
    first = [judge_with(model)(example.text) for example in examples]
    other: list[tuple[float, ...]] = []
    for example in examples:
        other.append(second.judge(example.text, example.metadata))
        progress(len(other))
    return compared(examples, first, other)


def compared(
    examples: Sequence[Example], first: Sequence[Verdict], second: Sequence[tuple[float, ...]]
) -> list[Compared]:
    """The same of verdicts that are there already."""
    unsure = [is_uncertain(verdict) for verdict in first]
    together = [
        combined(verdict, other) if asked else verdict
        for verdict, other, asked in zip(first, second, unsure, strict=True)
    ]
    still = [asked and is_uncertain(verdict) for verdict, asked in zip(together, unsure, strict=True)]
    alone = [_verdict(shares) for shares in second]
    nobody = [False] * len(examples)
    return [
        _compared("fast path", examples, first, nobody),
        _compared(f"fast path, silent below {0.5 + BAND}", examples, first, unsure),
        _compared("second opinion alone", examples, alone, nobody),
        _compared("fast path, second opinion on the uncertain", examples, together, nobody),
        _compared("both, silent where still uncertain", examples, together, still),
    ]


def _compared(name: str, examples: Sequence[Example], verdicts: Sequence[Verdict], silent: Sequence[bool]) -> Compared:
    kept = [place for place, quiet in enumerate(silent) if not quiet]
    figures = figures_of([examples[place] for place in kept], [verdicts[place] for place in kept])
    return Compared(name, Share(len(kept), len(examples)), figures)


def _verdict(shares: tuple[float, ...]) -> Verdict:
    label: Label = LABELS[shares.index(max(shares))]
    return Verdict(label, max(shares), shares, None, 0)
