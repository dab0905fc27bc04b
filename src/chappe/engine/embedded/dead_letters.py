"""Moving messages that were received too often to the queue that their queue names."""

from __future__ import annotations

import asyncio

import structlog

from chappe.engine.embedded.core import Core
from chappe.engine.embedded.entry import Content, Entry, State
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.sending import Sending, place_of
from chappe.engine.embedded.writes import Write
from chappe.model.errors import ChappeError, StorageFull

_log = structlog.get_logger("chappe.engine")


class DeadLetters:
    def __init__(self, core: Core, sending: Sending) -> None:
        self._core = core
        self._sending = sending
        self._tasks: set[asyncio.Task[bool]] = set()

    async def close(self) -> None:
        """Wait for moves under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def target(self, queue: Queue) -> Queue | None:
        """The queue that dead letters of `queue` go to, if there is one."""
        policy = queue.settings.dead_letter
        return self._core.by_name.get(policy.queue) if policy is not None else None

    def move(self, queue: Queue, doomed: list[Entry], now: int) -> None:
        """Start moving messages that `queue` has marked as `MOVING`: one more of `queue.moves`."""
        task = asyncio.get_running_loop().create_task(self._move_all(queue, doomed, now))
        for tasks in (self._tasks, queue.moves):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _move_all(self, queue: Queue, doomed: list[Entry], now: int) -> bool:
        """Whether they are in their new queue. Otherwise they are back where they were."""
        try:
            await self._commit(queue, doomed, now)
        except ChappeError:
            return False
        except Exception:  # noqa: BLE001 - the edge of a background task: a defect must not pass unseen
            _log.exception("dead_letters_not_moved", queue=queue.name)
            return False
        finally:
            for entry in doomed:
                if entry.state is State.MOVING:
                    queue.undo(entry, self._core.clock())
        return True

    async def _commit(self, queue: Queue, doomed: list[Entry], now: int) -> None:
        contents = await self._core.contents(doomed)
        target = self.target(queue)
        if target is None or self._core.full is not None:
            raise StorageFull("No room to move messages to the dead-letter queue.")
        moved: list[Entry] = []
        copies: list[Entry] = []
        for entry, content in zip(doomed, contents, strict=True):
            if content is not None:
                moved.append(entry)
                copies.append(self._copy(entry, content, queue, target, now))
            else:  # damaged: only its row is left, for `chappe doctor`
                queue.give_up(entry)

        def apply(write: Write) -> None:
            for entry in moved:
                queue.moved_away(entry)
                self._core.end(entry)
            self._sending.arrived(write)

        await self._core.commit(Write(sent=copies, deleted=moved, apply=apply, grows=True))

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
