"""What the embedded engine does by itself: settle, expire, collect garbage, look for room on a full disk."""

from __future__ import annotations

import asyncio
import shutil
from collections import deque

import structlog

from chappe.engine.embedded.core import Core
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.taking import Taking
from chappe.model.errors import ChappeError

INTERVAL_SECONDS = 0.2
EXPIRE_EVERY_MS = 10_000
QUEUES_PER_TURN = 500
GARBAGE_ROWS = 500
_log = structlog.get_logger("chappe.engine")


class Upkeep:
    def __init__(self, core: Core, taking: Taking) -> None:
        self._core = core
        self._taking = taking
        self._to_expire: deque[Queue] = deque()
        self._expired_at_ms = 0
        self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self._turn()
            except ChappeError:  # reported where it matters: to whoever writes next
                pass
            except Exception:  # noqa: BLE001 - a defect must not end all upkeep
                _log.exception("upkeep_failed")

    async def _turn(self) -> None:
        core = self._core
        core.commits.tick()
        now = core.clock()
        core.keys.forget_old(now)
        self._serve(now)
        self._expire(now)
        if core.full is not None:
            await self._look_for_room()
        elif not core.folder.reserved:
            await self._watch_room()
        elif core.garbage:
            core.garbage = await core.commits.run(lambda store: store.collect_garbage(GARBAGE_ROWS))

    def _serve(self, now: int) -> None:
        """Receives that wait for messages which come due only on disk."""
        for queue in self._core.by_id.values():
            if queue.pollers:
                instant = queue.next_instant()
                if instant is not None and instant <= now:
                    self._core.serve(queue)
                else:
                    self._taking.load(queue)  # serves when it is done

    def _expire(self, now: int) -> None:
        if not self._to_expire and (now >= self._expired_at_ms + EXPIRE_EVERY_MS or now < self._expired_at_ms):
            self._expired_at_ms = now
            self._to_expire.extend(self._core.by_id.values())
        for _ in range(min(QUEUES_PER_TURN, len(self._to_expire))):
            queue = self._to_expire.popleft()
            cutoff = queue.cutoff(now)
            if queue.deleted or not cutoff:
                continue
            expired = queue.expire(cutoff, now)
            if expired:
                self._core.expire(expired)
            if self._taking.load(queue) is not None or expired:  # more may be on disk
                self._to_expire.append(queue)

    async def _look_for_room(self) -> None:
        """Take new messages again when the reserve stands, or when deletes left enough room inside the database."""
        core = self._core
        folder = core.folder
        free_inside_bytes = await core.make_room()
        core.room_bytes = free_inside_bytes - folder.reserve_bytes
        rebuilt = await asyncio.to_thread(folder.build_reserve)
        beside_it = shutil.disk_usage(folder.path).free > folder.reserve_bytes // 4
        if (rebuilt and beside_it) or free_inside_bytes > 2 * folder.reserve_bytes:
            core.full = None
            _log.info("disk_has_room", path=str(folder.path))

    async def _watch_room(self) -> None:
        """As long as there is no reserve beside the database, as much must stay free inside it."""
        core = self._core
        folder = core.folder
        beside_it = shutil.disk_usage(folder.path).free > 2 * folder.reserve_bytes
        if beside_it and await asyncio.to_thread(folder.build_reserve):
            return
        core.room_bytes = await core.commits.run(lambda store: store.free_bytes()) - folder.reserve_bytes
        if core.room_bytes < 0:
            core.on_full()
