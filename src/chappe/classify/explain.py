"""Why a text got its verdict: the grams that weighed, for and against."""

from __future__ import annotations

import math

import msgspec

from chappe.classify.fingerprint import fingerprint, grams
from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Model, Verdict


class Weighed(msgspec.Struct, frozen=True):
    """One gram and by how much it raised (or lowered) the score of the verdict's label against the runner-up.

    A gram that ends in `-` is the beginning of a longer word; one that begins with `^` is a mark of the whole text.
    """

    gram: str
    weight: float


class Explanation(msgspec.Struct, frozen=True):
    """`weighed` is strongest first; the weights and `bias` add up to `margin`, the lead of the label over `against`."""

    verdict: Verdict
    fingerprint: str
    against: Label
    margin: float
    bias: float
    weighed: tuple[Weighed, ...]


def explain(model: Model, text: str) -> Explanation:
    """The verdict on a text and what it comes from. Pure."""
    printed = fingerprint(text)
    verdict = model.judge(printed)
    known, scores = model.scores(printed)
    winner = LABELS.index(verdict.label)
    runner_up = max((index for index in range(len(LABELS)) if index != winner), key=lambda index: scores[index])
    bias = model.weights.bias[winner] - model.weights.bias[runner_up]
    weighed = []
    for gram in grams(printed):
        weights = model.weights_of(gram)
        if weights is not None and weights[winner] != weights[runner_up]:
            share = (weights[winner] - weights[runner_up]) / math.sqrt(known)
            weighed.append(Weighed(gram.decode("utf-8", "replace"), round(share, 4)))
    return Explanation(
        verdict,
        printed.decode("utf-8", "replace"),
        LABELS[runner_up],
        round(scores[winner] - scores[runner_up], 4),
        round(bias, 4),
        tuple(sorted(weighed, key=lambda entry: (-abs(entry.weight), entry.gram))),
    )
