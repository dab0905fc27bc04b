"""The registries of a data folder: imported, in use, and asked."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

import msgspec
import structlog

from chappe.model.errors import ChappeError, DataDamaged
from chappe.model.registry import Listing, RegistryAnswer, RegistryKind
from chappe.records.commit import GroupCommit
from chappe.records.reading import Readers
from chappe.records.registries import building
from chappe.records.registries.building import ListLayout, Mode, Operation, Order
from chappe.records.registries.imports import Import, Imports, ImportStatus, carry_out
from chappe.records.registries.numbers import country_code
from chappe.records.registries.registry_records import Registry, RegistryRecords, RegistryVersion
from chappe.records.registries.reporting import Built, Refused
from chappe.records.registries.sorted_set import SortedSet, open_checked
from chappe.records.registries.spool import discard, disk_error, spool

FOLDER_NAME = "registries"
_SPOOLED = ".list"
_NAME_BYTES = 8
_log = structlog.get_logger("chappe.records")


class ListImport(msgspec.Struct, frozen=True):
    """How to import a list: what it is, how it is written, and where it comes from.

    `as_of_ms` is the moment whose state the list shows. `source` tells people where it was got; `author` is the id of
    an API key.
    """

    mode: Mode
    as_of_ms: int
    layout: ListLayout = ListLayout()
    operation: Operation = Operation.ADD
    allowed_bad: int = 0
    source: str = ""
    author: str = ""


class _InUse(msgspec.Struct, frozen=True):
    """A version that is asked."""

    kind: RegistryKind
    version: RegistryVersion
    entries: SortedSet


class Registries:
    """Use from one event loop; `answers` may be called from any thread.

    Imports are carried out one after another, in a process of their own each. A version is in use, for every look-up
    that begins afterwards, when its import is said to be done.
    """

    def __init__(self, folder: Path, commits: GroupCommit, readers: Readers, now_ms: Callable[[], int]) -> None:
        self.records = RegistryRecords(commits, readers)
        self._folder = folder / FOLDER_NAME
        self._now_ms = now_ms
        self._imports = Imports()
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_use: Mapping[str, _InUse] = {}

    async def start(self) -> None:
        """Open what is in use and remove what a crash left over; until then no registry knows anything.

        A version whose file is missing or damaged is logged, and its registry goes on to say that it does not know.
        """
        await asyncio.to_thread(self._tidy, await self.records.files())
        for registry, version in await self.records.in_use():
            try:
                await self._put_in_use(registry, version)
            except ChappeError as error:
                _log.error(
                    "registry_unreadable",
                    registry=registry.id,
                    version=version.version,
                    reason=error.message,
                    advice="Import the list again, or activate another version.",
                )

    async def close(self) -> None:
        """End imports under way; they change nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- asking -------------------------------------------------------------------------------------------

    def answers(self, registries: Iterable[str], recipient: str, now_ms: int) -> tuple[RegistryAnswer, ...]:
        """What each of these registries says of a recipient (as `recipient_text` writes one) at a moment, in order."""
        in_use = self._in_use
        kind, _, address = recipient.partition(":")
        return tuple(_answer(registry, in_use.get(registry), kind, address, now_ms) for registry in registries)

    # --- changing -----------------------------------------------------------------------------------------

    async def activate(self, registry: str, version: int) -> RegistryVersion:
        """Use another version. Raises `RegistryNotFound`, `RegistryVersionNotFound`, `DataDamaged`, `StorageFailed`."""
        async with self._one_at_a_time:
            found = next((v for v in await self.records.versions(registry) if v.version == version), None)
            if found is not None and found.file:
                await self._opened(found)  # before it is recorded: a damaged one cannot be returned to
            activated = await self.records.activate(registry, version, self._now_ms())
            await self._put_in_use(await self.records.get(registry), activated)
            return activated

    async def delete(self, registry: str) -> None:
        """Delete a registry with its versions. Raises `RegistryNotFound`."""
        async with self._one_at_a_time:
            files = await self.records.delete(registry)
            self._in_use = {name: entry for name, entry in self._in_use.items() if name != registry}
            await asyncio.to_thread(self._remove, files)

    async def start_import(self, registry: Registry, how: ListImport, chunks: AsyncIterator[bytes]) -> Import:
        """Take a list, and begin to import it when all of it is here.

        Raises `InvalidInput`, `TooManyImports`, `StorageFull`, `StorageFailed`; then nothing is imported.
        """
        self._imports.check_room()
        name = secrets.token_hex(_NAME_BYTES)
        path = self._folder / f"{name}{_SPOOLED}"
        await asyncio.to_thread(self._make_folder)
        source_sha256 = await spool(chunks, path)
        started = Import(f"imp_{name}", registry.id, ImportStatus.WAITING, self._now_ms())
        self._imports.add(started)
        task = asyncio.create_task(self._run(started, registry, how, path, source_sha256), name="registry import")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return started

    def get_import(self, registry: str, import_id: str) -> Import:
        """How an import stands. Raises `ImportNotFound`."""
        return self._imports.get(registry, import_id)

    async def _run(self, started: Import, registry: Registry, how: ListImport, path: Path, source_sha256: str) -> None:
        try:
            async with self._one_at_a_time:
                started.status = ImportStatus.RUNNING
                await self._import(started, registry, how, path, source_sha256)
        except ChappeError as error:
            started.fail(ImportStatus.FAILED, error.code, error.message)
        except Exception:  # noqa: BLE001 (a defect must not stay unsaid; whoever asks for the import sees it failed)
            _log.exception("registry_import_failed", registry=registry.id)
            started.fail(ImportStatus.FAILED, "internal", "The server failed to import the list; its log says more.")
        finally:
            discard(path)

    async def _import(
        self, started: Import, registry: Registry, how: ListImport, path: Path, source_sha256: str
    ) -> None:
        registry = await self.records.get(registry.id)  # while it waited, it may have been changed or deleted
        base = self._in_use.get(registry.id) if how.mode is Mode.DELTA else None
        if how.mode is Mode.DELTA and base is None and registry.active_version is not None:
            raise DataDamaged("The version in use cannot be read, so a delta cannot change it; import all of the list.")
        target = path.with_suffix(".set")
        order = Order(
            source=str(path),
            target=str(target),
            form=registry.form,
            mode=how.mode,
            layout=_as_dialled_in(registry.jurisdiction, how.layout),
            operation=how.operation,
            base=None if base is None else str(self._folder / base.version.file),
            latest=registry.kind.latest_counts,
            allowed_bad=how.allowed_bad,
        )
        built = await carry_out(building.__name__, order, started.note_progress)
        started.bad_lines, started.bad = built.bad_lines, built.bad
        if isinstance(built, Refused):
            started.fail(ImportStatus.REFUSED, built.code, built.reason)
            return
        assert isinstance(built, Built)
        started.lines = built.lines
        version = _new_version(registry, how, built, target, source_sha256, self._now_ms(), base)
        try:
            recorded, let_go = await self.records.add_version(version)
        except BaseException:
            discard(target)
            raise
        await self._put_in_use(registry, recorded)
        await asyncio.to_thread(self._remove, let_go)
        started.version, started.status = recorded.version, ImportStatus.DONE
        _log.info("registry_imported", registry=registry.id, version=recorded.version, listings=recorded.listings)

    # --- files --------------------------------------------------------------------------------------------

    async def _put_in_use(self, registry: Registry, version: RegistryVersion) -> None:
        entries = await self._opened(version)
        self._in_use = {**self._in_use, registry.id: _InUse(registry.kind, version, entries)}

    async def _opened(self, version: RegistryVersion) -> SortedSet:
        path = self._folder / version.file
        return await asyncio.to_thread(_ready, path, version.file_sha256)

    def _tidy(self, kept: set[str]) -> None:
        if not self._folder.exists():
            return
        try:
            for path in self._folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name not in kept:
                    path.unlink()
        except OSError as error:
            raise disk_error(error) from error

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise disk_error(error) from error

    def _remove(self, files: Iterable[str]) -> None:
        for name in files:
            (self._folder / name).unlink(missing_ok=True)


def _answer(registry: str, in_use: _InUse | None, kind: str, address: str, now_ms: int) -> RegistryAnswer:
    if in_use is None:
        return RegistryAnswer(registry, None)
    found = in_use.entries.entries(kind, address, now_ms)
    if found is None:  # a register of numbers says nothing of a mail address
        return RegistryAnswer(registry, None)
    listings = tuple(
        Listing(entry.category, entry.since_ms, entry.until_ms)
        for entry in sorted(found, key=lambda entry: entry.since_ms or 0)
    )
    return RegistryAnswer(registry, bool(found), in_use.kind, in_use.version.as_of_ms, listings)


def _as_dialled_in(jurisdiction: str, layout: ListLayout) -> ListLayout:
    """The layout with the country of the registry as the region, if it names none: what a national register lists are
    national numbers. Read as if they began with a country code they would be those of people elsewhere.
    """
    country = jurisdiction.partition("-")[0]
    if layout.columns.region is not None or not country_code(country):
        return layout
    return msgspec.structs.replace(layout, columns=msgspec.structs.replace(layout.columns, region=country))


def _ready(path: Path, sha256: str) -> SortedSet:
    entries = open_checked(path, sha256)
    entries.expect_look_ups()
    return entries


def _new_version(
    registry: Registry,
    how: ListImport,
    built: Built,
    target: Path,
    source_sha256: str,
    now_ms: int,
    base: _InUse | None,
) -> RegistryVersion:
    return RegistryVersion(
        registry=registry.id,
        version=0,  # given when it is recorded
        mode=how.mode,
        base=None if base is None else base.version.version,
        imported_at_ms=now_ms,
        activated_at_ms=now_ms,
        as_of_ms=how.as_of_ms,
        source=how.source,
        source_sha256=source_sha256,
        author=how.author,
        file=target.name,
        file_bytes=built.file_bytes,
        file_sha256=built.file_sha256,
        listings=built.listings,
        lines=built.lines,
        bad_lines=built.bad_lines,
        added=built.added,
        removed=built.removed,
        absent=built.absent,
    )
