"""From the lines of a list to a file of batches of records, for the process that checks a list."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from chappe.model.errors import ChappeError
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.profiles import PersonLine
from chappe.records.registries.building import ListLayout
from chappe.records.registries.reporting import Checked, Progress, Refused, Report
from chappe.records.registries.source import BadLines, Rows

BATCH_RECORDS = 200
"""Records committed at once: less than the records take into one transaction, so that others get their turn."""
_LENGTH = struct.Struct("<I")
_LINES_BETWEEN_LOOKS = 4_096
_encode = msgspec.msgpack.encode

Record = ConsentRecord | SuppressionRecord | PersonLine
RecordOf = Callable[[dict[str, str]], Record]
"""From the cells of a line that are not empty, by column, to a record whose key is still 0.

Raises `ValueError` or `InvalidInput`, saying what is wrong without repeating an address.
"""


class CheckOrder(msgspec.Struct, frozen=True):
    """What to check: the list at `source`, to a file at `target`. `defaults` are for cells that are left empty."""

    source: str
    target: str
    layout: ListLayout
    allowed_bad: int
    now_ms: int
    defaults: dict[str, str]


def check(order: CheckOrder, report: Report, columns: Sequence[str], record_of: RecordOf) -> Checked | Refused:
    """Read a list of these columns. Raises `OSError` if the disk fails."""
    bad = BadLines(order.allowed_bad)
    try:
        layout = order.layout
        rows = Rows(Path(order.source), bad, delimiter=layout.delimiter, header=True, encoding=layout.encoding.value)
        try:
            for name in rows.columns:
                if name not in columns:
                    known = ", ".join(columns)
                    return Refused("invalid_input", f"There is no column {name!r}; there are: {known}.")
            return _written(order, rows, bad, report, record_of)
        finally:
            rows.close()
    except ChappeError as error:
        return Refused(error.code, error.message, bad.count, tuple(bad.told))


def batches(file: BinaryIO) -> Iterator[bytes]:
    """The batches of a file that was written here, still packed."""
    while head := file.read(_LENGTH.size):
        yield file.read(_LENGTH.unpack(head)[0])


def _written(order: CheckOrder, rows: Rows, bad: BadLines, report: Report, record_of: RecordOf) -> Checked | Refused:
    part = Path(order.target + ".part")
    count = 0
    batch: list[Record] = []
    with part.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        for number, (line, row) in enumerate(rows):
            try:
                batch.append(record_of(_cells(rows.columns, row, order.defaults)))
            except (ValueError, ChappeError) as error:
                bad.add(line, str(error))
            if len(batch) == BATCH_RECORDS:
                count += _write_batch(file, batch)
            if number % _LINES_BETWEEN_LOOKS == 0:
                report(Progress("checking", rows.read_bytes, rows.file_bytes))
                if bad.hopeless:
                    break
        if batch:
            count += _write_batch(file, batch)
        file.flush()
        os.fsync(file.fileno())
    if bad.too_many:
        part.unlink()
        lines = "line" if bad.count == 1 else "lines"
        reason = f"{bad.count} bad {lines}, and {bad.allowed} allowed; nothing was changed."
        return Refused("bad_lines", reason, bad.count, tuple(bad.told))
    part.replace(order.target)
    return Checked(rows.lines - 1, count, bad.count, tuple(bad.told))


def _write_batch(file: BinaryIO, batch: list[Record]) -> int:
    packed = _encode(batch)
    file.write(_LENGTH.pack(len(packed)) + packed)
    count = len(batch)
    batch.clear()
    return count


def _cells(columns: Sequence[str], row: Sequence[str], defaults: dict[str, str]) -> dict[str, str]:
    if len(row) != len(columns):
        raise ValueError(f"has {len(row)} cells where the header has {len(columns)}")
    return defaults | {name: cell.strip() for name, cell in zip(columns, row, strict=True) if cell.strip()}
