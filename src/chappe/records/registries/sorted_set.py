"""One version's file, mapped into memory and looked up in place."""

from __future__ import annotations

import hashlib
import mmap
import struct
import sys
from bisect import bisect_left, bisect_right
from itertools import repeat
from pathlib import Path

import msgspec

from chappe.model.errors import DataDamaged, StorageFailed
from chappe.records.registries.layout import (
    FOREVER_SECONDS,
    MAGIC,
    OPERATION_KEPT,
    PREAMBLE,
    SHAPES,
    TAIL,
    Column,
    Form,
    Header,
    address_key,
    cut_hash,
    cut_number,
    number_key,
    whole_hash,
    whole_number,
)


class Entry(msgspec.Struct, frozen=True):
    """One entry of a registry. None: the registry does not say."""

    category: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


_PLAIN = (Entry(),)


class SortedSet:
    """The entries of a file. Reading needs no lock; the mapping is released with the last reference.

    Opening takes the same time however large the file is. Raises `StorageFailed` if it cannot be read, and
    `DataDamaged` if it is not such a file or is cut off; a byte that changed is found by its digest, not here.
    """

    def __init__(self, path: Path) -> None:
        if sys.byteorder != "little":
            raise StorageFailed("registries can only be read on little-endian machines", path=str(path))
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise StorageFailed(f"{path} cannot be read: {error}", path=str(path)) from error
        try:
            self._read_header()
        except (struct.error, msgspec.DecodeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise DataDamaged(f"{path} is not the file of a registry, or is cut off", path=str(path)) from error

    def __len__(self) -> int:
        return self.header.listings

    @property
    def form(self) -> Form:
        return self.header.form

    @property
    def hash_key(self) -> bytes:
        """What addresses are hashed with; empty for numbers."""
        return self._hash_key

    def expect_look_ups(self) -> None:
        """Have the system read the file ahead, so that first look-ups don't wait for the disk."""
        self._map.madvise(mmap.MADV_WILLNEED)

    def entries(self, kind: str, address: str, now_ms: int) -> tuple[Entry, ...] | None:
        """The entries for a recipient that have not ended: none if it is not listed, None if such cannot be listed.

        `kind` is `phone` (E.164) or `email`; an address is listed by itself and by its domain, with case ignored.
        """
        form = self.form
        if kind == "phone":
            if form is Form.NUMBERS:
                return self._found(*cut_number(int(address[1:])), None, now_ms)
            if form is not Form.MIXED:
                return None
            return self._hashed(address, now_ms) if self.header.digest is None else self._digested(address, now_ms)
        if kind != "email" or form is Form.NUMBERS:
            return None
        text = address.lower()
        if self.header.digest is not None:
            return self._hashed(self.header.digest.of(text), now_ms)
        return self._hashed(text, now_ms) + self._hashed("@" + text.rpartition("@")[2], now_ms)

    # --- as something to be united with a delta -----------------------------------------------------------

    def key_at(self, index: int) -> bytes:
        """The key of an entry, by its place."""
        prefix = self._prefixes[bisect_right(self._starts, index) - 1]
        if self._checks is None:
            return number_key(whole_number(prefix, self._suffixes[index]))
        return whole_hash(prefix, self._suffixes[index], self._checks[index])

    def records(self, start: int, end: int) -> list[bytes]:
        """The entries from `start` until before `end` as records to sort."""
        keys = self._keys(start, end)
        columns = (
            repeat(0) if column is None else column[start:end].tolist()
            for column in (self._categories, self._since, self._until)
        )
        pack = TAIL.pack
        return [
            key + pack(OPERATION_KEPT, category, since, until or FOREVER_SECONDS)
            for key, category, since, until in zip(keys, *columns, strict=False)
        ]

    # ------------------------------------------------------------------------------------------------------

    def _read_header(self) -> None:
        magic, header_bytes = PREAMBLE.unpack_from(self._map)
        if magic != MAGIC:
            raise ValueError("no such file")
        begin = PREAMBLE.size + header_bytes
        self.header = header = msgspec.json.decode(self._map[PREAMBLE.size : begin], type=Header)
        view = memoryview(self._map)[begin:]
        columns = {column.name: _values(view, column) for column in header.columns}
        self._hash_key = bytes.fromhex(header.hash_key)
        self._prefixes, self._starts = columns["prefixes"], columns["starts"]
        self._suffixes = columns["suffixes"]
        self._checks = columns["checks"] if SHAPES[header.form].has_checks else None
        self._categories, self._since, self._until = map(columns.get, ("categories", "since", "until"))
        self._plain = self._categories is None and self._since is None and self._until is None
        if len(self._suffixes) != header.listings or len(self._starts) != len(self._prefixes) + 1:
            raise ValueError("columns do not fit")

    def _keys(self, start: int, end: int) -> list[bytes]:
        keys: list[bytes] = []
        bucket = bisect_right(self._starts, start) - 1
        while start < end:
            prefix, stop = self._prefixes[bucket], min(end, self._starts[bucket + 1])
            suffixes = self._suffixes[start:stop]
            if self._checks is None:
                keys += [number_key(whole_number(prefix, suffix)) for suffix in suffixes]
            else:
                checks = self._checks[start:stop]
                keys += [whole_hash(prefix, suffix, check) for suffix, check in zip(suffixes, checks, strict=True)]
            start, bucket = stop, bucket + 1
        return keys

    def _digested(self, number: str, now_ms: int) -> tuple[Entry, ...]:
        """The entries of the digests of a number (E.164), as written with `+`, without, and as dialled within the
        country: lists do not say which of them they digested, and none of them is anything else.
        """
        assert self.header.digest is not None
        digits, code = number[1:], self.header.country_code
        written = [number, digits]
        if code and digits.startswith(code):
            written += [digits.removeprefix(code), "0" + digits.removeprefix(code)]
        digest = self.header.digest
        return tuple(entry for text in written for entry in self._hashed(digest.of(text), now_ms))

    def _hashed(self, text: str, now_ms: int) -> tuple[Entry, ...]:
        return self._found(*cut_hash(address_key(text, self._hash_key)), now_ms)

    def _found(self, prefix: int, suffix: int, check: int | None, now_ms: int) -> tuple[Entry, ...]:
        prefixes, suffixes = self._prefixes, self._suffixes
        bucket = bisect_left(prefixes, prefix)
        if bucket == len(prefixes) or prefixes[bucket] != prefix:
            return ()
        end = self._starts[bucket + 1]
        index = bisect_left(suffixes, suffix, self._starts[bucket], end)
        found: tuple[Entry, ...] = ()
        while index < end and suffixes[index] == suffix:
            if self._checks is None or self._checks[index] == check:
                if self._plain:
                    return _PLAIN
                entry = self._entry(index)
                if entry.until_ms is None or entry.until_ms > now_ms:
                    found += (entry,)
            index += 1
        return found

    def _entry(self, index: int) -> Entry:
        category = 0 if self._categories is None else self._categories[index]
        since = 0 if self._since is None else self._since[index]
        until = 0 if self._until is None else self._until[index]
        return Entry(
            self.header.categories[category - 1] if category else None,
            since * 1000 if since else None,
            until * 1000 if until else None,
        )


def open_checked(path: Path, sha256: str) -> SortedSet:
    """A file whose every byte is as it was written. Raises `StorageFailed` and `DataDamaged`."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageFailed(f"{path} cannot be read: {error.strerror}", path=str(path)) from error
    if digest != sha256:
        raise DataDamaged(f"{path} is not as it was written", path=str(path))
    return SortedSet(path)


def _values(view: memoryview, column: Column) -> memoryview[int]:
    size_bytes = column.count * struct.calcsize(column.typecode)
    part = view[column.offset_bytes : column.offset_bytes + size_bytes]
    if len(part) != size_bytes:
        raise ValueError("cut off")
    return part.cast(column.typecode)  # type: ignore[call-overload,no-any-return]
