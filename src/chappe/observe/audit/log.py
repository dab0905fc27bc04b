"""The audit log of a running server: its records are made here, and signed, sealed and dropped in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chappe.model.errors import ChappeError, Closed
from chappe.observe.audit.checkpoints import Checkpointer
from chappe.observe.audit.finding import DecisionFilter, Found, FoundDecision, find, get
from chappe.observe.audit.proofs import Proof, prove
from chappe.observe.audit.record import HoldRecord, PersonalPart
from chappe.observe.audit.recording import Recorder, open_entry
from chappe.observe.audit.retention import RetentionPolicy, drop_expired
from chappe.observe.audit.sealing import Sealer
from chappe.observe.audit.storage import AuditStorage
from chappe.records import audit, ids
from chappe.records.audit import LegalHold
from chappe.records.store import Records

_RETENTION_INTERVAL_SECONDS = 3_600.0
_log = structlog.get_logger("chappe.audit")
_T = TypeVar("_T")


class AuditSettings(msgspec.Struct, frozen=True):
    """How the log is kept."""

    retention: RetentionPolicy
    checkpoint_seconds: float = 60.0
    segment_records: int = 131_072


class AuditLog:
    """The audit log of a data folder that this process has open. `recorder` makes its records."""

    def __init__(
        self,
        records: Records,
        folder: Path,
        *,
        recorder: Recorder,
        key: Ed25519PrivateKey,
        now_ms: Callable[[], int],
        settings: AuditSettings,
    ) -> None:
        self.recorder = recorder
        self.folder = folder
        self._records = records
        self._key = key
        self._now_ms = now_ms
        self._settings = settings
        self.checkpointer = Checkpointer(
            records.audit,
            key,
            folder,
            now_ms,
            settings.checkpoint_seconds,
        )
        self.sealer = Sealer(records.audit, folder, now_ms, settings.segment_records)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to sign, seal and drop."""
        await self.checkpointer.start()
        for work, name in (
            (self.checkpointer.run(), "audit checkpoints"),
            (self.sealer.run(), "audit sealing"),
            (self._keep_retention(), "audit retention"),
        ):
            self._tasks.append(asyncio.create_task(work, name=name))

    async def stop(self) -> None:
        """Stop, and sign what is there. To be called when nothing is recorded any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.checkpointer.sign()
        except (ChappeError, OSError) as error:
            _log.error("audit_log_not_signed", reason=str(error))

    async def find(self, wanted: DecisionFilter, limit: int) -> Found:
        """The newest decisions that match; see `finding.find`."""
        return await self._in_storage(lambda storage: find(storage, wanted, limit))

    async def get(self, number: int) -> FoundDecision:
        """One decision. Raises `NotFound`."""
        return await self._in_storage(lambda storage: get(storage, number))

    async def prove(self, number: int) -> Proof:
        """That a record is in the log; see `proofs.prove`."""
        return await self._in_storage(lambda storage: prove(storage, number, self._key.public_key()))

    async def personal(self, found: FoundDecision) -> PersonalPart | None:
        """The personal part of a decision; None if the person was erased."""
        (part,) = await self._in_storage(
            lambda storage: self.recorder.opened(storage.read, [(found.record.person, found.personal_part)])
        )
        return part

    async def holds(self, *, released: bool = False) -> list[LegalHold]:
        """Legal holds, oldest first."""
        return await self._records.audit.read(lambda connection: audit.holds(connection, released=released))

    async def hold(self, jurisdiction: str, reason: str) -> LegalHold:
        """Keep what was decided under a jurisdiction ("*" for all) until the hold is released."""
        now_ms = self._now_ms()
        hold = LegalHold(self._records.keys.next(), jurisdiction, reason, now_ms)
        record = HoldRecord(
            at_ms=now_ms, hold=ids.key_text(ids.HOLD, hold.key), jurisdiction=jurisdiction, reason=reason
        )
        await self._records.audit.add_hold(hold, open_entry(record, now_ms))
        return hold

    async def release(self, key: int) -> None:
        """End a legal hold. Raises `NotFound`."""
        now_ms = self._now_ms()
        jurisdiction = next((hold.jurisdiction for hold in await self.holds() if hold.key == key), "")
        record = HoldRecord(at_ms=now_ms, hold=ids.key_text(ids.HOLD, key), jurisdiction=jurisdiction, released=True)
        await self._records.audit.release_hold(key, now_ms, open_entry(record, now_ms))

    async def drop_expired(self) -> int:
        """Drop what has come to the end of its retention; how many records."""
        return await drop_expired(self._records.audit, self.folder, self._settings.retention, self._now_ms())

    async def _in_storage(self, work: Callable[[AuditStorage], _T]) -> _T:
        def run() -> _T:
            with AuditStorage(self.folder) as storage:
                return work(storage)

        return await asyncio.to_thread(run)

    async def _keep_retention(self) -> None:
        while True:
            try:
                await self.drop_expired()
            except Closed:
                return
            except (ChappeError, OSError) as error:
                _log.error("audit_retention_not_kept", reason=str(error))
            await asyncio.sleep(_RETENTION_INTERVAL_SECONDS)
