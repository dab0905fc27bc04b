"""Sorting more records than fit into memory: sorted runs on disk, merged range by range.

A record is bytes of one length, its key first. A merge takes from every run what lies within the next range of keys
and lets Python sort the lot, which finds the runs in it and merges them in C: a heap of iterators is far slower.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

RUN_RECORDS = 400_000
"""Records sorted at once: some 40 MB of them."""
MERGED_RECORDS = 250_000
"""About how many records a merge holds."""

Tidy = Callable[[list[bytes]], list[bytes]]
"""Takes sorted records and gives what is to remain of them, sorted as well."""


class Run(Protocol):
    """Sorted records."""

    def __len__(self) -> int: ...

    def key_at(self, index: int) -> bytes:
        """The key of a record."""
        ...

    def records(self, start: int, end: int) -> list[bytes]:
        """The records from `start` until before `end`."""
        ...


class Sorter:
    """Takes records one by one and keeps them in runs in a folder. `tidy` drops what is superfluous within a run."""

    def __init__(self, folder: Path, key_bytes: int, record_bytes: int, tidy: Tidy) -> None:
        self._folder = folder
        self._key_bytes = key_bytes
        self._record_bytes = record_bytes
        self._tidy = tidy
        self._waiting: list[bytes] = []
        self._runs: list[FileRun] = []

    def add(self, record: bytes) -> None:
        """Take one record."""
        self._waiting.append(record)
        if len(self._waiting) >= RUN_RECORDS:
            self._write_run()

    def runs(self) -> list[FileRun]:
        """All runs; nothing may be added afterwards."""
        if self._waiting:
            self._write_run()
        return self._runs

    def _write_run(self) -> None:
        self._waiting.sort()
        path = self._folder / f"run-{len(self._runs)}"
        path.write_bytes(b"".join(self._tidy(self._waiting)))
        self._waiting.clear()
        self._runs.append(FileRun(path, self._key_bytes, self._record_bytes))


class FileRun:
    """A run in a file, mapped into memory."""

    def __init__(self, path: Path, key_bytes: int, record_bytes: int) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        path.unlink()  # the mapping keeps it until it is no longer needed
        self._key_bytes = key_bytes
        self._record_bytes = record_bytes
        self._count = len(self._map) // record_bytes

    def __len__(self) -> int:
        return self._count

    def key_at(self, index: int) -> bytes:
        at = index * self._record_bytes
        return self._map[at : at + self._key_bytes]

    def records(self, start: int, end: int) -> list[bytes]:
        width = self._record_bytes
        part = self._map[start * width : end * width]
        return [part[at : at + width] for at in range(0, len(part), width)]


def merged(runs: Sequence[Run]) -> Iterator[list[bytes]]:
    """All records in order, in lists of some `MERGED_RECORDS`. Those of one key stand in one list."""
    places = [0] * len(runs)
    while rest := [number for number, run in enumerate(runs) if places[number] < len(run)]:
        step = max(1, MERGED_RECORDS // len(rest))
        last = min(runs[number].key_at(min(places[number] + step, len(runs[number])) - 1) for number in rest)
        taken: list[bytes] = []
        for number in rest:
            run, start = runs[number], places[number]
            end = bisect_right(range(len(run)), last, lo=start, key=run.key_at)
            taken += run.records(start, end)
            places[number] = end
        taken.sort()
        yield taken
