"""Receiving: taking what is ready, reading what is only on disk, waiting for what is not there yet."""

from __future__ import annotations

import asyncio

import structlog

from chappe.engine.base import MAX_RECEIVE, ReceivedMessage
from chappe.engine.embedded.checks import check_duration
from chappe.engine.embedded.core import Core
from chappe.engine.embedded.dead_letters import DeadLetters
from chappe.engine.embedded.entry import Entry, State, id_text
from chappe.engine.embedded.polling import serve_pollers, wait_for_messages
from chappe.engine.embedded.queue import Queue, Taken
from chappe.engine.embedded.writes import Write
from chappe.model.errors import DataDamaged, InFlightLimit, InvalidInput

_log = structlog.get_logger("chappe.engine")


class Receiving:
    def __init__(self, core: Core, dead_letters: DeadLetters) -> None:
        self._core = core
        self.clock = core.clock
        self._dead_letters = dead_letters
        core.serve = lambda queue: serve_pollers(self, queue)

    async def receive(
        self,
        name: str,
        *,
        max_messages: int = 1,
        visibility_timeout_ms: int | None = None,
        wait_ms: int = 0,
    ) -> list[ReceivedMessage]:
        queue = self._core.queue(name)
        if not 1 <= max_messages <= MAX_RECEIVE:
            raise InvalidInput(f"A receive takes 1 to {MAX_RECEIVE} messages, not {max_messages}.")
        timeout = queue.settings.visibility_timeout_ms if visibility_timeout_ms is None else visibility_timeout_ms
        check_duration(timeout, "visibility_timeout_ms")
        check_duration(wait_ms, "wait_ms")
        taken: list[Entry] = []
        if not queue.pollers:
            taken = await self._take_loading(queue, max_messages, timeout)
        if not taken and queue.damage is not None:
            raise queue.damage
        if not taken and wait_ms > 0 and not queue.deleted and not self._core.closing:
            taken = await wait_for_messages(self, queue, max_messages, timeout, wait_ms)
        elif not taken and not queue.settings.fifo and queue.in_flight >= queue.settings.max_in_flight:
            raise InFlightLimit(
                f"The queue has {queue.in_flight} messages in flight, the most its settings allow. Delete received"
                " messages or wait for their visibility timeouts.",
                queue=name,
            )
        if not taken:
            return []
        return await self._deliver(queue, taken)

    async def _take_loading(self, queue: Queue, max_messages: int, timeout: int) -> list[Entry]:
        """Take what is ready, reading from disk as far as needed."""
        while True:
            taken = self.take(queue, max_messages, timeout)
            if taken:
                self.load(queue)
                return taken
            if queue.moving and queue.move is not None:  # answer "nothing" when the dead letters are in their queue
                await asyncio.wait([queue.move])
            loading = self.load(queue)
            if loading is None:
                return taken
            await asyncio.shield(loading)
            if queue.deleted:
                return []

    def take(self, queue: Queue, max_messages: int, timeout: int) -> list[Entry]:
        """Take what is at hand and note it in the commit stream."""
        now = self._core.clock()
        taken = queue.take(now, max_messages, timeout, lambda: self._dead_letters.target(queue) is not None)
        self._note(queue, taken, now)
        return taken.delivered

    def _note(self, queue: Queue, taken: Taken, now: int) -> None:
        if taken.delivered:
            self._core.commits.submit(Write(received=taken.delivered))
        if taken.expired:
            self._core.expire(taken.expired)
        if taken.doomed:
            self._dead_letters.move(queue, taken.doomed, now)

    def load(self, queue: Queue) -> asyncio.Future[None] | None:
        """Start reading what the queue wants from disk; the future is done when it is at hand. None if nothing."""
        if queue.loading is not None and not queue.loading.done():
            return queue.loading
        read = queue.load(self._core.clock()) if queue.damage is None else None
        if read is None:
            return None
        queue.loading = read.done = asyncio.get_running_loop().create_future()
        read.done.add_done_callback(lambda done: self._load_ended(queue, done))
        self._core.commits.read(read)
        return read.done

    def _load_ended(self, queue: Queue, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if isinstance(error, DataDamaged):
            queue.damage = error
            _log.error("queue_damaged", queue=queue.name, reason=error.message)
        elif error is None and queue.pollers:
            self._core.serve(queue)

    async def _deliver(self, queue: Queue, taken: list[Entry]) -> list[ReceivedMessage]:
        receipts = [self._core.receipts.of(entry) for entry in taken]
        deliveries = [(entry.first_received_at, entry.receive_count) for entry in taken]
        try:
            contents = await self._core.contents(taken)
        except asyncio.CancelledError:
            self.put_back(queue, taken)
            raise
        received: list[ReceivedMessage] = []
        for entry, receipt, delivery, content in zip(taken, receipts, deliveries, contents, strict=True):
            if content is None:  # purged or deleted while its content was read
                continue
            attributes, body = content
            received.append(
                ReceivedMessage(
                    id_text(entry.id),
                    receipt,
                    entry.seq,
                    body,
                    attributes,
                    entry.group,
                    entry.sent_at,
                    *delivery,
                    entry.source,
                )
            )
            if entry.settled:
                self._core.release(entry)
        return received

    def put_back(self, queue: Queue, taken: list[Entry]) -> None:
        """A receive was cancelled after it took messages: make them ready again."""
        now = self._core.clock()
        flying = [entry for entry in taken if entry.state is State.IN_FLIGHT]
        for entry in flying:
            queue.change_visibility(entry, now, now)
        if flying:
            self._core.commits.submit(Write(received=flying))
        self._core.serve(queue)
