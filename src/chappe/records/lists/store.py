"""Imports of lists of consents, suppressions and people: under way, ended, and gone on with after a crash."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import structlog

from chappe.model.errors import ChappeError
from chappe.records.lists.reading import CheckOrder, Record, batches
from chappe.records.lists.writing import ListWriting
from chappe.records.marks import Marks
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.profiles import PersonLine
from chappe.records.registries.building import ListLayout
from chappe.records.registries.imports import Import, Imports, ImportStatus, carry_out
from chappe.records.registries.reporting import Checked, Progress, Refused
from chappe.records.registries.spool import discard, disk_error, spool

FOLDER_NAME = "imports"
_NAME_BYTES = 8
_CHECKED = ".rows"
_log = structlog.get_logger("chappe.records")
_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "consents": msgspec.msgpack.Decoder(list[ConsentRecord]),
    "suppressions": msgspec.msgpack.Decoder(list[SuppressionRecord]),
    "people": msgspec.msgpack.Decoder(list[PersonLine]),
}


class CheckedImport(msgspec.Struct, frozen=True):
    """How to import a list: the module that checks it, how the list is written, and what it leaves out."""

    checker: str
    layout: ListLayout = ListLayout()
    allowed_bad: int = 0
    defaults: dict[str, str] = {}


class ListImports:
    """Use from one event loop. Lists are imported one after another."""

    def __init__(self, folder: Path, writing: ListWriting, marks: Marks, now_ms: Callable[[], int]) -> None:
        self._folder = folder / FOLDER_NAME
        self._writing = writing
        self._marks = marks
        self._now_ms = now_ms
        self._imports = Imports()
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Go on with lists that were checked when the server ended, and remove what was not."""
        for name, kind in await asyncio.to_thread(self._left_over):
            started = Import(f"imp_{name}", kind, ImportStatus.WAITING, self._now_ms())
            self._imports.add(started)
            self._begin(self._go_on(started, name), started)

    async def close(self) -> None:
        """Stop; lists that were checked are gone on with at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start_import(self, kind: str, how: CheckedImport, chunks: AsyncIterator[bytes]) -> Import:
        """Take a list of `consents`, `suppressions` or `people`, and begin to import it when all of it is here.

        Raises `InvalidInput`, `TooManyImports`, `StorageFull`, `StorageFailed`; then nothing is imported.
        """
        self._imports.check_room()
        name = secrets.token_hex(_NAME_BYTES)
        await asyncio.to_thread(self._make_folder)
        await spool(chunks, self._folder / f"{name}.list")
        started = Import(f"imp_{name}", kind, ImportStatus.WAITING, self._now_ms())
        self._imports.add(started)
        self._begin(self._check_and_commit(started, name, how), started)
        return started

    def get_import(self, kind: str, import_id: str) -> Import:
        """How an import stands. Raises `ImportNotFound`."""
        return self._imports.get(kind, import_id)

    def _begin(self, work: Coroutine[Any, Any, None], started: Import) -> None:
        task = asyncio.create_task(self._guarded(work, started), name="list import")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None], started: Import) -> None:
        try:
            await work
        except ChappeError as error:
            started.fail(ImportStatus.FAILED, error.code, error.message)
        except Exception:  # noqa: BLE001 (a defect must not stay unsaid; whoever asks for the import sees it failed)
            _log.exception("list_import_failed", kind=started.target)
            started.fail(ImportStatus.FAILED, "internal", "The server failed to import the list; its log says more.")

    async def _check_and_commit(self, started: Import, name: str, how: CheckedImport) -> None:
        path = self._folder / f"{name}.list"
        try:
            async with self._one_at_a_time:
                started.status = ImportStatus.RUNNING
                order = CheckOrder(
                    source=str(path),
                    target=str(self._checked(started.target, name)),
                    layout=how.layout,
                    allowed_bad=how.allowed_bad,
                    now_ms=self._now_ms(),
                    defaults=how.defaults,
                )
                checked = await carry_out(how.checker, order, started.note_progress)
                started.bad_lines, started.bad = checked.bad_lines, checked.bad
                if isinstance(checked, Refused):
                    started.fail(ImportStatus.REFUSED, checked.code, checked.reason)
                    return
                assert isinstance(checked, Checked)
                started.lines = checked.lines
                await self._commit(started, name, checked.records)
        finally:
            discard(path)

    async def _go_on(self, started: Import, name: str) -> None:
        async with self._one_at_a_time:
            started.status = ImportStatus.RUNNING
            await self._commit(started, name, 0)

    async def _commit(self, started: Import, name: str, total: int) -> None:
        path, mark = self._checked(started.target, name), f"import {name}"
        done, changed, stored = await self._marks.get(mark), 0, 0
        decoder = _decoders[started.target]
        with await asyncio.to_thread(path.open, "rb") as file:
            for number, packed in enumerate(islice(batches(file), done, None), done + 1):
                records: list[Record] = decoder.decode(packed)
                changed += await self._writing.commit(records, mark, number)
                stored += len(records)
                started.note_progress(Progress("storing", stored, total))
        await self._writing.forget(mark)  # a crash here has the list read once more, which changes nothing
        discard(path)
        started.changed, started.status = changed, ImportStatus.DONE
        _log.info("list_imported", kind=started.target, changed=changed)

    def _checked(self, kind: str, name: str) -> Path:
        return self._folder / f"{name}.{kind}{_CHECKED}"

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise disk_error(error) from error

    def _left_over(self) -> list[tuple[str, str]]:
        if not self._folder.exists():
            return []
        found = []
        for path in self._folder.iterdir():
            name, _, kind = path.name.removesuffix(_CHECKED).partition(".")
            if path.suffix == _CHECKED and kind in _decoders:
                found.append((name, kind))
            else:
                path.unlink()
        return found
