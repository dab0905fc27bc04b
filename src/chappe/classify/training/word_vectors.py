"""What a language model knows of words, so that words of like meaning weigh alike, also those that no example has.

A vector of a word adds to the weight of the word: the score of a text is linear in the mean of its words' vectors, so
what is learnt about the vectors folds into one weight a word, and the model that is handed out needs no vectors. They
are the input embeddings of a BERT, cut to their first principal components.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from chappe.classify.second.embedding import Embedder

WIDTH = 96
STRENGTH = 0.3
"""The length of a vector, where a gram's own column has 1: how much dearer it is to learn by meaning than by the word.
Both were chosen by holding out who wrote, and what about."""

Floats = NDArray[np.float64]


def is_word(gram: bytes) -> bool:
    """Whether a gram is a word that may have a vector: letters of English, at least two."""
    return len(gram) > 1 and gram.isalpha()


class WordVectors:
    """The vectors of an embedding. `words` are those it knows as a whole, in a fixed order."""

    def __init__(self, embedder: Embedder, width: int = WIDTH) -> None:
        self._embedder = embedder
        self.words = [word.encode() for word in embedder.whole_words() if is_word(word.encode("utf-8"))]
        known = self._raw(self.words)
        self._mean = known.mean(axis=0)
        spread = (known - self._mean).T @ (known - self._mean)
        self._axes = np.linalg.eigh(spread)[1][:, ::-1][:, :width]

    @property
    def width(self) -> int:
        """The numbers of a vector."""
        return int(self._axes.shape[1])

    def rows(self, words: Sequence[bytes]) -> Floats:
        """One vector a word."""
        if not words:
            return np.zeros((0, self.width))
        short = (self._raw(words) - self._mean) @ self._axes
        out: Floats = STRENGTH * short / np.maximum(np.linalg.norm(short, axis=1, keepdims=True), 1e-9)
        return out

    def _raw(self, words: Sequence[bytes]) -> Floats:
        found = np.array([self._embedder.word(word.decode()) for word in words], dtype=np.float64)
        out: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return out
