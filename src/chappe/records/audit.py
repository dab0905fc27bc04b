"""The audit log's part of the database. What is read is a function of a connection, so that commands which look at a
data folder without a server can use it as well; what is written goes through the group commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from chappe.model.errors import NotFound
from chappe.records import ids
from chappe.records.audit_pages import HASH_BYTES, Entry, Page, audit_rows, page_of
from chappe.records.audit_tables import audit_checkpoints, audit_pages, audit_segments, audit_tiles, legal_holds
from chappe.records.commit import GroupCommit
from chappe.records.person_keys import StoredKey, delete_keys, keys_of_persons, keys_of_recipients, persons_of
from chappe.records.reading import GroupRead, Readers, Reading

_T = TypeVar("_T")


class Segment(msgspec.Struct, frozen=True):
    """A file of older records, `first` to `last`. `oldest_ms` to `newest_ms` are the moments its records tell of, and
    `oldest_message` to `newest_message` the keys of their messages.
    """

    first: int
    last: int
    day: str
    generation: int
    file: str
    dropped: int
    oldest_message: int
    newest_message: int
    oldest_ms: int
    newest_ms: int


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """A signed head of the hash tree over the first `size` records, and the tree's frontier there."""

    size: int
    at_ms: int
    root: bytes
    frontier: bytes
    key_id: str
    signature: bytes


class LegalHold(msgspec.Struct, frozen=True):
    """While it is not released, audit records of the jurisdiction ("*" for all) are kept whatever their retention."""

    key: int
    jurisdiction: str
    reason: str
    created_at_ms: int
    released_at_ms: int | None = None


class AuditRecords:
    """The audit log of a database that is open for writing."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers
        self._keys = GroupRead(readers, keys_of_recipients, Reading.URGENT)

    async def read(self, function: Callable[[Connection], _T]) -> _T:
        """The result of one of this module's functions, beside the pipeline's own reads."""
        return await self._readers.read(function, Reading.BROWSING)

    def append(self, entries: Sequence[Entry]) -> asyncio.Future[None]:
        """Append records that give account of nothing else in the same transaction."""
        return self._commits.write(audit_rows(entries), urgent=False)

    async def keys_of(self, recipients: Sequence[str]) -> list[StoredKey | None]:
        """The key of each recipient, in order; None for one who has none."""
        return await self._keys.ask(recipients)

    async def erase(self, recipient: str, account: Callable[[list[int]], Entry]) -> list[int]:
        """Delete every key of a recipient, and append the record that `account` makes of it; the keys' names.

        Ordinary work is committed in the order it is submitted in, and urgent work before: whatever was recorded with
        these keys before this is called is stored before they are deleted.
        """

        def operation(connection: Connection) -> list[int]:
            persons = persons_of(connection, recipient)
            delete_keys(connection, persons)
            append_within(connection, [account(persons)])
            return persons

        return await self._commits.run(operation, urgent=False)

    async def seal(self, segment: Segment) -> None:
        """Let a file take the place of the pages whose records it holds. The newest page must not be among them."""

        def operation(connection: Connection) -> None:
            connection.execute(insert(audit_segments), msgspec.structs.asdict(segment))
            connection.execute(
                delete(audit_pages).where(audit_pages.c.first >= segment.first, audit_pages.c.first <= segment.last)
            )

        await self._commits.run(operation, urgent=False)

    async def replace(self, segment: Segment, account: Entry) -> None:
        """Let a file written anew take the place of the one before, and append the record that says why."""

        def operation(connection: Connection) -> None:
            values = msgspec.structs.asdict(segment)
            connection.execute(update(audit_segments).where(audit_segments.c.first == segment.first).values(values))
            append_within(connection, [account])

        await self._commits.run(operation, urgent=False)

    async def add_checkpoint(self, checkpoint: StoredCheckpoint, tiles: dict[tuple[int, int], bytes]) -> None:
        """Store a checkpoint, and the tiles of the tree that have changed since the last."""

        def operation(connection: Connection) -> None:
            connection.execute(insert(audit_checkpoints), msgspec.structs.asdict(checkpoint))
            for (level, number), hashes in tiles.items():
                same = (audit_tiles.c.level == level, audit_tiles.c.number == number)
                if connection.execute(update(audit_tiles).where(*same).values(hashes=hashes)).rowcount == 0:
                    connection.execute(insert(audit_tiles).values(level=level, number=number, hashes=hashes))

        await self._commits.run(operation, urgent=False)

    async def add_hold(self, hold: LegalHold, account: Entry) -> None:
        """Begin a legal hold, on record."""

        def operation(connection: Connection) -> None:
            values = msgspec.structs.asdict(hold)
            values["id"] = values.pop("key")
            connection.execute(insert(legal_holds), values)
            append_within(connection, [account])

        await self._commits.run(operation)

    async def release_hold(self, key: int, at_ms: int, account: Entry) -> None:
        """End a legal hold, on record. Raises `NotFound` if there is none in force with this key."""

        def operation(connection: Connection) -> None:
            in_force = (legal_holds.c.id == key, legal_holds.c.released_at_ms.is_(None))
            if connection.execute(update(legal_holds).where(*in_force).values(released_at_ms=at_ms)).rowcount == 0:
                text = ids.key_text(ids.HOLD, key)
                raise NotFound(f"There is no legal hold {text} in force.", id=text)
            append_within(connection, [account])

        await self._commits.run(operation)

    async def keys_of_persons(self, persons: Sequence[int]) -> dict[int, StoredKey]:
        """The keys that are there still, by name."""
        return await self.read(lambda connection: keys_of_persons(connection, persons))


def append_within(connection: Connection, entries: Sequence[Entry]) -> None:
    """Append records inside a transaction that is under way."""
    for bulk, rows in sorted(audit_rows(entries).items(), key=lambda item: item[0].rank):
        bulk.statement.write(connection, list(rows))


def size(connection: Connection) -> int:
    """How many records the log holds, those of which only the hash is left included."""
    query = select(audit_pages.c.first + audit_pages.c.count).order_by(audit_pages.c.first.desc()).limit(1)
    return connection.execute(query).scalar() or 0


def first_in_pages(connection: Connection) -> int | None:
    """The number of the first record that is not in a file."""
    return connection.execute(select(func.min(audit_pages.c.first))).scalar()


def page_rows(connection: Connection, first: int, before: int | None = None, limit: int = 1_000) -> Sequence[Any]:
    """Rows of pages that hold records from `first` on, in order; `page_of` opens one."""
    query = select(audit_pages).where(audit_pages.c.first + audit_pages.c.count > first)
    # The index knows only where pages begin, and a page is never larger than this.
    query = query.where(audit_pages.c.first > first - PAGE_RECORDS_MAX)
    if before is not None:
        query = query.where(audit_pages.c.first < before)
    return connection.execute(query.order_by(audit_pages.c.first).limit(limit)).all()


PAGE_RECORDS_MAX = 65_536
"""No commit holds more."""


def newest_pages(connection: Connection, before: int | None, limit: int) -> list[Page]:
    """Pages that begin before a record, newest first."""
    query = select(audit_pages).order_by(audit_pages.c.first.desc()).limit(limit)
    if before is not None:
        query = query.where(audit_pages.c.first < before)
    return [page_of(row) for row in connection.execute(query)]


def page_outlines(connection: Connection, first: int, limit: int) -> list[tuple[int, int, int]]:
    """Of each page from a record on: where it begins, how many records it holds, and when it was recorded."""
    query = select(audit_pages.c.first, audit_pages.c.count, audit_pages.c.recorded_at_ms)
    rows = connection.execute(query.where(audit_pages.c.first >= first).order_by(audit_pages.c.first).limit(limit))
    return [(row[0], row[1], row[2]) for row in rows]


def page_hashes(connection: Connection, first: int, limit: int) -> list[tuple[int, bytes]]:
    """Where each page from a record on begins, and the hashes of its records, one after the other."""
    query = select(audit_pages.c.first, audit_pages.c.hashes).where(
        audit_pages.c.first > first - PAGE_RECORDS_MAX, audit_pages.c.first + audit_pages.c.count > first
    )
    found = connection.execute(query.order_by(audit_pages.c.first).limit(limit))
    return [(row[0], row[1]) if row[0] >= first else (first, row[1][(first - row[0]) * HASH_BYTES :]) for row in found]


def segments(connection: Connection) -> list[Segment]:
    """The files of older records, in order."""
    rows = connection.execute(select(audit_segments).order_by(audit_segments.c.first))
    return [Segment(**row._mapping) for row in rows]  # noqa: SLF001 (SQLAlchemy's public name for it)


def segment_holding(connection: Connection, number: int) -> Segment | None:
    """The file that holds a record."""
    query = select(audit_segments).where(audit_segments.c.first <= number, audit_segments.c.last >= number)
    row = connection.execute(query.order_by(audit_segments.c.first.desc()).limit(1)).one_or_none()
    return None if row is None else Segment(**row._mapping)  # noqa: SLF001


def checkpoints(connection: Connection, *, after_size: int = 0) -> list[StoredCheckpoint]:
    """Checkpoints over more than `after_size` records, in order."""
    query = select(audit_checkpoints).where(audit_checkpoints.c.size > after_size).order_by(audit_checkpoints.c.size)
    return [StoredCheckpoint(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001


def newest_checkpoint(connection: Connection) -> StoredCheckpoint | None:
    """The checkpoint over the most records."""
    row = connection.execute(select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(1)).one_or_none()
    return None if row is None else StoredCheckpoint(**row._mapping)  # noqa: SLF001


def tile(connection: Connection, level: int, number: int) -> bytes | None:
    """The hashes of a tile, one after the other."""
    query = select(audit_tiles.c.hashes).where(audit_tiles.c.level == level, audit_tiles.c.number == number)
    return connection.execute(query).scalar()


def holds(connection: Connection, *, released: bool = False) -> list[LegalHold]:
    """The legal holds in force, oldest first, with `released` also those that are over."""
    query = select(legal_holds).order_by(legal_holds.c.id)
    if not released:
        query = query.where(legal_holds.c.released_at_ms.is_(None))
    return [LegalHold(*row) for row in connection.execute(query)]
