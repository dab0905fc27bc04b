"""Reading messages from a file, one at a time, and saying of each bad line what is wrong with it.

JSON Lines: one message as for `POST /v1/messages` on each line. CSV (RFC 4180, with a header line): the columns
`email`, `phone`, `url` or `user` for the recipient, `channel`, `from`, `subject`, `text`, `html`, `data` (JSON),
`purpose`, `category`, `template`, `event`, `language`, `send_at`, `expires_at`, `idempotency_key`, and
`metadata.NAME`; empty cells are left out.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, BinaryIO

import msgspec

from chappe.model.errors import InvalidInput

MAX_LINE_BYTES = 2 * 1024 * 1024
_RECIPIENT = ("email", "phone", "url", "user")
_CONTENT = ("subject", "text", "html", "data")
_PLAIN = (
    "channel", "from", "purpose", "category", "template", "event", "language",
    "send_at", "expires_at", "idempotency_key",
)  # fmt: skip
_METADATA = "metadata."


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


class Entry(msgspec.Struct, frozen=True):
    """A message and the line of the file on which it begins. `size_bytes` is about what it takes to send it."""

    line: int
    document: dict[str, Any]
    size_bytes: int


class Malformed(msgspec.Struct, frozen=True):
    """A line that is no message."""

    line: int
    reason: str


def read_entries(stream: BinaryIO, form: Format) -> Iterator[Entry | Malformed]:
    """The entries of a file in order. Raises `InvalidInput` if a CSV file's header cannot be used."""
    return _json_lines(stream) if form is Format.JSONL else _csv_rows(stream)


def _json_lines(stream: BinaryIO) -> Iterator[Entry | Malformed]:
    for number, line in _bounded_lines(stream):
        if line is None:
            yield Malformed(number, f"the line is longer than {MAX_LINE_BYTES} bytes")
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield _json_entry(number, line)


def _json_entry(number: int, line: bytes) -> Entry | Malformed:
    try:
        document = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Malformed(number, f"is not JSON: {str(error).removeprefix('JSON is malformed: ')}")
    if not isinstance(document, dict):
        return Malformed(number, "is not a JSON object")
    return Entry(number, document, len(line))


def _bounded_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None for one that is too long, which is skipped to its end."""
    for number in itertools.count(1):
        line = stream.readline(MAX_LINE_BYTES)
        if not line:
            return
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES)
        yield number, None


def _csv_rows(stream: BinaryIO) -> Iterator[Entry | Malformed]:
    csv.field_size_limit(MAX_LINE_BYTES)
    rows = csv.reader(_csv_text(stream), strict=True)
    header = _checked_header(rows)
    while True:
        begins = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Malformed(begins, f"is not CSV: {error}")
            continue
        if row:
            yield _csv_entry(begins, header, row)


def _csv_text(stream: BinaryIO) -> Iterator[str]:
    for number, line in _bounded_lines(stream):
        if number == 1 and line is not None:
            line = line.removeprefix(b"\xef\xbb\xbf")
        # What is not UTF-8 becomes surrogates, and so does a line too long, so that only its own row is refused.
        yield (line if line is not None else b"\xff\n").decode("utf-8", "surrogateescape")


def _checked_header(rows: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() for name in next(rows)]
    except StopIteration:
        raise InvalidInput("the CSV file is empty; it needs a header line", line=1) from None
    except csv.Error as error:
        raise InvalidInput(f"line 1: is not CSV: {error}", line=1) from error
    known = {*_RECIPIENT, *_CONTENT, *_PLAIN}
    for name in header:
        if name not in known and not (name.startswith(_METADATA) and len(name) > len(_METADATA)):
            raise InvalidInput(
                f"line 1: there is no column {name!r}; there are {', '.join(sorted(known))} and metadata.NAME",
                line=1,
                column=name,
            )
    if len(set(header)) != len(header):
        raise InvalidInput("line 1: a column appears twice", line=1)
    return header


def _csv_entry(line: int, header: list[str], row: list[str]) -> Entry | Malformed:
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return Malformed(line, f"is not UTF-8, or longer than {MAX_LINE_BYTES} bytes")
    if len(row) != len(header):
        return Malformed(line, f"has {len(row)} cells where the header has {len(header)}")
    cells = {name: cell for name, cell in zip(header, row, strict=True) if cell}
    document: dict[str, Any] = {name: cells[name] for name in _PLAIN if name in cells}
    document["to"] = {name: cells[name] for name in _RECIPIENT if name in cells}
    document["content"] = {name: cells[name] for name in _CONTENT if name in cells}
    if "data" in cells:
        try:
            document["content"]["data"] = msgspec.json.decode(cells["data"])
        except (msgspec.DecodeError, RecursionError) as error:
            return Malformed(line, f"the column data is not JSON: {error}")
    metadata = {n.removeprefix(_METADATA): cell for n, cell in cells.items() if n.startswith(_METADATA)}
    if metadata:
        document["metadata"] = metadata
    return Entry(line, document, sum(map(len, row)) + 200)
