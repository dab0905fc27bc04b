"""Sealing: older records move from the pages of the database into files.

In three steps, each safe to be cut off after:
  1. the file is written beside its place, flushed, renamed into it, and its folder flushed;
  2. in one transaction the file is entered in the database and the pages whose records it holds are deleted;
  3. files that are entered nowhere (left by a crash between 1 and 2, or replaced since) are removed, at the next start
     and some time after, so that whoever is reading one can finish.
A record is thus in exactly one place that counts, at any moment.

A file holds records of one day, by the moment of their commit, and no more than `SEGMENT_RECORDS`. The newest page
stays, for the chain goes on from it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import structlog

from chappe.model.errors import ChappeError, Closed, DataDamaged
from chappe.observe.audit.record import DecisionRecord, decode_open
from chappe.observe.audit.segments import EXTRA_MISSING, StoredRecord, day_of, pyarrow_installed, write_records
from chappe.observe.audit.storage import SEGMENTS_FOLDER, AuditStorage
from chappe.records import audit, ids
from chappe.records.audit import AuditRecords, Segment
from chappe.records.audit_pages import digest_of, link

SEGMENT_RECORDS = 131_072
INTERVAL_SECONDS = 15.0
_OUTLINES_AT_ONCE = 2_000
_REPLACED_KEPT_SECONDS = 600.0
_BREATH_SECONDS = 0.002
"""Between two pieces: the thread that packs them shares the interpreter with whoever answers requests."""
_log = structlog.get_logger("chappe.audit")


class Sealer:
    """Seals the log of one server. `folder` is its data folder.

    Records are sealed once their day is over, in UTC, or when more than `segment_records` of them have come together.
    """

    def __init__(
        self,
        records: AuditRecords,
        folder: Path,
        now_ms: Callable[[], int],
        segment_records: int = SEGMENT_RECORDS,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._records = records
        self._folder = folder
        self._now_ms = now_ms
        self._segment_records = segment_records
        self._interval_seconds = interval_seconds

    async def run(self) -> None:
        """Remove what a crash left, and seal, until cancelled. Does nothing without the extra `chappe[audit]`."""
        if not pyarrow_installed():  # importing it takes a tenth of a second, and sealing has time
            _log.warning("audit_log_not_sealed", reason=EXTRA_MISSING)
            return
        sweep_at = 0.0
        while True:
            try:
                if time.monotonic() >= sweep_at:
                    await asyncio.to_thread(sweep, self._folder, _REPLACED_KEPT_SECONDS if sweep_at else 0.0)
                    sweep_at = time.monotonic() + _REPLACED_KEPT_SECONDS
                while await self.seal_next():
                    pass
            except Closed:
                return
            except (ChappeError, OSError) as error:
                _log.error("audit_log_not_sealed", reason=str(error))
            await asyncio.sleep(self._interval_seconds)

    async def seal_next(self) -> Segment | None:
        """Seal the oldest stretch that is ready; None if there is none. Raises `DataDamaged` if its chain is broken."""
        stretch = await self._next_stretch()
        if stretch is None:
            return None
        segment = await asyncio.to_thread(write_segment, self._folder, *stretch)
        await self._records.seal(segment)
        _log.info("audit_segment_sealed", file=segment.file, records=segment.last - segment.first + 1)
        return segment

    async def _next_stretch(self) -> tuple[int, int, str] | None:
        """First and last record of the oldest stretch that is ready to be sealed, and its day."""
        start = await self._records.read(audit.first_in_pages)
        if start is None:
            return None
        first, count, day = start, 0, ""
        while True:
            outlines = await self._records.read(
                partial(audit.page_outlines, first=first + count, limit=_OUTLINES_AT_ONCE)
            )
            # The newest page of all stays.
            ready = outlines if len(outlines) == _OUTLINES_AT_ONCE else outlines[:-1]
            for _, page_count, recorded_at_ms in ready:
                page_day = day_of(recorded_at_ms)
                if count and (page_day != day or count + page_count > self._segment_records):
                    return first, first + count - 1, day
                day, count = page_day, count + page_count
            if ready is not outlines:
                break
        day_is_over = bool(count) and day < day_of(self._now_ms())
        full = count >= self._segment_records
        return (first, first + count - 1, day) if day_is_over or full else None


def write_segment(folder: Path, first: int, last: int, day: str) -> Segment:
    """Write records `first` to `last` to a file. Raises `DataDamaged` where they do not follow from each other."""
    name = file_name(day, first, last, 0)
    with AuditStorage(folder) as storage:
        outline = Outline()
        pieces = outline.watch(_checked(_stretch(storage, first, last), first, storage.hash_before(first)))
        write_records(storage.folder / SEGMENTS_FOLDER / name, pieces)
    return outline.segment(first, last, day, 0, name, 0)


def file_name(day: str, first: int, last: int, generation: int) -> str:
    """Where a file goes, relative to the folder of segments."""
    return f"day={day}/{first:012}-{last:012}.{generation}.parquet"


def sweep(folder: Path, kept_seconds: float) -> None:
    """Remove files that are entered nowhere, once they have not been changed for some time."""
    with AuditStorage(folder) as storage:
        place = storage.folder / SEGMENTS_FOLDER
        # Listed before the database is asked: what is entered meanwhile is not taken for a stray.
        found = [path for path in place.glob("day=*/*") if time.time() - path.stat().st_mtime >= kept_seconds]
        entered = {storage.path_of(segment) for segment in storage.read(audit.segments)}
    for path in found:
        if path not in entered:
            path.unlink(missing_ok=True)


class Outline:
    """What the database remembers of a file: between which moments and messages its records lie."""

    def __init__(self) -> None:
        self.oldest_message, self.newest_message = ids.LARGEST, 0
        self.oldest_ms, self.newest_ms = ids.LARGEST, 0

    def watch(self, pieces: Iterator[Sequence[StoredRecord]]) -> Iterator[Sequence[StoredRecord]]:
        for piece in pieces:
            for record in piece:
                self._note(record)
            yield piece
            time.sleep(_BREATH_SECONDS)

    def segment(self, first: int, last: int, day: str, generation: int, file: str, dropped: int) -> Segment:
        """The entry of a file whose records went by."""
        return Segment(
            first=first,
            last=last,
            day=day,
            generation=generation,
            file=file,
            dropped=dropped,
            oldest_message=self.oldest_message,
            newest_message=self.newest_message,
            oldest_ms=self.oldest_ms,
            newest_ms=self.newest_ms,
        )

    def _note(self, record: StoredRecord) -> None:
        if record.open_part is None:
            return
        said = decode_open(record.open_part)
        self.oldest_ms, self.newest_ms = min(self.oldest_ms, said.at_ms), max(self.newest_ms, said.at_ms)
        if isinstance(said, DecisionRecord):
            key = ids.parse_key(ids.MESSAGE, said.message) or 0
            self.oldest_message, self.newest_message = min(self.oldest_message, key), max(self.newest_message, key)


def _stretch(storage: AuditStorage, first: int, last: int) -> Iterator[list[StoredRecord]]:
    for piece in storage.stretches(first):
        wanted = [record for record in piece if record.number <= last]
        if wanted:
            yield wanted
        if len(wanted) < len(piece) or wanted[-1].number == last:
            return


def _checked(pieces: Iterator[list[StoredRecord]], first: int, previous: bytes | None) -> Iterator[list[StoredRecord]]:
    """The same records, known to follow from each other: a changed one is not to be sealed as if it were sound."""
    number = first
    for piece in pieces:
        for record in piece:
            sound = record.number == number and record.open_part is not None and record.personal_part is not None
            if sound and previous is not None:
                digest = digest_of(record.open_part or b"", record.personal_part or b"")
                sound = link(previous, digest) == record.hash
            if not sound:
                raise DataDamaged(
                    f"audit record {number} is not what its hash says; `chappe audit verify` tells more", number=number
                )
            previous, number = record.hash, number + 1
        yield piece
