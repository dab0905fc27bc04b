"""The audit log of a data folder as it lies on the disk, for reading: pages in the database, files beside it.

Works on a folder whether or not a server is running on it. Records move from pages to files meanwhile, so whoever
reads goes by their numbers and asks anew where the next one is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from chappe.model.errors import DataDamaged, ExtraMissing
from chappe.observe.audit.segments import StoredRecord, read_hashes, read_records
from chappe.records import audit
from chappe.records.audit import Segment
from chappe.records.audit_pages import GENESIS, HASH_BYTES, page_of
from chappe.records.database import open_for_reading
from chappe.records.failures import storage_error
from chappe.records.store import FILE_NAME

AUDIT_FOLDER = "audit"
SEGMENTS_FOLDER = "segments"
CHECKPOINTS_FILE = "checkpoints"
_PAGES_AT_ONCE = 64
_T = TypeVar("_T")


class AuditStorage:
    """Reads one data folder's audit log. Use from one thread; close it, or use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / AUDIT_FOLDER
        self._engine = open_for_reading(folder / FILE_NAME)

    def __enter__(self) -> AuditStorage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    def read(self, function: Callable[[Connection], _T]) -> _T:
        """The function's result on a fresh view of the database. Raises `StorageFailed`, `DataDamaged`."""
        try:
            with self._engine.connect() as connection:
                return function(connection)
        except DBAPIError as error:
            raise storage_error(error) from error

    def path_of(self, segment: Segment) -> Path:
        """The file of older records."""
        return self.folder / SEGMENTS_FOLDER / segment.file

    def size(self) -> int:
        """How many records there are."""
        return self.read(audit.size)

    def stretches(self, first: int = 0) -> Iterator[list[StoredRecord]]:
        """All records from a number on, in order, in pieces of bounded size.

        Ends where no further record can be found; whether that is the end of the log is the caller's to ask. Raises
        `DataDamaged` naming the record at which a page or a file cannot be read.
        """
        number = first
        while True:
            piece: list[StoredRecord] = []
            for piece in self._next_pieces(number):
                yield piece
                number = piece[-1].number + 1
            if not piece:
                return

    def hashes(self, first: int) -> Iterator[list[bytes]]:
        """The hashes of all records from a number on, in order. Raises `DataDamaged` as `stretches` does."""
        number = first
        while True:
            segment = self.read(partial(audit.segment_holding, number=number))
            if segment is not None:
                try:
                    for piece in read_hashes(self.path_of(segment), number):
                        yield piece
                        number += len(piece)
                except (OSError, ValueError) as error:
                    again = self.read(partial(audit.segment_holding, number=segment.first))
                    if again is None or again.file == segment.file:
                        raise DataDamaged(f"{segment.file} cannot be read: {error}", number=segment.first) from error
                continue
            pages = self.read(partial(audit.page_hashes, first=number, limit=_PAGES_AT_ONCE))
            if not pages:
                return
            for begin, content in pages:
                if begin > number:
                    if self.read(partial(audit.segment_holding, number=number)) is not None:
                        break  # sealed meanwhile
                    raise DataDamaged(f"Audit record {number} is missing; see `chappe audit verify`.", number=number)
                yield [content[start : start + HASH_BYTES] for start in range(0, len(content), HASH_BYTES)]
                number += len(content) // HASH_BYTES

    def hash_before(self, number: int) -> bytes | None:
        """The hash that a record must follow; None if the one before cannot be read."""
        if number == 0:
            return GENESIS
        try:
            return next(self.hashes(number - 1), [None])[0]
        except (DataDamaged, ExtraMissing):
            return None

    def _next_pieces(self, number: int) -> Iterator[list[StoredRecord]]:
        segment = self.read(partial(audit.segment_holding, number=number))
        if segment is not None:
            path = self.path_of(segment)
            try:
                yield from read_records(path, number)
            except (OSError, ValueError) as error:
                # Written anew and removed since it was looked up, or damaged.
                again = self.read(partial(audit.segment_holding, number=number))
                if again is not None and again.file != segment.file:
                    yield from self._next_pieces(number)
                    return
                raise DataDamaged(f"{path} cannot be read: {error}", number=segment.first) from error
            return
        for row in self.read(partial(audit.page_rows, first=number, limit=_PAGES_AT_ONCE)):
            if row.first > number:
                return
            try:
                page = page_of(row)
            except ValueError as error:
                raise DataDamaged(f"the page of record {row.first} {error}", number=max(row.first, number)) from error
            records = [
                StoredRecord(page.first + place, digest, page.recorded_at_ms, open_part, personal_part)
                for place, (digest, open_part, personal_part) in enumerate(
                    zip(page.hashes, page.open_parts, page.personal_parts, strict=True)
                )
            ]
            if records:
                yield records[number - page.first :]
                number = page.first + len(records)
