"""Signing the log: now and then, and at the end, the head of the tree over all records so far.

What was signed cannot be changed without notice, so what may be lost or forged unnoticed is at most what came since the
last checkpoint. A checkpoint is stored first and then written to the file, which a start brings up to date.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chappe.model.errors import ChappeError, Closed
from chappe.observe.audit.merkle import HASH_BYTES, TILE_WIDTH, Frontier
from chappe.observe.audit.notes import Checkpoint, from_notes, sign, to_note
from chappe.observe.audit.segments import sync_folder
from chappe.observe.audit.storage import AUDIT_FOLDER, CHECKPOINTS_FILE, AuditStorage
from chappe.records import audit
from chappe.records.audit import AuditRecords, StoredCheckpoint

INTERVAL_SECONDS = 60.0
_log = structlog.get_logger("chappe.audit")

Tiles = dict[tuple[int, int], bytes]


class Checkpointer:
    """Signs the log of one server. `folder` is its data folder."""

    def __init__(
        self,
        records: AuditRecords,
        key: Ed25519PrivateKey,
        folder: Path,
        now_ms: Callable[[], int],
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._records = records
        self._key = key
        self._folder = folder
        self._file = folder / AUDIT_FOLDER / CHECKPOINTS_FILE
        self._now_ms = now_ms
        self._interval_seconds = interval_seconds

    async def start(self) -> None:
        """Bring the file up to date, and say so if the log is shorter than what was once signed."""
        stored = await self._records.read(audit.checkpoints)
        size = await self._records.read(audit.size)
        written = await asyncio.to_thread(last_in_file, self._file)
        signed = max(written, stored[-1].size if stored else 0)
        if signed > size:
            _log.error(
                "audit_log_truncated",
                records=size,
                signed=signed,
                advice="records.db is older than its checkpoints: restore the newest backup of the whole data folder",
            )
        for checkpoint in stored:
            if checkpoint.size > written:
                await asyncio.to_thread(self._write, checkpoint_of(checkpoint))

    async def run(self) -> None:
        """Sign, until cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            try:
                await self.sign()
            except Closed:
                return
            except (ChappeError, OSError) as error:
                _log.error("audit_log_not_signed", reason=str(error))

    async def sign(self) -> int:
        """Sign what is there, unless there is nothing new; how many records are covered now."""
        before = await self._records.read(audit.newest_checkpoint)
        frontier, tiles = await asyncio.to_thread(_grown, self._folder, before)
        if frontier.size == (before.size if before else 0):
            return frontier.size
        checkpoint = sign(self._key, frontier.size, frontier.root, self._now_ms())
        stored = StoredCheckpoint(
            checkpoint.size,
            checkpoint.at_ms,
            checkpoint.root,
            frontier.to_bytes(),
            checkpoint.name,
            checkpoint.signature,
        )
        await self._records.add_checkpoint(stored, tiles)
        await asyncio.to_thread(self._write, checkpoint)
        return frontier.size

    def _write(self, checkpoint: Checkpoint) -> None:
        if not self._file.parent.is_dir():
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self._file.parent.parent)
        new = not self._file.exists()
        # One write at the end of the file; what a crash cuts off there is left out by whoever reads it.
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            whole = self._whole_length()
            if whole != os.fstat(descriptor).st_size:
                os.ftruncate(descriptor, whole)
            os.write(descriptor, to_note(checkpoint, self._key.public_key()).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            sync_folder(self._file.parent)

    def _whole_length(self) -> int:
        """Up to where the file holds whole notes."""
        content = self._file.read_bytes()
        start = content.rfind("\n\N{EM DASH} ".encode())
        end = content.find(b"\n", start + 1) if start >= 0 else -1
        return end + 1


def checkpoint_of(stored: StoredCheckpoint) -> Checkpoint:
    """A stored checkpoint as it was signed."""
    return Checkpoint(stored.key_id, stored.size, stored.root, stored.at_ms, stored.signature)


def read_file(file: Path) -> list[Checkpoint]:
    """The checkpoints of a file, none if there is no file. Raises `ValueError`."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return list(from_notes(text))


def last_in_file(file: Path) -> int:
    """How many records the last checkpoint of a file covers."""
    try:
        return max((checkpoint.size for checkpoint in read_file(file)), default=0)
    except ValueError as error:
        _log.error("audit_checkpoints_damaged", file=str(file), reason=str(error))
        return 0


def _grown(folder: Path, before: StoredCheckpoint | None) -> tuple[Frontier, Tiles]:
    """The tree over everything there is, and the tiles that have changed since a checkpoint."""
    frontier = Frontier.from_bytes(before.size, before.frontier) if before else Frontier()
    tiles: Tiles = {}
    with AuditStorage(folder) as storage:

        def completed(level: int, number: int, node: bytes) -> None:
            place = (level, number // TILE_WIDTH)
            hashes = tiles.get(place)
            if hashes is None:
                hashes = storage.read(lambda connection: audit.tile(connection, *place)) or b""
            tiles[place] = hashes[: number % TILE_WIDTH * HASH_BYTES] + node

        for hashes in storage.hashes(frontier.size):
            frontier.extend(hashes, completed)
    return frontier, tiles
