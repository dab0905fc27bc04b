"""Lexical features: TF-IDF over the grams of a fingerprint."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from chappe.classify.fingerprint import fingerprint, grams

VOCABULARY_MAX = 50_000


class Lexical:
    """A vocabulary with the weight of each gram; what it does not hold is not seen."""

    def __init__(self, vocabulary: Sequence[str], rarities: Sequence[float]) -> None:
        self.vocabulary = tuple(vocabulary)
        self.rarities = tuple(map(float, rarities))
        pairs = zip(vocabulary, rarities, strict=True)
        self._known: Mapping[bytes, tuple[int, float]] = {
            gram.encode(): (column, float(rarity)) for column, (gram, rarity) in enumerate(pairs)
        }

    @property
    def width(self) -> int:
        return len(self.vocabulary)

    def features(self, text: str) -> list[tuple[int, float]]:
        """Columns and values that are not 0; the length of the vector is 1."""
        found = sorted(entry for gram in grams(fingerprint(text)) if (entry := self._known.get(gram)) is not None)
        length = math.sqrt(math.fsum(value * value for _, value in found)) or 1.0
        return [(column, value / length) for column, value in found]


def learn(texts_by_group: Iterable[tuple[str, str]], groups_min: int = 2) -> Lexical:
    """The vocabulary of these texts, each with its group: the grams of most groups, in alphabetical order."""
    seen: set[tuple[bytes, str]] = set()
    groups: set[str] = set()
    for text, group in texts_by_group:
        groups.add(group)
        seen.update((gram, group) for gram in grams(fingerprint(text)))
    counts = Counter(gram for gram, _ in seen)
    frequent = sorted(
        ((count, gram) for gram, count in counts.items() if count >= groups_min and _is_text(gram)),
        key=lambda entry: (-entry[0], entry[1]),
    )[:VOCABULARY_MAX]
    kept = sorted((gram.decode(), count) for count, gram in frequent)
    return Lexical([gram for gram, _ in kept], [1 + math.log(len(groups) / count) for _, count in kept])


def _is_text(gram: bytes) -> bool:
    try:
        gram.decode()
    except UnicodeDecodeError:
        return False
    return True
