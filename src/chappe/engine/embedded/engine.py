"""The embedded engine: the contract's operations, each from the part that knows how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from chappe.engine.base import Engine
from chappe.engine.embedded.core import Core, now_ms
from chappe.engine.embedded.dead_letters import DeadLetters
from chappe.engine.embedded.ending import Ending
from chappe.engine.embedded.folder import DataFolder
from chappe.engine.embedded.moving import Moving
from chappe.engine.embedded.polling import dismiss_pollers
from chappe.engine.embedded.receiving import Receiving
from chappe.engine.embedded.schema import SQLITE_ERRORS, storage_error
from chappe.engine.embedded.sending import Sending
from chappe.engine.embedded.store import Store
from chappe.engine.embedded.structure import Structure
from chappe.engine.embedded.taking import Taking
from chappe.engine.embedded.upkeep import Upkeep
from chappe.model.errors import StorageFailed, StorageFull

DEFAULT_RESERVE_BYTES = 64 << 20


class EmbeddedEngine:
    """Implements `chappe.engine.base.Engine`. Open one with `await EmbeddedEngine.open(folder)`."""

    def __init__(self, core: Core) -> None:
        """Use `open`."""
        self._core = core
        structure, sending, ending = Structure(core), Sending(core), Ending(core)
        self._dead_letters = DeadLetters(core, sending)
        taking = Taking(core, self._dead_letters)
        receiving = Receiving(core, taking)
        self._upkeep = Upkeep(core, taking)
        self.create_queue = structure.create_queue
        self.get_queue = structure.get_queue
        self.list_queues = structure.list_queues
        self.set_queue = structure.set_queue
        self.delete_queue = structure.delete_queue
        self.purge = structure.purge
        self.counts = structure.counts
        self.send = sending.send
        self.receive = receiving.receive
        self.delete = ending.delete
        self.change_visibility = ending.change_visibility
        self.move = Moving(core, sending, ending).move

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        clock: Callable[[], int] = now_ms,
        reserve_bytes: int = DEFAULT_RESERVE_BYTES,
        vfs: str | None = None,
    ) -> EmbeddedEngine:
        """Open or create a data folder. `clock` gives ms since the epoch; `vfs` names an SQLite VFS (for tests).

        Raises `DataFolderInUse`, `DataDamaged`, `StorageFull`, `StorageFailed`.
        """
        folder = DataFolder(Path(path), reserve_bytes=reserve_bytes)
        try:
            try:
                core = _open_core(folder, clock, vfs)
            except (
                StorageFull,
                StorageFailed,
            ):  # opening takes some room itself: the log's index, replaying the journal
                folder.give_up_reserve()
                core = _open_core(folder, clock, vfs)
        except BaseException:
            folder.close()
            raise
        if not folder.build_reserve():
            core.on_full()
        return cls(core)

    async def close(self) -> None:
        """Finish commits under way, wake waiting receives and release the folder."""
        core = self._core
        if core.closing:
            return
        core.closing = True
        self._upkeep.close()
        for queue in core.by_id.values():
            dismiss_pollers(queue)
        await self._dead_letters.close()
        await core.close()


def _open_core(folder: DataFolder, clock: Callable[[], int], vfs: str | None) -> Core:
    made = folder.made
    store = Store(folder.path, make=not made, vfs=vfs)
    try:
        core = Core(folder, store, clock)
        if not made:
            folder.mark_made()
    except SQLITE_ERRORS as error:
        store.close()
        raise storage_error(error, store.path) from error
    except BaseException:
        store.close()
        raise
    return core


if TYPE_CHECKING:
    _conforms: type[Engine] = EmbeddedEngine
