"""Appending to the audit log: a hash chain, written in the transaction of what it gives account of.

Each record is an open part and a personal part, both bytes. Its digest covers both; its hash covers the digest and the
hash before it:

    digest = SHA-256(length of the open part as 4 bytes, big endian || open part || personal part)
    hash   = SHA-256(0x00 || hash before || digest)          32 zero bytes stand before the first

so a hash is at the same time a leaf of an RFC 6962 tree whose entries are the 64 bytes `hash before || digest`. Records
are numbered from 0, without a gap, in the order of their commits.

A page is all records of one commit, for the reason that the engine writes its journal so: a row costs a step of the
driver and a turn with the interpreter lock. The open parts are alike and compressed together; the personal parts are
encrypted and would not shrink.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from chappe.records.audit_tables import audit_pages
from chappe.records.commit import Bulk, Rows
from chappe.records.person_keys import ADD_PERSON_KEYS, PersonKey
from chappe.records.statements import Row

GENESIS = bytes(32)
"""What stands before the first hash."""
HASH_BYTES = 32
_SPEEDY = 1
_LOCK_KEPT_BYTES = 2_000
"""hashlib gives the interpreter lock away for more than 2,047 bytes, and getting it back takes longer than hashing."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[bytes])


class Entry(msgspec.Struct, frozen=True):
    """A record to be appended. `message` is the key of the message it is about, 0 for none.

    `person` is the key that its personal part is encrypted with; it is stored with it, unless it is stored already.
    """

    message: int
    at_ms: int
    open_part: bytes
    personal_part: bytes
    digest: bytes
    person: PersonKey | None = None


class Page(msgspec.Struct, frozen=True):
    """The records of one commit. `head` is the hash of the last; `recorded_at_ms` never goes back."""

    first: int
    recorded_at_ms: int
    head: bytes
    hashes: list[bytes]
    open_parts: list[bytes]
    personal_parts: list[bytes]


def digest_of(open_part: bytes, personal_part: bytes) -> bytes:
    """The digest of a record."""
    whole = len(open_part).to_bytes(4, "big") + open_part + personal_part
    if len(whole) <= _LOCK_KEPT_BYTES:
        return sha256(whole).digest()
    digest = sha256()
    for start in range(0, len(whole), _LOCK_KEPT_BYTES):
        digest.update(whole[start : start + _LOCK_KEPT_BYTES])
    return digest.digest()


def link(previous: bytes, digest: bytes) -> bytes:
    """The hash of a record with this digest that follows the one with the hash `previous`."""
    return sha256(b"\x00" + previous + digest).digest()


def audit_rows(entries: Sequence[Entry]) -> Rows:
    """What to write in one transaction with whatever the entries give account of."""
    persons = {entry.person.person: entry.person for entry in entries if entry.person and not entry.person.stored}
    rows: dict[Bulk, list[Row]] = {
        APPEND: [(e.message, e.at_ms, e.open_part, e.personal_part, e.digest) for e in entries]
    }
    if persons:
        rows[ADD_PERSON_KEYS] = [person.row() for person in persons.values()]
    return rows


def note_stored(entries: Sequence[Entry], written: asyncio.Future[None]) -> None:
    """Once the entries are committed, their persons' keys need not be brought along any more."""
    new = [entry.person for entry in entries if entry.person is not None and not entry.person.stored]
    if not new:
        return

    def note(done: asyncio.Future[None]) -> None:
        if not done.cancelled() and done.exception() is None:
            for person in new:
                person.stored = True

    written.add_done_callback(note)


class _AppendPage:
    """Adds one page to the chain, whose end is read in the same transaction: a rollback leaves nothing behind."""

    _end = (
        select(audit_pages.c.first, audit_pages.c.count, audit_pages.c.head, audit_pages.c.recorded_at_ms)
        .order_by(audit_pages.c.first.desc())
        .limit(1)
    )
    _add = insert(audit_pages)

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        if not rows:
            return
        end = connection.execute(self._end).one_or_none()
        first, head, recorded_at_ms = (0, GENESIS, 0) if end is None else (end[0] + end[1], end[2], end[3])
        messages, moments, open_parts, personal_parts, digests = zip(*rows, strict=True)
        hashes = []
        for digest in digests:
            head = link(head, digest)
            hashes.append(head)
        about = [message for message in messages if message] or [0]
        connection.execute(
            self._add,
            {
                "first": first,
                "count": len(rows),
                "recorded_at_ms": max(recorded_at_ms, *moments),
                "oldest_message": min(about),
                "newest_message": max(about),
                "head": head,
                "hashes": b"".join(hashes),
                "open_parts": zlib.compress(_encoder.encode(open_parts), _SPEEDY),
                "personal_parts": _encoder.encode(personal_parts),
            },
        )


APPEND = Bulk(4, _AppendPage(), packed=True)


def page_of(row: Any) -> Page:
    """The page of a row of the table. Raises `ValueError` if it can't be read."""
    try:
        hashes = [row.hashes[start : start + HASH_BYTES] for start in range(0, len(row.hashes), HASH_BYTES)]
        open_parts = _decoder.decode(zlib.decompress(row.open_parts))
        personal_parts = _decoder.decode(row.personal_parts)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"cannot be unpacked: {error}") from error
    if not len(hashes) == len(open_parts) == len(personal_parts) == row.count:
        raise ValueError(f"should hold {row.count} records and does not")
    return Page(row.first, row.recorded_at_ms, row.head, hashes, open_parts, personal_parts)
