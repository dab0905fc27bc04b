"""The tree of RFC 6962, against a direct reading of its definition and the vectors of its reference implementation."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.observe.audit.merkle import EMPTY_ROOT, TILE_WIDTH, Frontier, inclusion_path, root_from_path

# The leaves and heads that certificate-transparency's own tests use.
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
HEADS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def head(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) as section 2.1 writes it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + head(leaves[:k]) + head(leaves[k:])).digest()


@pytest.mark.parametrize("size", HEADS)
def test_heads_are_those_of_the_reference(size: int) -> None:
    frontier = Frontier()
    frontier.extend(map(leaf, LEAVES[:size]))
    assert frontier.root.hex() == HEADS[size]


def test_an_empty_tree_has_the_head_of_nothing() -> None:
    assert Frontier().root == EMPTY_ROOT == sha256(b"").digest()


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_tree_that_grows_in_steps_has_the_head_of_the_definition(first: int, more: int) -> None:
    leaves = [leaf(bytes([n])) for n in range(first + more)]
    frontier = Frontier()
    frontier.extend(leaves[:first])
    resumed = Frontier.from_bytes(first, frontier.to_bytes())
    resumed.extend(leaves[first:])
    assert resumed.root == head(leaves)


@given(st.data(), st.integers(1, 70))
def test_every_path_leads_to_the_head_and_no_other_leaf_does(data: st.DataObject, size: int) -> None:
    leaves = [leaf(bytes([n])) for n in range(size)]
    number = data.draw(st.integers(0, size - 1))
    path = inclusion_path(number, size, lambda height, n: head(leaves[n << height : (n + 1) << height]))
    assert root_from_path(leaves[number], number, size, path) == head(leaves)
    assert root_from_path(leaf(b"other"), number, size, path) != head(leaves)
    for other in {0, size - 1} - {number}:
        try:
            assert root_from_path(leaves[number], other, size, path) != head(leaves)
        except ValueError:
            continue


def test_nodes_above_a_tile_are_told_once_each() -> None:
    leaves = [leaf(n.to_bytes(4, "big")) for n in range(3 * TILE_WIDTH + 5)]
    told: list[tuple[int, int, bytes]] = []
    Frontier().extend(leaves, lambda *node: told.append(node))
    assert told == [(1, n, head(leaves[n * TILE_WIDTH : (n + 1) * TILE_WIDTH])) for n in range(3)]


def test_peaks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 leaves has 2 peaks"):
        Frontier(3, [b""])
