"""Reading a list: CSV (RFC 4180), plain or gzip, line by line, with each bad line told by its number.

A reason never repeats what stands in the line: it may be somebody's number.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from chappe.model.errors import InvalidInput

LINE_BYTES_MAX = 65_536
TEXT_BYTES_MAX = 64 << 30
"""Of an unpacked list: a small gzip file can unpack to any length."""
BAD_LINES_TOLD = 100
_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOO_LONG = "\udcff\udcff"
"""Stands for a line that is too long; no text that was read contains it, for encodings other than UTF-8 are strict."""


class BadLine(msgspec.Struct, frozen=True):
    """A line that could not be used, and why."""

    line: int
    reason: str


class BadLines:
    """Counts bad lines and keeps the first `BAD_LINES_TOLD`. More than `allowed` are too many."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.count = 0
        self.told: list[BadLine] = []

    def add(self, line: int, reason: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.told) < BAD_LINES_TOLD:
            self.told.append(BadLine(line, reason))

    @property
    def too_many(self) -> bool:
        return self.count > self.allowed

    @property
    def hopeless(self) -> bool:
        """Whether the list is refused whatever follows, and enough was told of it."""
        return self.too_many and self.count >= BAD_LINES_TOLD


class Rows:
    """The rows of a list, and how far its file was read.

    `delimiter` separates the cells; `header` tells whether the first row names the columns. Raises `InvalidInput` for a
    list without the header it should have, and for a file that is not what it seems.
    """

    def __init__(
        self, path: Path, bad: BadLines, *, delimiter: str = ",", header: bool, encoding: str = "utf-8"
    ) -> None:
        self._file: BinaryIO = path.open("rb")
        self.file_bytes = path.stat().st_size
        self._text = _unpacked(self._file)
        self._bad = bad
        self._encoding = encoding
        csv.field_size_limit(LINE_BYTES_MAX)
        self._rows = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        try:
            self.columns: tuple[str, ...] = tuple(self._header()) if header else ()
        except BaseException:
            self.close()
            raise

    @property
    def read_bytes(self) -> int:
        """Bytes of the file read so far."""
        return self._file.tell()

    @property
    def lines(self) -> int:
        """Lines read so far, the header included."""
        return self._rows.line_num

    def close(self) -> None:
        self._text.close()
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not empty, with the line it begins on."""
        rows = self._rows
        while True:
            begins = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                self._bad.add(begins, f"is not CSV: {error}")
                continue
            if not row:
                continue
            if _has_surrogates(row):
                self._bad.add(begins, f"is not {self._encoding}, or longer than {LINE_BYTES_MAX} bytes")
                continue
            yield begins, row

    def _header(self) -> list[str]:
        try:
            names = [name.strip().lower() for name in next(self._rows)]
        except StopIteration:
            raise InvalidInput("The list is empty: it has not even a header line.", line=1) from None
        except csv.Error as error:
            raise InvalidInput(f"Line 1 is not CSV: {error}.", line=1) from None
        if len(set(names)) != len(names):
            raise InvalidInput("Line 1 names a column twice.", line=1)
        return names

    def _lines(self) -> Iterator[str]:
        encoding, total_bytes = self._encoding, 0
        readline = self._text.readline
        first = True
        while line := self._checked(readline):
            total_bytes += len(line)
            if total_bytes > TEXT_BYTES_MAX:
                raise InvalidInput(f"The list unpacks to more than {TEXT_BYTES_MAX} bytes.")
            if first:
                first, line = False, line.removeprefix(_BYTE_ORDER_MARK)
            if len(line) >= LINE_BYTES_MAX and not line.endswith(b"\n"):
                while line and not line.endswith(b"\n"):
                    line = self._checked(readline)
                yield _TOO_LONG
                continue
            yield line.decode(encoding, "surrogateescape")

    @staticmethod
    def _checked(readline: Callable[[int], bytes]) -> bytes:
        try:
            return readline(LINE_BYTES_MAX)
        except (EOFError, OSError, zlib.error) as error:
            raise InvalidInput(f"The list cannot be unpacked: {error}.") from None


def _unpacked(file: BinaryIO) -> BinaryIO | gzip.GzipFile:
    magic = file.read(len(_GZIP_MAGIC))
    file.seek(0)
    return gzip.GzipFile(fileobj=file, mode="rb") if magic == _GZIP_MAGIC else file


def _has_surrogates(row: list[str]) -> bool:
    joined = "".join(row)
    if joined.isascii():
        return False
    try:
        joined.encode()
    except UnicodeEncodeError:
        return True
    return False
