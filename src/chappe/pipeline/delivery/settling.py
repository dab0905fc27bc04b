"""Results of attempts: recorded first, then settled with the queue, many at a time.

Nothing is forgotten while the disk is full or failing: what cannot be recorded is tried again until it can, and the
lane takes in no more than its capacity meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec
import structlog

from chappe.engine.base import NewMessage
from chappe.model.errors import ChappeError, Closed
from chappe.pipeline.background import Pace
from chappe.pipeline.context import Context
from chappe.records.steps import Transition

SETTLE_MAX = 250
_PAUSE_AFTER_FAILURE_SECONDS = 1.0
_log = structlog.get_logger("chappe.pipeline")


class Settlement(msgspec.Struct, frozen=True):
    """What becomes of a message that a lane holds.

    Its `transitions` are recorded and `sends` (queue, message) made; then the lane's copy is deleted, or, with
    `again_at_ms`, shown again at that time, however long recording took.
    """

    key: int
    receipt: str
    transitions: tuple[Transition, ...] = ()
    sends: tuple[tuple[str, NewMessage], ...] = ()
    again_at_ms: int | None = None


class Settler:
    """Settles for one lane. `release` is told the keys that the lane holds no longer."""

    def __init__(self, context: Context, queue: str, pace: Pace, *, release: Callable[[Sequence[int]], None]) -> None:
        self._context = context
        self._queue = queue
        self._pace = pace
        self._release = release
        self._waiting: list[Settlement] = []
        self._draining: asyncio.Task[None] | None = None
        self._with_queue: set[asyncio.Task[None]] = set()

    def settle(self, settlement: Settlement) -> None:
        """Settle soon, together with others."""
        self._waiting.append(settlement)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="lane settling")

    async def settled(self) -> None:
        """Wait until everything handed in is settled."""
        while self._draining is not None or self._with_queue:
            await asyncio.wait([*self._with_queue, *([self._draining] if self._draining else [])])

    async def _drain(self) -> None:
        while self._waiting:
            await self._pace.begin()
            batch, self._waiting = self._waiting[:SETTLE_MAX], self._waiting[SETTLE_MAX:]
            try:
                await self._record(batch)
            except Closed:
                _log.warning("unsettled_at_close", queue=self._queue, count=len(batch))
                self._release([settlement.key for settlement in batch])
                continue
            for settlement in batch:
                self._context.hands.back_from_provider(settlement.key)
            # The next batch is recorded meanwhile.
            task = asyncio.create_task(self._settle_with_queue(batch), name="lane settling with queue")
            self._with_queue.add(task)
            task.add_done_callback(self._with_queue.discard)
        self._draining = None

    async def _record(self, batch: Sequence[Settlement]) -> None:
        context = self._context
        sends: dict[str, list[NewMessage]] = {}
        for settlement in batch:
            for queue, message in settlement.sends:
                sends.setdefault(queue, []).append(message)
        for queue, messages in sends.items():
            await self._insist(partial(context.engine.send, queue, messages))
        transitions = [step for settlement in batch for step in settlement.transitions]
        if transitions:
            await self._insist(partial(context.records.messages.advance, transitions, urgent=self._pace.urgent))

    async def _settle_with_queue(self, batch: Sequence[Settlement]) -> None:
        engine = self._context.engine
        done = [settlement.receipt for settlement in batch if settlement.again_at_ms is None]
        again = [(s.receipt, s.again_at_ms) for s in batch if s.again_at_ms is not None]
        try:
            if done:
                await engine.delete(self._queue, done)
            if again:
                now_ms = self._context.now_ms()
                waits = [(receipt, max(0, at_ms - now_ms)) for receipt, at_ms in again]
                await engine.change_visibility(self._queue, waits)
        except ChappeError as error:
            # They are received again when their visibility timeout ends, and the record says what to do.
            _log.warning("lane_not_settled", queue=self._queue, code=error.code, reason=error.message)
        finally:
            self._release([settlement.key for settlement in batch])

    async def _insist(self, write: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await write()
            except Closed:
                raise
            except Exception as error:  # noqa: BLE001 (a result that is forgotten would be sent again)
                _log.error("result_not_recorded_yet", queue=self._queue, reason=repr(error))
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
            else:
                return
