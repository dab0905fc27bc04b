"""Moving messages that were received too often to the queue that their queue names."""

from __future__ import annotations

import asyncio

from chappe.engine.embedded.core import Core
from chappe.engine.embedded.entry import Content, Entry, State
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.sending import Sending, place_of
from chappe.engine.embedded.writes import Write
from chappe.model.errors import ChappeError, StorageFull


class DeadLetters:
    def __init__(self, core: Core, sending: Sending) -> None:
        self._core = core
        self._sending = sending
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Wait for moves under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def target(self, queue: Queue) -> Queue | None:
        """The queue that dead letters of `queue` go to, if there is one."""
        policy = queue.settings.dead_letter
        return self._core.by_name.get(policy.queue) if policy is not None else None

    def move(self, queue: Queue, doomed: list[Entry], now: int) -> None:
        """Start moving messages that `queue` has marked as `MOVING`; `queue.move` is done when they are there."""
        task = queue.move = asyncio.get_running_loop().create_task(self._move_all(queue, doomed, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _move_all(self, queue: Queue, doomed: list[Entry], now: int) -> None:
        target = self.target(queue)
        try:
            contents = await self._core.contents(doomed)
            if target is None or self._core.full is not None:
                raise StorageFull("No room to move messages to the dead-letter queue.")
            copies = [
                self._copy(entry, content, queue, target, now)
                for entry, content in zip(doomed, contents, strict=True)
                if content is not None
            ]

            def moved(write: Write) -> None:
                queue.moving -= len(doomed)
                queue.leaving.difference_update(entry.seq for entry in doomed)
                for entry in doomed:
                    self._core.end(entry)
                self._sending.arrived(write)

            await self._core.commit(Write(sent=copies, deleted=doomed, apply=moved, grows=True))
        except ChappeError:
            for entry in doomed:
                if entry.state is State.MOVING:
                    queue.undo(entry, self._core.clock())

    def _copy(self, entry: Entry, content: Content, source: Queue, target: Queue, now: int) -> Entry:
        return Entry(
            seq=self._core.new_seq(),
            queue_id=target.id,
            id=entry.id,
            sent_at=now if target.settings.fifo else entry.sent_at,
            group=entry.group,
            source=source.name,
            place=place_of(target.settings.fifo, 0, entry.group),
            content=content,
        )
