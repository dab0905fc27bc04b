"""From a list to the file of a version, in a process of its own: `python -m chappe.records.registries.building`.

The process reads one `Order` (JSON) from standard input and writes lines of JSON to standard output: `Progress` now and
then, and at the end `Built` or `Refused`. It gives way to others (nice), so that a server beside it stays quick.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from functools import partial
from pathlib import Path

import msgspec

from chappe.model.errors import ChappeError, InvalidInput
from chappe.records.registries.columns import Columns, RecordReader
from chappe.records.registries.layout import OPERATION_ADD, OPERATION_REMOVE, SHAPES, TAIL, Form
from chappe.records.registries.numbers import country_code
from chappe.records.registries.reporting import Built, Progress, Refused, Report, work
from chappe.records.registries.sorted_set import SortedSet
from chappe.records.registries.sorting import Run, Sorter, merged
from chappe.records.registries.source import BadLines, Rows
from chappe.records.registries.uniting import Delta, united, without_repeats
from chappe.records.registries.writing import SetWriter

_HASH_KEY_BYTES = 16
_LINES_BETWEEN_LOOKS = 4_096


class Mode(StrEnum):
    """What a list is."""

    FULL = "full"
    """Everything: what is not in it is no longer listed."""
    DELTA = "delta"
    """What to remove, and what to add, in this order, to and from the version in use."""


class Operation(StrEnum):
    """What to do with the entries of a delta that don't say it themselves."""

    ADD = "add"
    REMOVE = "remove"


class Encoding(StrEnum):
    """The encodings that lists come in."""

    UTF_8 = "utf-8"
    LATIN_1 = "iso-8859-1"
    WINDOWS_1252 = "windows-1252"


class ListLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a list is written down."""

    columns: Columns = Columns()
    header: bool = True
    delimiter: str = ","
    encoding: Encoding = Encoding.UTF_8


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to build: the list at `source` to a file at `target`, changing the file `base` if it is a delta.

    With `latest` the latest date of several for one entry counts, otherwise the earliest. Up to `allowed_bad` bad lines
    are passed over.
    """

    source: str
    target: str
    form: Form
    mode: Mode
    layout: ListLayout = ListLayout()
    operation: Operation = Operation.ADD
    base: str | None = None
    latest: bool = False
    allowed_bad: int = 0


def build(order: Order, report: Report) -> Built | Refused:
    """Carry out an order. A list that cannot be used is `Refused`; raises `OSError` if the disk fails."""
    bad = BadLines(order.allowed_bad)
    target = Path(order.target)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{target.name}.", suffix=".work", dir=target.parent) as folder:
            return _Build(order, bad, Path(folder), report).run()
    except ChappeError as error:
        return Refused(error.code, error.message, bad.count, tuple(bad.told))


class _Build:
    """One order being carried out in a work folder."""

    def __init__(self, order: Order, bad: BadLines, folder: Path, report: Report) -> None:
        self._order = order
        self._bad = bad
        self._folder = folder
        self._report = report
        self._shape = SHAPES[order.form]
        self._base = SortedSet(Path(order.base)) if order.base and order.mode is Mode.DELTA else None
        self._hash_key = b""
        if SHAPES[order.form].has_checks:
            self._hash_key = self._base.hash_key if self._base else secrets.token_bytes(_HASH_KEY_BYTES)
        self._has_tail = order.mode is Mode.DELTA or not order.layout.columns.plain

    def run(self) -> Built | Refused:
        layout = self._order.layout
        rows = Rows(
            Path(self._order.source),
            self._bad,
            delimiter=layout.delimiter,
            header=layout.header,
            encoding=layout.encoding,
        )
        try:
            reader = RecordReader(layout.columns, rows.columns, self._order.form, self._hash_key, tail=self._has_tail)
            if self._base is not None:
                self._check_digest(self._base)
                reader.known_categories(self._base.header.categories)
            runs: list[Run] = list(self._sorted(rows, reader))
            lines = rows.lines - layout.header
        finally:
            rows.close()
        if self._bad.too_many:
            return Refused("bad_lines", self._too_many(), self._bad.count, tuple(self._bad.told))
        return self._written(runs, list(reader.categories), lines)

    def _sorted(self, rows: Rows, reader: RecordReader) -> Iterator[Run]:
        tail_bytes = TAIL.size if self._has_tail else 0
        tidy = partial(united, latest=self._order.latest) if self._has_tail else without_repeats
        sorter = Sorter(self._folder, self._shape.key_bytes, self._shape.key_bytes + tail_bytes, tidy)
        operation = OPERATION_REMOVE if self._order.operation is Operation.REMOVE else OPERATION_ADD
        record, add = reader.record, sorter.add
        for number, (line, row) in enumerate(rows):
            try:
                add(record(row, operation))
            except ValueError as error:
                self._bad.add(line, str(error))
            if number % _LINES_BETWEEN_LOOKS == 0:
                self._report(Progress("reading", rows.read_bytes, rows.file_bytes))
                if self._bad.hopeless:
                    break
        yield from sorter.runs()

    def _written(self, runs: list[Run], categories: list[str], lines: int) -> Built:
        if self._base is not None and len(self._base):
            runs.append(self._base)
        delta = Delta(self._shape.key_bytes, latest=self._order.latest)
        total, done = sum(map(len, runs)), 0
        columns = self._order.layout.columns
        code = country_code(columns.region) or (self._base.header.country_code if self._base else "")
        with closing(SetWriter(self._folder, self._order.form, self._hash_key, columns.digest, code)) as writer:
            for records in merged(runs):
                done += len(records)
                writer.write(self._remaining(records, delta))
                self._report(Progress("writing", done, total))
            written = writer.finish(Path(self._order.target), categories)
        counts = delta.counts
        full = self._order.mode is Mode.FULL
        return Built(
            listings=written.listings,
            file_bytes=written.file_bytes,
            file_sha256=written.file_sha256,
            lines=lines,
            bad_lines=self._bad.count,
            bad=tuple(self._bad.told),
            added=written.listings if full else counts.added,
            removed=counts.removed,
            absent=counts.absent,
        )

    def _remaining(self, records: list[bytes], delta: Delta) -> list[bytes]:
        if self._order.mode is Mode.DELTA:
            return delta.applied(records)
        return united(records, latest=self._order.latest) if self._has_tail else without_repeats(records)

    def _check_digest(self, base: SortedSet) -> None:
        """What is hidden by different digests, or not at all, cannot stand in one file."""
        digest = self._order.layout.columns.digest
        if digest is base.header.digest:
            return
        of_base = base.header.digest.value if base.header.digest else "no"
        raise InvalidInput(
            f"The version in use has {of_base} digest, so a delta must have the same; import all of the list instead.",
            digest="" if digest is None else digest.value,
        )

    def _too_many(self) -> str:
        count, allowed = self._bad.count, self._bad.allowed
        return f"{count} bad {'line' if count == 1 else 'lines'}, and {allowed} allowed; nothing was changed."


def main() -> None:
    """Carry out the order on standard input."""
    work(Order, build)


if __name__ == "__main__":
    main()
