"""Carrying out one message move task: take a batch, move it, a commit each.

The engine moves messages in one commit, so whenever the server dies each is at one place. As in AWS, a moved message is
a new one, with an id and a time of sending of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from chappe.broker.move_records import CANCELLED, CANCELLING, COMPLETED, FAILED, RUNNING, MoveTask
from chappe.engine.base import Engine, ReceivedMessage, SentMessage
from chappe.model.errors import ChappeError, QueueNotFound, Unavailable

_log = structlog.get_logger("chappe.broker")
BATCH_MAX = 20
HOLD_MS = 30_000
"""How long a message in the middle of its move stays invisible, also to the server that starts after a crash."""
SAVE_SECONDS = 1.0
RETRY_SECONDS = 1.0
NO_SUCH_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
NO_ORIGIN = "CouldNotDetermineMessageSource"


class NoOrigin(Exception):
    """A message did not come from another queue, so there is none to move it back to."""


class Mover:
    """Works on one task until it is over. `save` keeps the task as it stands.

    With `resumed`, the task was interrupted, perhaps by a crash with messages in its hands: it is not over before those
    can have become visible again.
    """

    def __init__(
        self,
        engine: Engine,
        task: MoveTask,
        save: Callable[[], Awaitable[None]],
        clock_ms: Callable[[], int],
        *,
        resumed: bool = False,
    ) -> None:
        self._engine = engine
        self._task = task
        self._save = save
        self._clock_ms = clock_ms
        self._held_until_ms = clock_ms() + HOLD_MS if resumed else 0
        self._leaving = False
        self._wake = asyncio.Event()
        self._saved_at = 0.0
        self._next_at = 0.0
        self._empty = False

    def wake(self) -> None:
        """The task's status was changed: look at it now."""
        self._wake.set()

    def leave(self) -> None:
        """Let `run` return after the step under way, with the task as it is."""
        self._leaving = True
        self._wake.set()

    async def run(self) -> None:
        """Returns when the task is over. Raises `QueueNotFound` if the queue it moves from is gone."""
        task = self._task
        while task.status == RUNNING and not self._leaving:
            try:
                await self._step()
            except Unavailable as error:
                _log.warning("move_task_waits", task=task.id, source=task.source, reason=error.message)
                await self._pause(RETRY_SECONDS)
        if task.status == CANCELLING:
            task.status = CANCELLED
        await self._save()

    async def _step(self) -> None:
        taken = await self._engine.receive(
            self._task.source,
            max_messages=self._batch_size(),
            visibility_timeout_ms=HOLD_MS,
            wait_ms=int(RETRY_SECONDS * 1000) if self._empty else 0,
        )
        self._empty = not taken
        if not taken:
            counts = await self._engine.counts(self._task.source)
            if counts.ready == 0 and (counts.in_flight == 0 or self._clock_ms() >= self._held_until_ms):
                self._task.status = COMPLETED
            return
        done = moved = 0
        try:
            for destination, messages in _runs(taken, self._task.destination):
                moved += await self._move(messages, destination)
                done += len(messages)
        except (QueueNotFound, NoOrigin) as error:
            self._task.status = FAILED
            self._task.failure = NO_ORIGIN if isinstance(error, NoOrigin) else NO_SUCH_QUEUE
        finally:
            self._task.moved += moved
            if done < len(taken):
                await self._let_go(taken[done:])
        await self._keep_pace(moved)

    async def _move(self, messages: list[ReceivedMessage], destination: str | None) -> int:
        """How many were still there to be moved."""
        if destination is None:
            raise NoOrigin
        receipts = [message.receipt for message in messages]
        outcomes = await self._engine.move(self._task.source, receipts, destination)
        return sum(isinstance(outcome, SentMessage) for outcome in outcomes)

    async def _let_go(self, messages: list[ReceivedMessage]) -> None:
        with contextlib.suppress(ChappeError):
            await self._engine.change_visibility(self._task.source, [(message.receipt, 0) for message in messages])

    def _batch_size(self) -> int:
        """Small enough that a limited rate is even within a tenth of a second, or moves one message at a time."""
        limit = self._task.per_second
        return BATCH_MAX if limit is None else max(1, min(BATCH_MAX, limit // 10))

    async def _keep_pace(self, moved: int) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self._saved_at >= SAVE_SECONDS:
            self._saved_at = loop.time()
            await self._save()
        if self._task.per_second is not None and self._task.status == RUNNING and not self._leaving:
            self._next_at = max(self._next_at, loop.time()) + moved / self._task.per_second
            await self._pause(self._next_at - loop.time())

    async def _pause(self, seconds: float) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()


def _runs(taken: list[ReceivedMessage], destination: str | None) -> list[tuple[str | None, list[ReceivedMessage]]]:
    """The messages in the order they were taken, those with the same destination in a row together."""
    runs: list[tuple[str | None, list[ReceivedMessage]]] = []
    for message in taken:
        target = destination if destination is not None else message.dead_letter_source
        if not runs or runs[-1][0] != target:
            runs.append((target, []))
        runs[-1][1].append(message)
    return runs
