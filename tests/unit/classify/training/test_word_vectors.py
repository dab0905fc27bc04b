"""Words of like meaning weigh alike, and what is learnt of them folds into the weights."""

from __future__ import annotations

import numpy as np
import pytest

from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Model
from chappe.classify.training import linear
from chappe.classify.training.examples import Example
from chappe.classify.training.word_vectors import STRENGTH, WordVectors, is_word

_NEAR = {"sale": 0.0, "bargain": 0.1, "discount": 0.2, "ward": 3.0, "clinic": 3.1, "nurse": 3.2}


class _Plane:
    """An embedding of two meanings: a word lies at its angle, and any other at a place of its own."""

    def whole_words(self) -> list[str]:
        return sorted([*_NEAR, "##ing", "x", "caf\u00e9", "30"])

    def word(self, word: str) -> np.ndarray:
        angle = _NEAR.get(word, 1.5)
        return np.array([np.cos(angle), np.sin(angle), 0.1], dtype=np.float32)


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    return WordVectors(_Plane(), width=2)  # type: ignore[arg-type]


def _examples() -> list[Example]:
    texts = {
        Label.PROMOTIONAL: ["sale in every corner", "a discount on shirts", "the sale of lamps", "discount for chairs"],
        Label.TRANSACTIONAL: ["the ward is open", "clinic moved north", "your clinic calls", "seen by the ward today"],
    }
    return [
        Example(text, label, f"{label}{number}") for label, found in texts.items() for number, text in enumerate(found)
    ]


def test_only_words_of_letters_have_vectors(vectors: WordVectors) -> None:
    assert vectors.words == [word.encode() for word in sorted(_NEAR)]
    assert [is_word(gram) for gram in (b"sale", b"sale on", b"disco-", b"^code", b"0", b"a")] == [True] + [False] * 5
    rows = vectors.rows([b"sale", b"bargain"])
    assert np.linalg.norm(rows, axis=1) == pytest.approx([STRENGTH, STRENGTH])
    assert vectors.rows([]).shape == (0, 2)


def test_a_word_that_no_example_has_weighs_like_its_neighbours(vectors: WordVectors) -> None:
    model = Model(linear.fit(_examples(), vectors=vectors, with_kinds=False), "tiny")
    assert model.judge(fingerprint("bargain")).label is Label.PROMOTIONAL
    assert model.judge(fingerprint("nurse")).label is Label.TRANSACTIONAL
    assert "bargain" not in linear.fit(_examples(), with_kinds=False).grams


def test_weights_that_are_folded_score_as_what_was_fitted(vectors: WordVectors) -> None:
    prepared = linear.Prepared(_examples(), vectors)
    coefficients, bias = linear._of_labels(prepared)
    expected = prepared.matrix @ coefficients.T + bias
    weights = linear.fit(_examples(), vectors=vectors, with_kinds=False)
    found = np.array([Model(weights, "t").scores(fingerprint(e.text))[1][: len(LABELS)] for e in _examples()])
    assert found == pytest.approx(expected[: len(found)], abs=0.05)


def test_training_is_the_same_every_time(vectors: WordVectors) -> None:
    first = linear.fit(_examples(), vectors=vectors)
    again = linear.fit(_examples(), vectors=WordVectors(_Plane(), width=2))  # type: ignore[arg-type]
    assert first == again


def test_a_vocabulary_that_is_too_large_keeps_what_counts(
    vectors: WordVectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "GRAMS_MAX", 4)
    weights = linear.fit(_examples(), vectors=vectors, with_kinds=False)
    assert len(weights.grams) == 4
    assert set(weights.grams) & {"sale", "discount"}
