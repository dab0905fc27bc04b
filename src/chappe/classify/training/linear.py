"""The fast path's model: logistic regression over the grams of fingerprints, cut down to the grams that count."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from chappe.classify.fingerprint import fingerprint, grams
from chappe.classify.model import KINDS, LABELS, SCALE, WEIGHT_MAX, Model, Weights
from chappe.classify.training.examples import Example

GRAMS_MAX = 14_000
GROUPS_MIN = 2
"""A gram that only one template has says nothing of others."""
STRENGTH = 30.0
"""The inverse of the regularisation, chosen by cross-validation over groups."""
FOLDS = 5

Floats = NDArray[np.float64]


class Prepared:
    """Examples as numbers: one row a text, one column a gram; the length of a row is 1."""

    def __init__(self, examples: Sequence[Example], vocabulary: Sequence[bytes] | None = None) -> None:
        found = [grams(fingerprint(example.text)) for example in examples]
        self.vocabulary = list(vocabulary) if vocabulary is not None else _frequent(found, examples)
        column = {gram: number for number, gram in enumerate(self.vocabulary)}
        indices: list[int] = []
        values: list[float] = []
        starts = [0]
        for gram_set in found:
            known = [column[gram] for gram in gram_set if gram in column]
            indices += known
            values += [1 / math.sqrt(len(known))] * len(known) if known else []
            starts.append(len(indices))
        self.matrix = csr_matrix(
            (np.array(values), np.array(indices, dtype=np.int32), np.array(starts)),
            shape=(len(found), len(self.vocabulary)),
        )


def train(examples: Sequence[Example], *, promotional_floor: float = 0.5) -> Weights:
    """Learn the weights, calibrated on held-out groups. Deterministic."""
    weights = _weights_of_classes(examples)
    prepared = Prepared(examples, _strongest(weights))
    labels = np.array([LABELS.index(example.label) for example in examples])
    classes = _fit(prepared.matrix, labels, _sample_weights(examples))
    coefficients, bias = _all_rows(classes, len(LABELS))
    kinds = _fit_kinds(prepared, examples)
    rows = np.vstack([coefficients, kinds[0]])
    return Weights(
        grams={
            gram.decode("utf-8", "replace"): _units(rows[:, column]) for column, gram in enumerate(prepared.vocabulary)
        },
        bias=[round(float(value), 4) for value in (*bias, *kinds[1])],
        temperature=_temperature(examples, prepared.matrix, labels),
        promotional_floor=promotional_floor,
    )


def held_out_probabilities(examples: Sequence[Example], folds: int = FOLDS) -> Floats:
    """The probabilities of the labels for every example, from a model that has not seen its group."""
    labels = np.array([LABELS.index(example.label) for example in examples])
    groups = [example.group for example in examples]
    out = np.zeros((len(examples), len(LABELS)))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for seen, unseen in splitter.split(np.zeros(len(labels)), labels, groups):
        model = Model(train_quickly([examples[index] for index in seen]), "fold")
        for index in unseen:
            out[index] = model.judge(fingerprint(examples[index].text)).probabilities
    return out


def train_quickly(examples: Sequence[Example]) -> Weights:
    """As `train`, without calibration: for folds of a cross-validation."""
    prepared = Prepared(examples)
    labels = np.array([LABELS.index(example.label) for example in examples])
    coefficients, bias = _all_rows(_fit(prepared.matrix, labels, _sample_weights(examples)), len(LABELS))
    rows = np.vstack([coefficients, np.zeros((len(KINDS), len(prepared.vocabulary)))])
    return Weights(
        {g.decode("utf-8", "replace"): _units(rows[:, column]) for column, g in enumerate(prepared.vocabulary)},
        [*map(float, bias), *([0.0] * len(KINDS))],
    )


def _frequent(found: Sequence[set[bytes]], examples: Sequence[Example]) -> list[bytes]:
    """The grams that occur in several groups, in a fixed order."""
    seen: set[tuple[bytes, str]] = set()
    counts: Counter[bytes] = Counter()
    for gram_set, example in zip(found, examples, strict=True):
        for gram in gram_set:
            if (gram, example.group) not in seen:
                seen.add((gram, example.group))
                counts[gram] += 1
    return sorted(gram for gram, count in counts.items() if count >= GROUPS_MIN and _is_text(gram))


def _is_text(gram: bytes) -> bool:
    """Whether the gram survives being written as JSON: a stem may have been cut inside a character."""
    try:
        gram.decode()
    except UnicodeDecodeError:
        return False
    return True


def _weights_of_classes(examples: Sequence[Example]) -> tuple[list[bytes], Floats]:
    prepared = Prepared(examples)
    labels = np.array([LABELS.index(example.label) for example in examples])
    coefficients, _ = _all_rows(_fit(prepared.matrix, labels, _sample_weights(examples)), len(LABELS))
    return prepared.vocabulary, coefficients


def _strongest(weights: tuple[list[bytes], Floats]) -> list[bytes]:
    vocabulary, coefficients = weights
    spread = coefficients.max(axis=0) - coefficients.min(axis=0)
    kept = np.sort(np.argsort(-spread, kind="stable")[:GRAMS_MAX])
    return [vocabulary[int(column)] for column in kept]


def _fit(matrix: csr_matrix, labels: NDArray[np.int64], weights: Floats) -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, max_iter=400).fit(matrix, labels, sample_weight=weights)


def _sample_weights(examples: Sequence[Example]) -> Floats:
    """Every group counts once, however often it occurs."""
    sizes = Counter(example.group for example in examples)
    return np.array([1 / sizes[example.group] for example in examples])


def _all_rows(fitted: LogisticRegression, outputs: int) -> tuple[Floats, Floats]:
    """A row of coefficients per output, also for those that did not occur."""
    coefficients = np.zeros((outputs, fitted.coef_.shape[1]))
    bias = np.full(outputs, -20.0)
    rows, intercepts = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:
        rows, intercepts = np.vstack([-rows[0], rows[0]]) / 2, np.array([-intercepts[0], intercepts[0]]) / 2
    for row, intercept, output in zip(rows, intercepts, fitted.classes_, strict=True):
        coefficients[output] = row
        bias[output] = intercept
    return coefficients, bias


def _fit_kinds(prepared: Prepared, examples: Sequence[Example]) -> tuple[Floats, Floats]:
    chosen = [number for number, example in enumerate(examples) if example.kind is not None]
    kinds = np.array([KINDS.index(kind) for number in chosen if (kind := examples[number].kind) is not None])
    if len(set(kinds.tolist())) < 2:
        return np.zeros((len(KINDS), len(prepared.vocabulary))), np.zeros(len(KINDS))
    fitted = _fit(prepared.matrix[chosen], kinds, _sample_weights([examples[number] for number in chosen]))
    return _all_rows(fitted, len(KINDS))


def _temperature(examples: Sequence[Example], matrix: csr_matrix, labels: NDArray[np.int64]) -> float:
    """What the scores have to be divided by for the probabilities on held-out groups to be honest (Guo and others,
    2017): the value of least log loss.
    """
    groups = [example.group for example in examples]
    scores = np.zeros((len(labels), len(LABELS)))
    weights = _sample_weights(examples)
    for seen, unseen in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=1).split(matrix, labels, groups):
        coefficients, bias = _all_rows(_fit(matrix[seen], labels[seen], weights[seen]), len(LABELS))
        scores[unseen] = matrix[unseen] @ coefficients.T + bias
    candidates = np.geomspace(0.3, 4.0, 80)
    losses = [_log_loss(scores / candidate, labels) for candidate in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 3)


def _log_loss(scores: Floats, labels: NDArray[np.int64]) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    normaliser = np.log(np.exp(shifted).sum(axis=1))
    return float((normaliser - shifted[np.arange(len(labels)), labels]).mean())


def _units(values: Floats) -> list[int]:
    return [int(max(-WEIGHT_MAX, min(WEIGHT_MAX, round(float(value) * SCALE)))) for value in values]
