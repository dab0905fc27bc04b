"""A lane: the workers of one purpose and channel.

It receives as many messages as it has room for, checks them together, and lets runners make the attempts, no more at
once than the providers of the route have slots (webhooks wait for a slot of their host, each by itself). While it holds
a message it keeps the queue from showing it to others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from chappe.engine.base import NewMessage, ReceivedMessage
from chappe.model.customer import Channel, Purpose
from chappe.model.errors import ChappeError, Closed
from chappe.pipeline.context import Context
from chappe.pipeline.delivery.attempt import attempt
from chappe.pipeline.delivery.dispatching import check, settle_step
from chappe.pipeline.delivery.held import Held
from chappe.pipeline.delivery.settling import Settlement, Settler
from chappe.pipeline.envelope import from_body
from chappe.pipeline.failures import Failures
from chappe.pipeline.names import VISIBILITY_MS
from chappe.pipeline.verdicts.deciding import Next

WAIT_MS = 20_000
EXTEND_BEFORE_MS = 7_000
"""A held message is extended when the queue would show it again within this time."""
EXTEND_INTERVAL_SECONDS = 2.0
COPY_AGAIN_MS = 1_000
NOT_HELD = -1
"""In place of a key, for what is settled without having been held."""
_log = structlog.get_logger("chappe.pipeline")


class Lane:
    """Dispatches the messages of one purpose and channel, until cancelled."""

    def __init__(self, context: Context, purpose: Purpose, channel: Channel) -> None:
        self._context = context
        self._queue = context.names.lane(purpose, channel)
        self._pace = context.pace(purpose)
        self._held: dict[int, Held] = {}
        self._ready: deque[Held] = deque()
        self._runners: set[asyncio.Task[None]] = set()
        self._runner_starting = False
        # A runner that waits for a slot of one webhook receiver must not keep others from theirs.
        slots = sum(gateway.gate.limit for gateway in context.routes.of(channel))
        self._runners_max = context.settings.lane_capacity if channel is Channel.WEBHOOK else slots
        self._room = asyncio.Event()
        self._failures = Failures(context, self._queue)
        self._settler = Settler(context, self._queue, self._pace, release=self._release)

    async def run(self) -> None:
        """Receive and dispatch."""
        extending = asyncio.create_task(self._extend(), name=f"{self._queue} extending")
        try:
            while True:
                await self._receive()
        except Closed:
            return
        finally:
            extending.cancel()

    async def finish(self, grace_seconds: float) -> None:
        """After `run` has ended: wait for attempts under way, and settle what they came to."""
        self._ready.clear()
        if self._runners:
            _, unfinished = await asyncio.wait(set(self._runners), timeout=grace_seconds)
            for runner in unfinished:
                runner.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        await self._settler.settled()

    async def _receive(self) -> None:
        context = self._context
        try:
            room = await self._free_room()
            batch = await context.engine.receive(self._queue, max_messages=room, wait_ms=WAIT_MS)
            if batch:
                await self._pace.begin()
                with self._pace.under_way():
                    await self._take(batch)
            self._failures.over()
        except Closed:
            raise
        except Exception as error:  # noqa: BLE001 (a defect met by one batch must not end the lane)
            await self._failures.pause(error)

    async def _free_room(self) -> int:
        settings = self._context.settings
        while len(self._held) >= settings.lane_capacity:
            self._room.clear()
            await self._room.wait()
        return min(settings.receive_batch, settings.lane_capacity - len(self._held))

    async def _take(self, batch: Sequence[ReceivedMessage]) -> None:
        taken = [held for received in batch if (held := self._hold(received)) is not None]
        if not taken:
            return
        try:
            steps = await check(self._context, taken)
        except BaseException:
            self._release([held.key for held in taken])
            raise
        for held, step in zip(taken, steps, strict=True):
            if step.next is Next.GO:
                self._ready.append(held)
            else:
                self._settler.settle(settle_step(self._context, held, step))
        self._start_runner()

    def _start_runner(self) -> None:
        """Start another runner, unless there is nothing to do, all slots are in use, or one is starting already."""
        if self._ready and not self._runner_starting and len(self._runners) < self._runners_max:
            self._runner_starting = True
            runner = asyncio.create_task(self._run_attempts(), name=f"{self._queue} attempts")
            self._runners.add(runner)
            runner.add_done_callback(self._runner_ended)

    def _runner_ended(self, runner: asyncio.Task[None]) -> None:
        self._runners.discard(runner)
        self._start_runner()  # for what came while this one still counted

    def _hold(self, received: ReceivedMessage) -> Held | None:
        context = self._context
        envelope = from_body(received.body)
        if envelope is None:
            _log.warning("lane_unreadable", queue=self._queue, message=received.id)
            copy = NewMessage(received.body, dead_letter_source=self._queue)
            sends = ((context.names.dead_letters(self._queue), copy),)
            self._settler.settle(Settlement(NOT_HELD, received.receipt, sends=sends))
            return None
        key = envelope.key
        if not context.hands.take(key):
            # Another copy is being worked on; this one comes again and is dropped then.
            self._settler.settle(Settlement(NOT_HELD, received.receipt, again_at_ms=context.now_ms() + COPY_AGAIN_MS))
            return None
        now_ms = context.now_ms()
        held = Held(
            key=key,
            envelope=envelope,
            receipt=received.receipt,
            sent_at_ms=received.sent_at_ms,
            attempts=0,
            checked_at_ms=now_ms,
            shown_again_at_ms=now_ms + VISIBILITY_MS,
        )
        self._held[key] = held
        return held

    async def _run_attempts(self) -> None:
        await self._pace.begin()
        self._runner_starting = False
        while self._ready:
            await self._pace.pause()
            held = self._ready.popleft() if self._ready else None
            if held is None:
                return
            self._start_runner()  # for the others, should this attempt have to wait
            try:
                self._settler.settle(await attempt(self._context, held))
            except ChappeError as error:
                # The check could not be made. The queue brings the message again.
                _log.warning("attempt_not_made", queue=self._queue, code=error.code, reason=error.message)
                self._release([held.key])
            except Exception:  # noqa: BLE001 (a defect must not hold the message for ever)
                _log.exception("attempt_failed", queue=self._queue, message=held.envelope.message.id)
                self._release([held.key])

    def _release(self, keys: Sequence[int]) -> None:
        for key in keys:
            if self._held.pop(key, None) is not None:
                self._context.hands.let_go(key)
        self._room.set()

    async def _extend(self) -> None:
        engine = self._context.engine
        while True:
            await asyncio.sleep(EXTEND_INTERVAL_SECONDS)
            now_ms = self._context.now_ms()
            due = [held for held in self._held.values() if held.shown_again_at_ms - now_ms < EXTEND_BEFORE_MS]
            if not due:
                continue
            for held in due:
                held.shown_again_at_ms = now_ms + VISIBILITY_MS
            try:
                await engine.change_visibility(self._queue, [(held.receipt, VISIBILITY_MS) for held in due])
            except Exception as error:  # noqa: BLE001 (to go on is better than to let everything be shown again)
                _log.warning("lane_not_extended", queue=self._queue, reason=repr(error))
