"""The fast path's model: logistic regression over the grams of fingerprints, cut down to the grams that count."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from chappe.classify.fingerprint import fingerprint, grams
from chappe.classify.model import KINDS, LABELS, SCALE, WEIGHT_MAX, Weights
from chappe.classify.training.examples import Example
from chappe.classify.training.splitting import group_weights

GRAMS_MAX = 21_000
"""That many fit into a file of a megabyte."""
GROUPS_MIN = 2
"""A gram that only one template has says nothing of others."""
STRENGTH = 10.0
"""The inverse of the regularisation, chosen by cross-validation over groups."""
DROPPED = (0.3, 0.5, 0.7)
"""Each text is learnt once whole and once for each of these shares with that share of its words left out, so that no
few words carry the verdict alone. That is worth a point and a half of accuracy on texts of other origin.
"""
ITERATIONS_MAX = 400
TOLERANCE = 1e-3
"""Closer changes no verdict that a held-out text would notice, and takes five times as long."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Prepared:
    """Examples as numbers: one row a text, one column a gram; the length of a row is 1. Examples that a model cannot
    tell apart (one fingerprint, one group) are one row with their weights added up.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        rows: dict[tuple[bytes, str, str, str | None], int] = {}
        weights: list[float] = []
        self.examples: list[Example] = []
        for example, weight in zip(examples, group_weights(examples), strict=True):
            row = rows.setdefault((fingerprint(example.text), example.label, example.group, example.kind), len(rows))
            if row == len(weights):
                weights.append(0.0)
                self.examples.append(example)
            weights[row] += weight
        self._found = [grams(printed) for printed, *_ in rows]
        self.vocabulary = self._frequent()
        self._add_thinned([printed for printed, *_ in rows])
        self.weights = np.tile(np.array(weights), 1 + len(DROPPED)) * np.repeat(
            [0.5] + [0.5 / len(DROPPED)] * len(DROPPED), len(weights)
        )
        self.labels = np.array([LABELS.index(example.label) for example in self.examples])
        self.matrix = self._matrix()

    def _add_thinned(self, prints: Sequence[bytes]) -> None:
        whole = list(self.examples)
        for share in DROPPED:
            self._found += [grams(_thinned(printed, share)) for printed in prints]
            self.examples += whole

    def _frequent(self) -> list[bytes]:
        """The grams that occur in several groups, in a fixed order."""
        seen: set[tuple[bytes, str]] = set()
        for gram_set, example in zip(self._found, self.examples, strict=True):
            seen.update((gram, example.group) for gram in gram_set)
        counts = Counter(gram for gram, _ in seen)
        return sorted(gram for gram, count in counts.items() if count >= GROUPS_MIN and _is_text(gram))

    def cut_to(self, vocabulary: Sequence[bytes]) -> None:
        """Know these grams only."""
        self.vocabulary = list(vocabulary)
        self.matrix = self._matrix()

    def _matrix(self) -> csr_matrix:
        column = {gram: number for number, gram in enumerate(self.vocabulary)}
        indices: list[int] = []
        values: list[float] = []
        starts = [0]
        for gram_set in self._found:
            # Sorted, because sums of floats depend on their order and that of a set on the process.
            known = sorted(column[gram] for gram in gram_set if gram in column)
            indices += known
            values += [1 / math.sqrt(len(known))] * len(known) if known else []
            starts.append(len(indices))
        return csr_matrix(
            (np.array(values), np.array(indices, dtype=np.int32), np.array(starts)),
            shape=(len(self._found), len(self.vocabulary)),
        )


def fit(examples: Sequence[Example], *, with_kinds: bool = True) -> Weights:
    """Learn the weights of the classes and, if wanted, of the transactional kinds. Deterministic; not calibrated."""
    prepared = Prepared(examples)
    coefficients, bias = _of_labels(prepared)
    if len(prepared.vocabulary) > GRAMS_MAX:
        prepared.cut_to(_strongest(prepared.vocabulary, coefficients))
        coefficients, bias = _of_labels(prepared)
    kinds = _of_kinds(prepared) if with_kinds else _none(KINDS, prepared)
    rows = np.vstack([coefficients, kinds[0]])
    return Weights(
        {gram.decode(): _units(rows[:, column]) for column, gram in enumerate(prepared.vocabulary)},
        [round(float(value), 4) for value in (*bias, *kinds[1])],
    )


def _thinned(printed: bytes, share: float) -> bytes:
    chance = random.Random(printed + str(share).encode())  # noqa: S311 - repeatable, not secret
    return b" ".join(word for word in printed.split() if chance.random() >= share)


def _is_text(gram: bytes) -> bool:
    """Whether the gram survives being written as JSON: a stem may have been cut inside a character."""
    try:
        gram.decode()
    except UnicodeDecodeError:
        return False
    return True


def _strongest(vocabulary: Sequence[bytes], coefficients: Floats) -> list[bytes]:
    kept = np.sort(np.argsort(-np.ptp(coefficients, axis=0), kind="stable")[:GRAMS_MAX])
    return [vocabulary[int(column)] for column in kept]


def _of_labels(prepared: Prepared) -> tuple[Floats, Floats]:
    return _regression(prepared.matrix, prepared.labels, prepared.weights, len(LABELS))


def _of_kinds(prepared: Prepared) -> tuple[Floats, Floats]:
    chosen = [row for row, example in enumerate(prepared.examples) if example.kind is not None]
    kinds = np.array([KINDS.index(kind) for row in chosen if (kind := prepared.examples[row].kind) is not None])
    if len(set(kinds.tolist())) < 2:
        return _none(KINDS, prepared)
    return _regression(prepared.matrix[chosen], kinds, prepared.weights[chosen], len(KINDS))


def _none(outputs: Sequence[object], prepared: Prepared) -> tuple[Floats, Floats]:
    return np.zeros((len(outputs), prepared.matrix.shape[1])), np.zeros(len(outputs))


def _regression(matrix: csr_matrix, classes: Integers, weights: Floats, outputs: int) -> tuple[Floats, Floats]:
    """A row of coefficients and a bias per output, also for those that did not occur."""
    fitted = LogisticRegression(C=STRENGTH, max_iter=ITERATIONS_MAX, tol=TOLERANCE)
    fitted.fit(matrix, classes, sample_weight=weights)
    coefficients = np.zeros((outputs, matrix.shape[1]))
    bias = np.full(outputs, -20.0)
    rows, intercepts = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:
        rows, intercepts = np.vstack([-rows[0], rows[0]]) / 2, np.array([-intercepts[0], intercepts[0]]) / 2
    for row, intercept, output in zip(rows, intercepts, fitted.classes_, strict=True):
        coefficients[output] = row
        bias[output] = intercept
    return coefficients, bias


def _units(values: Floats) -> list[int]:
    return [int(max(-WEIGHT_MAX, min(WEIGHT_MAX, round(float(value) * SCALE)))) for value in values]
