"""Writing a version's file from sorted records, a part at a time."""

from __future__ import annotations

import os
import shutil
import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec

from chappe.records.registries.layout import (
    ALIGNMENT_BYTES,
    FOREVER_SECONDS,
    LISTINGS_MAX,
    MAGIC,
    PREAMBLE,
    SHAPES,
    Column,
    Digest,
    Form,
    Header,
    cut_number,
)

_COPY_BYTES = 1 << 20


class Written(msgspec.Struct, frozen=True):
    """A file that is on stable storage under its final name."""

    listings: int
    file_bytes: int
    file_sha256: str


class SetWriter:
    """Collects columns in files of a folder and puts them together at the end.

    Records come sorted and without repeats, each of them a key alone or a key and a tail (`layout.TAIL`).
    """

    def __init__(
        self, folder: Path, form: Form, hash_key: bytes, digest: Digest | None = None, country_code: str = ""
    ) -> None:
        self._form = form
        self._digest = digest
        self._country_code = country_code
        self._shape = SHAPES[form]
        self._hash_key = hash_key
        self._prefixes = _ColumnFile(folder, "prefixes", "Q")
        self._starts = _ColumnFile(folder, "starts", "I")
        self._suffixes = _ColumnFile(folder, "suffixes", self._shape.suffix_typecode)
        self._checks = _ColumnFile(folder, "checks", "Q")
        self._attributes = [_ColumnFile(folder, "categories", "H"), _ColumnFile(folder, "since", "I")]
        self._until = _ColumnFile(folder, "until", "I")
        self._last_prefix: int | None = None

    def close(self) -> None:
        """Give up the files of the columns."""
        for column in (self._prefixes, self._starts, self._suffixes, self._checks, *self._attributes, self._until):
            column.close()

    @property
    def listings(self) -> int:
        """Entries so far."""
        return self._suffixes.count

    def write(self, records: Sequence[bytes]) -> None:
        """Take more records. Raises `OverflowError` for more than a file can hold."""
        if not records:
            return
        if self.listings + len(records) > LISTINGS_MAX:
            raise OverflowError(f"a registry has at most {LISTINGS_MAX} entries")
        joined = b"".join(records)
        if len(records[0]) == self._shape.key_bytes:
            parts = list(zip(*struct.iter_unpack(f">{self._shape.packed}", joined), strict=True))
        else:
            parts = list(zip(*struct.iter_unpack(f">{self._shape.packed}BHII", joined), strict=True))
            *parts, _operations, categories, since, until = parts
            for column, values in zip(self._attributes, (categories, since), strict=True):
                column.write(values)
            self._until.write([0 if end == FOREVER_SECONDS else end for end in until])
        if self._shape.has_checks:
            prefixes, suffixes, checks = parts
            self._checks.write(checks)
            self._write_keys(prefixes, suffixes)
        else:
            cut = [cut_number(number) for number in parts[0]]
            self._write_keys([prefix for prefix, _ in cut], [suffix for _, suffix in cut])

    def finish(self, path: Path, categories: Sequence[str]) -> Written:
        """Write the file, have the disk keep it, and give it its name. Raises `OSError`."""
        self._starts.write([self.listings])
        columns = [self._prefixes, self._starts, self._suffixes]
        columns += [self._checks] * self._shape.has_checks
        columns += [column for column in (*self._attributes, self._until) if column.any]
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            digest = _assembled(file, self._header(columns, categories), columns)
            file.flush()
            os.fsync(file.fileno())
            size_bytes = file.tell()
        part.replace(path)
        _sync_folder(path.parent)
        return Written(self.listings, size_bytes, digest)

    def _write_keys(self, prefixes: Sequence[int], suffixes: Sequence[int]) -> None:
        at, before = 0, self.listings
        new_prefixes, new_starts = [], []
        while at < len(prefixes):
            prefix = prefixes[at]
            if prefix != self._last_prefix:
                new_prefixes.append(prefix)
                new_starts.append(before + at)
                self._last_prefix = prefix
            at = bisect_right(prefixes, prefix, lo=at)
        self._prefixes.write(new_prefixes)
        self._starts.write(new_starts)
        self._suffixes.write(suffixes)

    def _header(self, columns: Sequence[_ColumnFile], categories: Sequence[str]) -> Header:
        offset_bytes, placed = 0, []
        for column in columns:
            placed.append(Column(column.name, column.typecode, offset_bytes, column.count))
            offset_bytes += _aligned(column.size_bytes)
        return Header(
            self._form,
            self.listings,
            tuple(categories),
            self._hash_key.hex(),
            tuple(placed),
            self._digest,
            self._country_code,
        )


class _ColumnFile:
    """One column as it grows. `any` tells whether a value other than 0 came."""

    def __init__(self, folder: Path, name: str, typecode: str) -> None:
        self.name = name
        self.typecode = typecode
        self.count = 0
        self.any = False
        self._path = folder / f"column-{name}"
        self._file = self._path.open("w+b")

    @property
    def size_bytes(self) -> int:
        return self.count * array(self.typecode).itemsize

    def write(self, values: Sequence[int]) -> None:
        packed = array(self.typecode, values)
        if sys.byteorder != "little":
            packed.byteswap()
        packed.tofile(self._file)
        self.count += len(packed)
        self.any = self.any or any(values)

    def copy_to(self, digested: _Digested) -> None:
        self._file.seek(0)
        shutil.copyfileobj(self._file, digested, _COPY_BYTES)
        digested.write(b"\0" * (_aligned(self.size_bytes) - self.size_bytes))

    def close(self) -> None:
        self._file.close()


class _Digested:
    """A file whose digest is taken as it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)


def _assembled(file: BinaryIO, header: Header, columns: Sequence[_ColumnFile]) -> str:
    target = _Digested(file)
    encoded = msgspec.json.encode(header)
    encoded = encoded.ljust(_aligned(PREAMBLE.size + len(encoded)) - PREAMBLE.size)
    target.write(PREAMBLE.pack(MAGIC, len(encoded)) + encoded)
    for column in columns:
        column.copy_to(target)
    return target.digest.hexdigest()


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
