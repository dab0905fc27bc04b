"""Retention: decisions that have been kept long enough are taken out of the files, and leave their hashes.

How long is a matter of the jurisdiction the decision was made under. A legal hold keeps what it covers while it is in
force. Records of erasures, holds and of this very thing are never dropped. What is dropped is written down in the
log in the same transaction, so that `chappe audit verify` can tell it from what somebody made away with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import structlog

from chappe.model.jurisdictions import lineage
from chappe.observe.audit.record import DecisionRecord, RetentionRecord, decode_open
from chappe.observe.audit.recording import open_entry
from chappe.observe.audit.sealing import Outline, file_name
from chappe.observe.audit.segments import StoredRecord, read_records, write_records
from chappe.observe.audit.storage import AuditStorage
from chappe.records import audit
from chappe.records.audit import AuditRecords, LegalHold, Segment

DAY_MS = 86_400_000
_log = structlog.get_logger("chappe.audit")


class RetentionPolicy(msgspec.Struct, frozen=True):
    """How many days decisions are kept: `days`, or what `by_jurisdiction` says for the nearest jurisdiction that it
    names: for "US-CA" its own or that of "US", for "DE" its own or that of "EU".
    """

    days: int
    by_jurisdiction: Mapping[str, int] = {}

    def days_for(self, jurisdiction: str | None) -> int:
        """For decisions under this jurisdiction."""
        named = (self.by_jurisdiction[place] for place in lineage(jurisdiction) if place in self.by_jurisdiction)
        return next(named, self.days)

    @property
    def shortest_ms(self) -> int:
        """Nothing is dropped earlier than this."""
        return min(self.days, *self.by_jurisdiction.values(), self.days) * DAY_MS


def is_held(jurisdiction: str | None, holds: Iterable[LegalHold]) -> bool:
    """Whether one of the holds covers decisions under this jurisdiction: its own, or one that it is part of."""
    places = lineage(jurisdiction)
    return any(hold.jurisdiction in places for hold in holds)


async def drop_expired(records: AuditRecords, folder: Path, policy: RetentionPolicy, now_ms: int) -> int:
    """Drop what has come to the end of its retention from the files of a data folder; how many records.

    A crash leaves each file either as it was or without what was due. Raises `DataDamaged`, `StorageFailed`,
    `StorageFull`.
    """
    holds = await records.read(audit.holds)
    dropped = 0
    for segment in await records.read(audit.segments):
        if segment.oldest_ms + policy.shortest_ms > now_ms:
            continue
        rewritten = await asyncio.to_thread(_rewrite, folder, segment, _due(policy, holds, now_ms), now_ms)
        if rewritten is not None:
            new, account = rewritten
            await records.replace(new, open_entry(account, now_ms))
            dropped += new.dropped - segment.dropped
            _log.info("audit_records_dropped", file=new.file, records=new.dropped - segment.dropped)
    return dropped


def _due(policy: RetentionPolicy, holds: Sequence[LegalHold], now_ms: int) -> Callable[[StoredRecord], bool]:
    def due(record: StoredRecord) -> bool:
        if record.open_part is None:
            return False
        said = decode_open(record.open_part)
        return (
            isinstance(said, DecisionRecord)
            and said.at_ms + policy.days_for(said.jurisdiction) * DAY_MS <= now_ms
            and not is_held(said.jurisdiction, holds)
        )

    return due


def _rewrite(
    folder: Path, segment: Segment, due: Callable[[StoredRecord], bool], now_ms: int
) -> tuple[Segment, RetentionRecord] | None:
    """The file without what is due, and the record of that; None if nothing is."""
    with AuditStorage(folder) as storage:
        path = storage.path_of(segment)
        if not any(due(record) for piece in read_records(path) for record in piece):
            return None
        name = file_name(segment.day, segment.first, segment.last, segment.generation + 1)
        outline, gone = Outline(), _Gone()
        pieces = outline.watch(gone.watch(_without(read_records(path), due)))
        write_records(path.parent.parent / name, pieces)
    new = outline.segment(segment.first, segment.last, segment.day, segment.generation + 1, name, gone.count)
    account = RetentionRecord(
        at_ms=now_ms, first=segment.first, last=segment.last, dropped=gone.count, digest=gone.digest.hexdigest()
    )
    return new, account


def _without(pieces: Iterator[list[StoredRecord]], due: Callable[[StoredRecord], bool]) -> Iterator[list[StoredRecord]]:
    for piece in pieces:
        yield [
            msgspec.structs.replace(record, open_part=None, personal_part=None) if due(record) else record
            for record in piece
        ]


class _Gone:
    """Counts what is gone, and makes the digest that goes on record."""

    def __init__(self) -> None:
        self.count = 0
        self.digest = sha256()

    def watch(self, pieces: Iterator[list[StoredRecord]]) -> Iterator[Sequence[StoredRecord]]:
        for piece in pieces:
            for record in piece:
                if record.open_part is None:
                    self.count += 1
                    self.digest.update(record.number.to_bytes(8, "big"))
            yield piece
