"""A linear model over the grams of a fingerprint, and its verdict.

The weights of all outputs of a gram are packed into one integer, so that one `sum` in C adds them all up: four classes
and five kinds cost what one would. A field holds the weight in units of 1/`SCALE`, shifted to be positive; the lowest
field counts the grams, so that the shift can be taken off again, and the highest one those that have a word in them.
Grams count once each, and their sum is divided by the root of their number, as training does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from chappe.classify.fingerprint import gram_keys
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
_WORDS_PLACE = (1 + OUTPUTS) * _FIELD_BITS
_NO_LETTERS = b"0 $%&+@"
_TRANSACTIONAL, _PROMOTIONAL = LABELS.index(Label.TRANSACTIONAL), LABELS.index(Label.PROMOTIONAL)


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What a text is. `probabilities` are in the order of `Label` and add up to 1; `kind` is set for transactional
    ones. `grams` is how many grams the model knew: 0 means that no word was among them, so that it had at most marks,
    numbers and length to go by. `promotional_floor` is that of the model's `Weights`.

    The garbage collector passes verdicts over: a cache holds many, and they cannot form a cycle.
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
        self._bias = tuple(weights.bias)
        self._packed = {_key(gram.encode()): _pack(gram.encode(), values) for gram, values in weights.grams.items()}

    def judge(self, printed: bytes) -> Verdict:
        """The verdict on a fingerprint. Pure."""
        return self.judge_words(printed.split())

    def judge_words(self, words: list[bytes]) -> Verdict:
        """The verdict on the words of a fingerprint. Pure."""
        packed = self._sum(words)
        scores = self._scores(packed)
        floor, temperature = self.weights.promotional_floor, self.weights.temperature
        labels = scores[: len(LABELS)]
        top = max(labels)
        odds = [math.exp((score - top) / temperature) for score in labels]
        total = sum(odds)
        shares = tuple([share / total for share in odds])
        place = _place_of(shares, floor)
        kind = _likeliest_kind(scores) if place == _TRANSACTIONAL else None
        known = packed & _FIELD if packed >> _WORDS_PLACE else 0
        return Verdict(LABELS[place], shares[place], shares, kind, known, floor)

    def kind_of(self, printed: bytes) -> Kind:
        """Which kind a fingerprint would be if it were transactional."""
        return _likeliest_kind(self.scores(printed)[1])

    def scores(self, printed: bytes) -> tuple[int, list[float]]:
        """How many grams were known, and the score of every output."""
        packed = self._sum(printed.split())
        return packed & _FIELD, self._scores(packed)

    def _sum(self, words: list[bytes]) -> int:
        """The packed weights of all grams, added up."""
        return sum(filter(None, map(self._packed.get, gram_keys(words))))

    def _scores(self, packed: int) -> list[float]:
        known = packed & _FIELD
        if not known:
            return list(self._bias)
        shift, unit = known * _SHIFT, SCALE * math.sqrt(known)
        scores = []
        for bias in self._bias:
            packed >>= _FIELD_BITS
            scores.append(bias + ((packed & _FIELD) - shift) / unit)
        return scores

    def weights_of(self, gram: bytes) -> list[float] | None:
        """The weight of one gram per output, None if it is not known."""
        values = self.weights.grams.get(gram.decode("utf-8", "replace"))
        return None if values is None else [value / SCALE for value in values]


def label_of(shares: tuple[float, ...], promotional_floor: float) -> Label:
    """What probabilities come to: the likeliest, but promotional only from the floor on."""
    return LABELS[_place_of(shares, promotional_floor)]


def _place_of(shares: tuple[float, ...], promotional_floor: float) -> int:
    best = shares.index(max(shares))
    if best == _PROMOTIONAL and promotional_floor > 0.5:
        transactional, promotional = shares[_TRANSACTIONAL], shares[_PROMOTIONAL]
        if promotional < promotional_floor * (promotional + transactional):
            return _TRANSACTIONAL
    return best


def _likeliest_kind(scores: list[float]) -> Kind:
    kinds = scores[len(LABELS) :]
    return KINDS[kinds.index(max(kinds))]


def _key(gram: bytes) -> bytes | tuple[bytes, bytes]:
    left, space, right = gram.partition(b" ")
    return (left, right) if space else gram


def _pack(gram: bytes, values: Sequence[int]) -> int:
    has_word = b"^" not in gram and bool(gram.strip(_NO_LETTERS))
    packed = 1 | has_word << _WORDS_PLACE
    for place, value in enumerate(values, start=1):
        packed |= (max(-WEIGHT_MAX, min(WEIGHT_MAX, value)) + _SHIFT) << (place * _FIELD_BITS)
    return packed
