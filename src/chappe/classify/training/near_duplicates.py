"""Texts that are alike: near-duplicates by the words they share, found with MinHash (Broder, 1997) and checked exactly.

Two texts are alike when the sets of their shingles (three neighbouring words of the fingerprint) overlap by at least
`ALIKE` (Jaccard). Groups are the connected parts of that relation, so a chain of small changes is one group.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from chappe.classify.fingerprint import fingerprint

ALIKE = 0.5
_SHINGLE_WORDS = 3
_HASHES = 48
_BAND = 3
"""Hashes a band: sixteen bands of three find a pair that overlaps by a half with a probability of 0.88, by two thirds
with 0.997."""
_PRIME = (1 << 61) - 1

Shingles = frozenset[int]


def shingles(text: str) -> Shingles:
    """The text's shingles as numbers, the same in every process."""
    words = fingerprint(text).split()
    pieces = [b" ".join(words[i : i + _SHINGLE_WORDS]) for i in range(max(1, len(words) - _SHINGLE_WORDS + 1))]
    return frozenset(int.from_bytes(hashlib.blake2b(piece, digest_size=7).digest()) for piece in pieces)


def overlap(left: Shingles, right: Shingles) -> float:
    """The Jaccard index: shared shingles over all shingles of both."""
    union = len(left | right)
    return len(left & right) / union if union else 1.0


def alike_pairs(texts: Sequence[str], at_least: float = ALIKE) -> Iterator[tuple[int, int]]:
    """Pairs of places in `texts` whose texts are alike, each once. Misses few, names none wrongly."""
    found = [shingles(text) for text in texts]
    seen: set[tuple[int, int]] = set()
    for bucket in _buckets(found):
        # Every member beside the first: enough to join them, and linear where a thousand texts are the same.
        for pair in itertools.chain(itertools.pairwise(bucket), ((bucket[0], other) for other in bucket[2:])):
            if pair not in seen:
                seen.add(pair)
                if overlap(found[pair[0]], found[pair[1]]) >= at_least:
                    yield pair


def groups(texts: Sequence[str], at_least: float = ALIKE) -> list[int]:
    """For each text the place of the first text of its group."""
    parents = list(range(len(texts)))
    for left, right in alike_pairs(texts, at_least):
        first, second = sorted((root(parents, left), root(parents, right)))
        parents[second] = first
    return [root(parents, place) for place in range(len(texts))]


def root(parents: list[int], place: int) -> int:
    """The first member of a group in a table of parents; shortens the way for the next time."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place


def _buckets(found: Sequence[Shingles]) -> Iterator[list[int]]:
    factors = [(2 * number + 1) * 0x9E3779B97F4A7C15 % _PRIME for number in range(_HASHES)]
    buckets: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, pieces in enumerate(found):
        least = [min(piece * factor % _PRIME for piece in pieces) for factor in factors]
        for band in range(0, _HASHES, _BAND):
            buckets[(band, *least[band : band + _BAND])].append(place)
    return (bucket for bucket in buckets.values() if len(bucket) > 1)
