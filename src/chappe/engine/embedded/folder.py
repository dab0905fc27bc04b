"""The data folder: one server at a time, and some room set aside for the day the disk is full."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from chappe.model.errors import DataDamaged, DataFolderInUse, StorageFailed

RESERVE = "reserve"
FORMAT = "format"
"""Holds the format of the folder's data. It is written last when a folder is made, so a database that is missing beside
it was lost, not never made."""
FORMAT_VERSION = 1


class DataFolder:
    """An exclusive hold on a data folder, and its reserve of disk space.

    The reserve is a file of real blocks. When the disk is full it is given up, so that receives, deletes and what they
    free can still be written; it is built up again before new messages are accepted.
    """

    def __init__(self, path: Path, *, reserve_bytes: int) -> None:
        self.path = path
        self.reserve_bytes = reserve_bytes
        self.reserved = False
        """Whether the reserve is there."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageFailed(f"The data folder {path} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise DataFolderInUse(
                f"The data folder {path} is in use by another server (process {holder}). Stop it or choose another"
                " folder with --data.",
                path=str(path),
                process=holder,
            ) from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def close(self) -> None:
        os.close(self._lock)

    @property
    def made(self) -> bool:
        """Whether the folder was made before. Raises `DataDamaged` for a format that this version cannot read."""
        try:
            text = (self.path / FORMAT).read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return False
        if text != str(FORMAT_VERSION):
            raise DataDamaged(
                f"{self.path / FORMAT} says {text[:20]!r}; this version of Chappe reads format {FORMAT_VERSION}."
                " Use the version that wrote the folder, or another folder.",
                path=str(self.path),
            )
        return True

    def mark_made(self) -> None:
        """Note on stable storage that the folder's databases exist. A crash leaves the whole note or none."""
        written = self.path / f"{FORMAT}.new"
        with open(written, "w", encoding="ascii", opener=_private) as file:
            file.write(f"{FORMAT_VERSION}\n")
            file.flush()
            os.fsync(file.fileno())
        written.replace(self.path / FORMAT)
        for folder in (self.path, self.path.parent):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def give_up_reserve(self) -> None:
        """Free the reserved blocks."""
        self.reserved = False
        (self.path / RESERVE).unlink(missing_ok=True)

    def build_reserve(self) -> bool:
        """Make sure that the reserve is there. False if the disk has no room for it."""
        self.reserved = self._allocate()
        return self.reserved

    def _allocate(self) -> bool:
        reserve = self.path / RESERVE
        try:
            if reserve.exists() and reserve.stat().st_size >= self.reserve_bytes:
                return True
            with open(reserve, "wb", opener=_private) as file:
                os.posix_fallocate(file.fileno(), 0, max(1, self.reserve_bytes))
        except OSError:
            reserve.unlink(missing_ok=True)
            return False
        return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
