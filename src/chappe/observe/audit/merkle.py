"""The hash tree of RFC 6962, section 2.1 (unchanged in RFC 9162): heads, and proofs that a leaf is in one. Pure.

A tree over n leaves is split at the largest power of two below n; a node is SHA-256(0x01 || left || right).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()
TILE_HEIGHT = 8
"""A tile holds the 2^8 nodes below one node that is 8 levels higher."""
TILE_WIDTH = 1 << TILE_HEIGHT

Node = Callable[[int, int], bytes]
"""The hash of a full subtree by its height and its number among those of this height."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node with these children."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree as far as its head needs it: the roots of the full subtrees its size consists of."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks)}")
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def from_bytes(cls, size: int, content: bytes) -> Frontier:
        """What `to_bytes` gave for this size. Raises `ValueError`."""
        return cls(size, [content[start : start + HASH_BYTES] for start in range(0, len(content), HASH_BYTES)])

    def to_bytes(self) -> bytes:
        """The peaks, the largest subtree's first."""
        return b"".join(self._peaks)

    def extend(self, leaves: Iterable[bytes], completed: Callable[[int, int, bytes], None] | None = None) -> None:
        """Add leaves. `completed` is told every node above a tile that they fill: level, number and hash."""
        for leaf in leaves:
            node, height, number = leaf, 0, self.size
            while number & 1:
                node = node_hash(self._peaks.pop(), node)
                number >>= 1
                height += 1
                if completed is not None and not height % TILE_HEIGHT:
                    completed(height // TILE_HEIGHT, number, node)
            self._peaks.append(node)
            self.size += 1

    @property
    def root(self) -> bytes:
        """The head of the tree."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def inclusion_path(number: int, size: int, node: Node) -> list[bytes]:
    """The hashes that, with a leaf, give the head of the tree over `size` leaves (PATH(m, D[n]) of the RFC)."""
    if not 0 <= number < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {number}")
    path: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if number < middle:
            path.append(_subtree(middle, last, node))
            last = middle
        else:
            path.append(_subtree(first, middle, node))
            first = middle
    return path[::-1]


def root_from_path(leaf: bytes, number: int, size: int, path: Sequence[bytes]) -> bytes:
    """The head that a leaf and its path lead to (RFC 9162, section 2.1.3.2). Raises `ValueError` if they cannot fit."""
    if not 0 <= number < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {number}")
    place, last = number, size - 1
    root = leaf
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        place >>= 1
        last >>= 1
    if last:
        raise ValueError("the path is too short")
    return root


def _split(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def _subtree(first: int, last: int, node: Node) -> bytes:
    """The hash over leaves `first` until before `last`, where `first` is a multiple of a power of two not below it."""
    count = last - first
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node(height, first >> height)
    middle = first + _split(count)
    return node_hash(_subtree(first, middle, node), _subtree(middle, last, node))
