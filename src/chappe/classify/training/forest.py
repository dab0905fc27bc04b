"""The second opinion's training: a random forest (Breiman, 2001) over words, a sentence embedding and metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_limits

from chappe.classify.model import LABELS
from chappe.classify.second import lexical
from chappe.classify.second.embedding import Embedder
from chappe.classify.second.forest import Forest
from chappe.classify.second.lexical import Lexical
from chappe.classify.second.metadata import NAMES, numbers
from chappe.classify.training.examples import Example
from chappe.classify.training.splitting import group_weights

TREES = 200
LEAF_MIN = 1
Floats = NDArray[np.float32]


def embeddings(examples: Sequence[Example], embedder: Embedder, progress: Callable[[int], None]) -> Floats:
    """One row an example; equal texts are embedded once."""
    rows: dict[str, Floats] = {}
    for place, example in enumerate(examples):
        if example.text not in rows:
            rows[example.text] = embedder.embed(example.text)
        progress(place + 1)
    return np.array([rows[example.text] for example in examples])


def train_forest(examples: Sequence[Example], embedded: Floats, trees: int = TREES) -> tuple[Lexical, Forest]:
    """Learn the vocabulary and the forest. Deterministic."""
    vocabulary = lexical.learn((example.text, example.group) for example in examples)
    labels = np.array([LABELS.index(example.label) for example in examples])
    forest = RandomForestClassifier(trees, min_samples_leaf=LEAF_MIN, n_jobs=1, random_state=0)
    with threadpool_limits(1):
        forest.fit(matrix(examples, vocabulary, embedded), labels, sample_weight=group_weights(examples))
    return vocabulary, as_arrays(forest)


def matrix(examples: Sequence[Example], vocabulary: Lexical, embedded: Floats) -> csr_matrix:
    """Words, embedding and metadata side by side, in the order of `SecondOpinion.features`."""
    indices: list[int] = []
    values: list[float] = []
    starts = [0]
    for example in examples:
        for column, value in vocabulary.features(example.text):
            indices.append(column)
            values.append(value)
        starts.append(len(indices))
    words = csr_matrix(
        (np.array(values, dtype=np.float32), np.array(indices, dtype=np.int32), np.array(starts)),
        shape=(len(examples), vocabulary.width),
    )
    known = np.array([numbers(example.metadata) for example in examples], dtype=np.float32)
    assert known.shape[1] == len(NAMES)
    return hstack([words, csr_matrix(embedded), csr_matrix(known)]).tocsr()


def as_arrays(fitted: Any) -> Forest:
    """scikit-learn's trees as arrays. Their nodes are in the order of a walk, so that children come after parents."""
    roots, features, thresholds, lefts, rights, shares, leaves = [], [], [], [], [], [], []
    start = rows = 0
    for estimator in fitted.estimators_:
        tree = estimator.tree_
        places = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        roots.append(start)
        features.append(np.where(leaf, 0, tree.feature))
        thresholds.append(np.where(leaf, 0, tree.threshold))
        lefts.append(np.where(leaf, places, tree.children_left) + start)
        rights.append(np.where(leaf, places, tree.children_right) + start)
        found = np.zeros((int(leaf.sum()), len(LABELS)))
        found[:, fitted.classes_] = tree.value[leaf, 0, :] / tree.value[leaf, 0, :].sum(axis=1, keepdims=True)
        numbered = np.zeros(tree.node_count, dtype=np.int64)
        numbered[leaf] = np.arange(len(found)) + rows
        shares.append(numbered)
        leaves.append(found)
        start += tree.node_count
        rows += len(found)
    return Forest(
        np.array(roots, dtype=np.int32),
        np.concatenate(features).astype(np.int32),
        np.concatenate(thresholds).astype(np.float32),
        np.concatenate(lefts).astype(np.int32),
        np.concatenate(rights).astype(np.int32),
        np.concatenate(shares).astype(np.int32),
        np.concatenate(leaves).astype(np.float16),
    )
