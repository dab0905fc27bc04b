"""Requests about people's data carried out in the background, in steps that may be done again after a crash."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chappe.model.errors import ChappeError, Closed
from chappe.observe.audit.log import AuditLog
from chappe.observe.audit.retention import is_held
from chappe.pipeline.context import Context
from chappe.pipeline.rights.earlier import forget_earlier
from chappe.pipeline.rights.erasing import erase
from chappe.pipeline.rights.finishing import DAY_MS, finish, still_left
from chappe.pipeline.rights.packaging import hash_of_file, write_package
from chappe.pipeline.rights.receipts import Package, moment
from chappe.records import ids
from chappe.records.data_requests import DataRequest, RequestKind, RequestState

FOLDER_NAME = "exports"
_LOOK_SECONDS = 60.0
_PAUSE_AFTER_FAILURE_SECONDS = 5.0
_log = structlog.get_logger("chappe.rights")


class CarryingOut:
    """The worker. `folder` is the data folder; a copy that was made stays there for `package_ms`."""

    def __init__(
        self, context: Context, audit: AuditLog, folder: Path, key: Ed25519PrivateKey, *, package_ms: int
    ) -> None:
        self._context = context
        self._audit = audit
        self._folder = folder / FOLDER_NAME
        self._key = key
        self._package_ms = package_ms
        self._work = asyncio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._work.set()

    async def run(self) -> None:
        """Carry out what is recorded and not done, until cancelled."""
        while True:
            self._work.clear()
            pause = _LOOK_SECONDS
            try:
                for request in await self._context.records.data_requests.unfinished():
                    await self._carry_out(request)
                await self._go_on()
                await self._remove_packages()
            except Closed:
                return
            except (ChappeError, OSError) as error:
                _log.warning("data_request_not_carried_out", reason=str(error))
                pause = _PAUSE_AFTER_FAILURE_SECONDS
            except Exception:  # noqa: BLE001 (a defect met by one request must not end all of them)
                _log.exception("data_request_failed")
                pause = _PAUSE_AFTER_FAILURE_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._work.wait()
            except TimeoutError:
                pass

    def package_of(self, request: DataRequest) -> Path:
        """Where the copy of an export is, while there is one."""
        return self._folder / f"{ids.key_text(ids.DATA_REQUEST, request.key)}.zip"

    async def _carry_out(self, request: DataRequest) -> None:
        if request.kind is RequestKind.EXPORT:
            await self._export(request)
        elif request.kind is RequestKind.ERASE:
            await self._erase(request)
        else:  # what it asks for was done with its record
            now_ms = self._context.now_ms()
            await finish(self._context.records, self._key, request, RequestState.DONE, now_ms)

    async def _export(self, request: DataRequest) -> None:
        records, now_ms = self._context.records, self._context.now_ms()
        path = self.package_of(request)
        part = path.with_suffix(".part")
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, exist_ok=True)
        files = await write_package(records, self._audit, request, part, now_ms)
        digest, size_bytes = await asyncio.to_thread(hash_of_file, part)
        await asyncio.to_thread(part.replace, path)
        until_ms = now_ms + self._package_ms
        until = moment(until_ms)
        assert until is not None
        package = Package(digest, size_bytes, until)
        counts = {file.name.removesuffix(".json"): file.entries for file in files if file.name != "manifest.json"}
        request = msgspec.structs.replace(request, progress=counts)
        now_ms = self._context.now_ms()
        await finish(records, self._key, request, RequestState.DONE, now_ms, package=package, package_until_ms=until_ms)

    async def _erase(self, request: DataRequest) -> None:
        if request.state is RequestState.HELD:
            holds = await self._audit.holds()
            if all(is_held(place, holds) for place in request.subject.places):
                return
        erased = await erase(self._context, self._audit, request)
        records = self._context.records
        if not erased.held:
            await forget_earlier(records.data_requests, records.erased, self.package_of, request)
        request = await records.data_requests.get(request.key)
        state = RequestState.HELD if erased.held else RequestState.DONE
        if state is request.state:
            return
        done = {**request.progress, "addresses_unreadable_in_audit_log": erased.unreadable}
        request = msgspec.structs.replace(request, progress=done)
        now_ms = self._context.now_ms()
        await finish(records, self._key, request, state, now_ms, kept=erased.kept, left=erased.left)

    async def _go_on(self) -> None:
        """Erase what a law had kept until now."""
        requests, now_ms = self._context.records.data_requests, self._context.now_ms()
        for request in await requests.to_go_on(now_ms):
            erased = await erase(self._context, self._audit, request)
            if erased.held:  # a legal hold that came later; what it covers is looked at again tomorrow
                await requests.change(request.key, None, again_at_ms=now_ms + DAY_MS)
                continue
            subject, again_at_ms = still_left(request.subject, erased.left, now_ms)
            await requests.change(request.key, None, subject=subject, again_at_ms=again_at_ms)

    async def _remove_packages(self) -> None:
        requests = self._context.records.data_requests
        for request in await requests.with_package(self._context.now_ms()):
            await asyncio.to_thread(self.package_of(request).unlink, missing_ok=True)
            await requests.change(request.key, None, package_until_ms=None)
