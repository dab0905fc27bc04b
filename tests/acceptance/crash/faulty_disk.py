"""Disks that misbehave, as SQLite file systems (VFS) over the real one."""

from __future__ import annotations

import itertools
import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

_numbers = itertools.count()


class FaultyDisk(apsw.VFS):
    """Syncs and writes fail when told to."""

    def __init__(self) -> None:
        self.name = f"faulty-{next(_numbers)}"
        self.good_syncs: int | None = None
        """How many more syncs succeed; None for all."""
        self.good_writes: int | None = None
        """How many more writes succeed; None for all."""
        self.write_error: type[apsw.Error] = apsw.IOError
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _FaultyFile(self, name, flags)

    def spend(self, what: str) -> bool:
        """Whether one more of these may succeed."""
        left = getattr(self, what)
        if left is None:
            return True
        setattr(self, what, max(0, left - 1))
        return bool(left)


class _FaultyFile(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if not self._disk.spend("good_syncs"):
            raise apsw.IOError("the disk cannot sync")
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if not self._disk.spend("good_writes"):
            raise self._disk.write_error("the disk cannot write")
        super().xWrite(data, offset)


Change = tuple[int, bytes] | int
"""A write (offset, data), or a truncation to a size."""


class VolatileDisk(apsw.VFS):
    """Remembers what has not been synced, so that a power cut can be played at any moment.

    After a cut a file holds what was synced, and of what was written since, whatever a disk may have got round to:
    any writes, in any order, some in part.
    """

    SECTOR_BYTES = 512

    def __init__(self) -> None:
        self.name = f"volatile-{next(_numbers)}"
        self.lock = threading.Lock()
        self.synced: dict[str, bytearray] = {}
        self.unsynced: dict[str, list[Change]] = {}
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _VolatileFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        with self.lock:
            super().xDelete(filename, syncdir)
            self.synced.pop(filename, None)
            self.unsynced.pop(filename, None)

    def cut(self, source: Path, target: Path, chance: random.Random) -> None:
        """Write to `target` what a power cut at this moment leaves of the folder `source`."""
        with self.lock:
            shutil.copytree(source, target, ignore=lambda folder, names: [n for n in names if ".db" in n])
            for name, synced in self.synced.items():
                image = bytearray(synced)
                changes = self.unsynced[name]
                for change in chance.sample(changes, chance.randint(0, len(changes))):
                    _apply(image, self._in_part(change, chance))
                (target / Path(name).name).write_bytes(image)

    def _in_part(self, change: Change, chance: random.Random) -> Change:
        if isinstance(change, int) or chance.random() < 0.8:
            return change
        offset, data = change
        sectors = chance.randint(0, len(data) // self.SECTOR_BYTES)
        return offset, data[: sectors * self.SECTOR_BYTES]


class _VolatileFile(apsw.VFSFile):
    def __init__(self, disk: VolatileDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)
        with disk.lock:
            if self._name not in disk.synced:
                disk.synced[self._name] = bytearray(Path(self._name).read_bytes())
                disk.unsynced[self._name] = []

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with self._disk.lock:
            super().xWrite(data, offset)
            self._disk.unsynced[self._name].append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        with self._disk.lock:
            super().xTruncate(size)
            self._disk.unsynced[self._name].append(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        with self._disk.lock:
            super().xSync(flags)
            for change in self._disk.unsynced[self._name]:
                _apply(self._disk.synced[self._name], change)
            self._disk.unsynced[self._name] = []


def _apply(image: bytearray, change: Change) -> None:
    if isinstance(change, int):
        del image[change:]
        return
    offset, data = change
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


@contextmanager
def faulty_disk() -> Iterator[FaultyDisk]:
    disk = FaultyDisk()
    try:
        yield disk
    finally:
        disk.unregister()


@contextmanager
def volatile_disk() -> Iterator[VolatileDisk]:
    disk = VolatileDisk()
    try:
        yield disk
    finally:
        disk.unregister()
