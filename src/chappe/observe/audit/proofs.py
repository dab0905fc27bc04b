"""Proofs of inclusion: that a record is in the log whose head was signed, without showing the rest of the log.

A proof holds the record, the hash before it, the path through the tree and the signed checkpoint. With the public key
alone anybody can check it, with ours (`check_proof`) or with any other implementation of RFC 6962: the leaf's data is
the hash before the record, 32 bytes, and the record's digest, 32 bytes (records/audit_pages.py).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chappe.model.errors import InvalidInput, Unavailable
from chappe.observe.audit.checkpoints import checkpoint_of
from chappe.observe.audit.merkle import (
    HASH_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    inclusion_path,
    node_hash,
    root_from_path,
)
from chappe.observe.audit.notes import from_notes, is_signed_by, to_note
from chappe.observe.audit.storage import AuditStorage
from chappe.records import audit
from chappe.records.audit_pages import GENESIS, digest_of, link


class Proof(msgspec.Struct, frozen=True):
    """That record `number` is in the log. `personal_part` is encrypted; JSON writes bytes in base64.

    `checkpoint` is the signed head, in words, and `path` leads there from the record's hash.
    """

    number: int
    open_part: msgspec.Raw
    personal_part: bytes
    previous: bytes
    hash: bytes
    path: tuple[bytes, ...]
    checkpoint: str


def prove(storage: AuditStorage, number: int, key: Ed25519PublicKey) -> Proof:
    """The proof of a record under the newest checkpoint.

    Raises `InvalidInput` if there is no such record or it was dropped, `Unavailable` if no checkpoint covers it yet.
    """
    newest = storage.read(audit.newest_checkpoint)
    if newest is None or newest.size <= number:
        raise Unavailable("No checkpoint covers this record yet; the server signs one within a minute.", number=number)
    before = _hash_of(storage, number - 1) if number else GENESIS
    record = next(chain.from_iterable(storage.stretches(number)), None)
    if record is None or record.number != number:
        raise InvalidInput(f"The audit log has no record {number}.", number=number)
    if record.open_part is None or record.personal_part is None:
        raise InvalidInput(f"Record {number} was dropped at the end of its retention; its hash is left.", number=number)
    return Proof(
        number=number,
        open_part=msgspec.Raw(record.open_part),
        personal_part=record.personal_part,
        previous=before,
        hash=record.hash,
        path=tuple(inclusion_path(number, newest.size, _Nodes(storage, newest.size))),
        checkpoint=to_note(checkpoint_of(newest), key),
    )


def check_proof(proof: Proof, key: Ed25519PublicKey) -> None:
    """Raises `InvalidInput` saying what is wrong with a proof; returns if it holds."""
    if link(proof.previous, digest_of(bytes(proof.open_part), proof.personal_part)) != proof.hash:
        raise InvalidInput("the record is not the one that the hash was made of")
    try:
        (checkpoint,) = from_notes(proof.checkpoint)
        root = root_from_path(proof.hash, proof.number, checkpoint.size, proof.path)
    except ValueError as error:
        raise InvalidInput(f"the proof does not fit together: {error}") from error
    if root != checkpoint.root:
        raise InvalidInput("the path does not lead from the record to the head that was signed")
    if not is_signed_by(checkpoint, key):
        raise InvalidInput("the checkpoint was not signed with this key")


class _Nodes:
    """Full subtrees: from the tiles above a tile's height, from the records' hashes below."""

    def __init__(self, storage: AuditStorage, size: int) -> None:
        self._storage = storage
        self._size = size
        self._tile = lru_cache(maxsize=64)(self._read_tile)

    def __call__(self, height: int, number: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        tile = self._tile(level, (number << above) // TILE_WIDTH)
        first = (number << above) % TILE_WIDTH
        nodes = tile[first : first + (1 << above)]
        while len(nodes) > 1:
            nodes = [node_hash(nodes[place], nodes[place + 1]) for place in range(0, len(nodes), 2)]
        return nodes[0]

    def _read_tile(self, level: int, number: int) -> list[bytes]:
        if level == 0:
            return _hashes(self._storage, number * TILE_WIDTH, min((number + 1) * TILE_WIDTH, self._size))
        content = self._storage.read(lambda connection: audit.tile(connection, level, number)) or b""
        return [content[start : start + HASH_BYTES] for start in range(0, len(content), HASH_BYTES)]


def _hashes(storage: AuditStorage, first: int, until: int) -> list[bytes]:
    hashes: list[bytes] = []
    for piece in storage.hashes(first):
        hashes += piece
        if len(hashes) >= until - first:
            break
    return hashes[: until - first]


def _hash_of(storage: AuditStorage, number: int) -> bytes:
    return _hashes(storage, number, number + 1)[0]
