"""Queues themselves: creating, listing, changing, emptying and deleting them."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right, insort

from chappe.engine.base import QueueCounts, QueueInfo, QueueSettings
from chappe.engine.embedded.checks import check_duration
from chappe.engine.embedded.core import Core
from chappe.engine.embedded.entry import State
from chappe.engine.embedded.fifo import FifoQueue
from chappe.engine.embedded.polling import dismiss_pollers
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.rows import encode_settings
from chappe.engine.embedded.standard import StandardQueue
from chappe.engine.embedded.writes import Write
from chappe.model.errors import InvalidInput, QueueExists

NAME_CHARACTERS = 256


class Structure:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._structure = asyncio.Lock()
        """Creations and deletions happen one after the other, so that a name is free or taken, never in between."""

    async def create_queue(self, name: str, settings: QueueSettings) -> QueueInfo:
        if not 1 <= len(name) <= NAME_CHARACTERS:
            raise InvalidInput(f"A queue name has 1 to {NAME_CHARACTERS} characters, not {len(name)}.")
        _check_settings(settings)
        self._core.check_open()
        async with self._structure:
            if name in self._core.by_name:
                raise QueueExists(f"A queue named {name} exists.", queue=name)
            if self._core.full is not None:
                raise self._core.full
            now = self._core.clock()
            info = QueueInfo(name, settings, now, now)
            queue_id = await self._core.commits.run(lambda store: store.create_queue(info))
            kind = FifoQueue if settings.fifo else StandardQueue
            queue = kind(queue_id, info, purged_seq=0)
            self._core.by_id[queue_id] = queue
            self._core.by_name[name] = queue
            insort(self._core.names, name)
            return info

    async def get_queue(self, name: str) -> QueueInfo:
        return self._core.queue(name).info

    async def list_queues(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[QueueInfo]:
        start = max(bisect_right(self._core.names, after) if after else 0, bisect_left(self._core.names, prefix))
        found: list[QueueInfo] = []
        for name in self._core.names[start:]:
            if not name.startswith(prefix) or len(found) >= limit:
                break
            found.append(self._core.by_name[name].info)
        return found

    async def set_queue(self, name: str, settings: QueueSettings) -> QueueInfo:
        queue = self._core.queue(name)
        if settings.fifo != queue.settings.fifo:
            raise InvalidInput("A queue cannot change between standard and FIFO; create another.", queue=name)
        _check_settings(settings)
        now = self._core.clock()
        info = QueueInfo(name, settings, queue.info.created_at_ms, now)
        vanished_ms = queue.cutoff(now)
        await self._core.commit(
            Write(
                statements=[
                    (
                        "UPDATE queues SET settings = ?, modified_at_ms = ?, vanished_ms = ? WHERE id = ?",
                        (encode_settings(settings), info.modified_at_ms, vanished_ms, queue.id),
                    )
                ],
                apply=lambda _: self._set_info(queue, info, vanished_ms),
            )
        )
        return info

    def _set_info(self, queue: Queue, info: QueueInfo, vanished_ms: int) -> None:
        queue.set_info(info, vanished_ms)
        if queue.pollers:  # more may be in flight now, or less is a dead letter
            self._core.serve(queue)

    async def delete_queue(self, name: str) -> None:
        async with self._structure:
            queue = self._core.queue(name)
            await self._core.commit(
                Write(
                    statements=[
                        ("INSERT INTO garbage VALUES (?, ?)", (queue.id, self._core.last_seq)),
                        ("DELETE FROM queues WHERE id = ?", (queue.id,)),
                    ],
                    apply=lambda _: self._forget_queue(queue),
                )
            )

    def _forget_queue(self, queue: Queue) -> None:
        queue.deleted = True
        del self._core.by_name[queue.name]
        self._core.names.remove(queue.name)
        dismiss_pollers(queue)
        self._forget_entries(queue)
        queue.forget_all(self._core.last_seq)
        self._core.by_id.pop(queue.id, None)
        self._core.garbage = True

    async def purge(self, name: str) -> None:
        queue = self._core.queue(name)
        upto = self._core.last_seq
        await self._core.commit(
            Write(
                statements=[
                    ("INSERT INTO garbage VALUES (?, ?)", (queue.id, upto)),
                    (
                        "UPDATE queues SET purged_seq = ?, stored = 0, parked = 0, grouped = 0 WHERE id = ?",
                        (upto, queue.id),
                    ),
                ],
                apply=lambda _: self._purged(queue, upto),
            )
        )

    def _purged(self, queue: Queue, upto: int) -> None:
        """Sequences are given out in the order of submission, so what was sent after the purge arrives after this."""
        self._forget_entries(queue)
        queue.forget_all(upto)
        self._core.garbage = True

    def _forget_entries(self, queue: Queue) -> None:
        for entry in list(queue.entries()):
            self._core.release(entry)
            entry.state = State.DEAD
            entry.settled = False  # its row goes with the garbage

    async def counts(self, name: str) -> QueueCounts:
        queue = self._core.queue(name)
        now = self._core.clock()
        counts = queue.counts(now)
        self._core.serve(queue)
        if isinstance(queue, StandardQueue) and queue.parked_on_disk and queue.horizon[0] <= now:
            horizon = queue.horizon
            due = await self._core.commits.run(lambda store: store.count_due(queue.id, queue.purged_seq, horizon, now))
            counts = queue.counts(now)
            due = min(max(0, due - queue.at_hand_beyond(horizon, now)), counts.delayed)
            counts = QueueCounts(counts.ready + due, counts.in_flight, counts.delayed - due)
        return counts


def _check_settings(settings: QueueSettings) -> None:
    check_duration(settings.delay_ms, "delay_ms")
    check_duration(settings.visibility_timeout_ms, "visibility_timeout_ms")
    check_duration(settings.retention_ms or 0, "retention_ms")
    if settings.dead_letter is not None and settings.dead_letter.max_receive_count < 1:
        raise InvalidInput("max_receive_count is at least 1.", field="max_receive_count")
