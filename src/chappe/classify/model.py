"""A linear model over the grams of a fingerprint, and its verdict.

The weights of all outputs of a gram are packed into one integer, so that one `sum` in C adds them all up: four classes
and five kinds cost what one would. A field holds the weight in units of 1/`SCALE`, shifted to be positive; the lowest
field counts the grams, so that the shift can be taken off again. Grams count once each, and their sum is divided by the
root of their number, as training does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import repeat

import msgspec

from chappe.classify.fingerprint import grams
from chappe.classify.labels import Kind, Label

LABELS = tuple(Label)
KINDS = tuple(Kind)
OUTPUTS = len(LABELS) + len(KINDS)
SCALE = 64
WEIGHT_MAX = 2_047
"""In units; a larger weight is cut."""
_SHIFT = WEIGHT_MAX + 1
_FIELD_BITS = 26
_FIELD = (1 << _FIELD_BITS) - 1
_NO_LETTERS = b"0 $%&+@"
_WORDLESS_GRAMS_MAX = 16
"""Above it no word is looked for: there are only so many marks, and numbers hardly ever make up the rest."""


class Verdict(msgspec.Struct, frozen=True):
    """What a text is. `probabilities` are in the order of `Label` and add up to 1; `kind` is set for transactional
    ones. `grams` is how many grams the model knew: 0 means that no word was among them, so that it had at most marks,
    numbers and length to go by. `promotional_floor` is that of the model's `Weights`.
    """

    label: Label
    probability: float
    probabilities: tuple[float, ...]
    kind: Kind | None
    grams: int
    promotional_floor: float = 0.5

    def probability_of(self, label: Label) -> float:
        return self.probabilities[LABELS.index(label)]


class Weights(msgspec.Struct, frozen=True):
    """The numbers of a model: `grams` gives each gram's weight per output (labels, then kinds) in units of 1/`SCALE`.

    `temperature` divides the scores of the labels, which makes their probabilities honest. `promotional_floor` is the
    probability that promotional must reach to be called so, when transactional is the other candidate: the threshold
    that keeps false positives within the bound it was chosen for.
    """

    grams: Mapping[str, Sequence[int]]
    bias: Sequence[float]
    temperature: float = 1.0
    promotional_floor: float = 0.5


class Model:
    """Judges fingerprints. Never changes; safe to share between threads."""

    def __init__(self, weights: Weights, version: str) -> None:
        self.version = version
        self.weights = weights
        self._packed = {gram.encode(): _pack(values) for gram, values in weights.grams.items()}
        self._bias = tuple(weights.bias)

    def judge(self, printed: bytes) -> Verdict:
        """The verdict on a fingerprint. Pure."""
        known, scores = self.scores(printed)
        labels = scores[: len(LABELS)]
        top = max(labels)
        odds = [math.exp((score - top) / self.weights.temperature) for score in labels]
        total = sum(odds)
        shares = tuple([odd / total for odd in odds])
        floor = self.weights.promotional_floor
        label = label_of(shares, floor)
        kind = None
        if label is Label.TRANSACTIONAL:
            kinds = scores[len(LABELS) :]
            kind = KINDS[kinds.index(max(kinds))]
        if known <= _WORDLESS_GRAMS_MAX and not self._knows_a_word(printed):
            known = 0
        return Verdict(label, shares[LABELS.index(label)], shares, kind, known, floor)

    def kind_of(self, printed: bytes) -> Kind:
        """Which kind a fingerprint would be if it were transactional."""
        kinds = self.scores(printed)[1][len(LABELS) :]
        return KINDS[kinds.index(max(kinds))]

    def scores(self, printed: bytes) -> tuple[int, list[float]]:
        """How many grams were known, and the score of every output."""
        packed = sum(map(self._packed.get, grams(printed), repeat(0)))
        known = packed & _FIELD
        if not known:
            return 0, list(self._bias)
        shift, unit = known * _SHIFT, SCALE * math.sqrt(known)
        scores = []
        for bias in self._bias:
            packed >>= _FIELD_BITS
            scores.append(bias + ((packed & _FIELD) - shift) / unit)
        return known, scores

    def _knows_a_word(self, printed: bytes) -> bool:
        return any(gram in self._packed and b"^" not in gram and gram.strip(_NO_LETTERS) for gram in grams(printed))

    def weights_of(self, gram: bytes) -> list[float] | None:
        """The weight of one gram per output, None if it is not known."""
        values = self.weights.grams.get(gram.decode("utf-8", "replace"))
        return None if values is None else [value / SCALE for value in values]


def label_of(shares: tuple[float, ...], promotional_floor: float) -> Label:
    """What probabilities come to: the likeliest, but promotional only from the floor on."""
    best = LABELS[shares.index(max(shares))]
    if best is Label.PROMOTIONAL and promotional_floor > 0.5:
        transactional, promotional = shares[0], shares[1]
        if promotional < promotional_floor * (promotional + transactional):
            return Label.TRANSACTIONAL
    return best


def _pack(values: Sequence[int]) -> int:
    packed = 1
    for place, value in enumerate(values, start=1):
        packed |= (max(-WEIGHT_MAX, min(WEIGHT_MAX, value)) + _SHIFT) << (place * _FIELD_BITS)
    return packed
