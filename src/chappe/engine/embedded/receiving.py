"""Receiving: taking what is ready, reading what is only on disk, waiting for what is not there yet."""

from __future__ import annotations

import asyncio

from chappe.engine.base import MAX_RECEIVE, ReceivedMessage
from chappe.engine.embedded.checks import check_duration
from chappe.engine.embedded.core import Core
from chappe.engine.embedded.entry import Delivery, State
from chappe.engine.embedded.fifo import FifoQueue
from chappe.engine.embedded.message_ids import id_text
from chappe.engine.embedded.polling import serve_pollers, wait_for_messages
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.taking import Taking
from chappe.model.errors import InFlightLimit, InvalidInput


class Receiving:
    def __init__(self, core: Core, taking: Taking) -> None:
        self._core = core
        self._taking = taking
        core.serve = lambda queue: serve_pollers(taking, queue)

    async def receive(
        self,
        name: str,
        *,
        max_messages: int = 1,
        visibility_timeout_ms: int | None = None,
        wait_ms: int = 0,
        attempt_id: str | None = None,
    ) -> list[ReceivedMessage]:
        queue = self._core.queue(name)
        if not 1 <= max_messages <= MAX_RECEIVE:
            raise InvalidInput(f"A receive takes 1 to {MAX_RECEIVE} messages, not {max_messages}.")
        timeout = queue.settings.visibility_timeout_ms if visibility_timeout_ms is None else visibility_timeout_ms
        check_duration(timeout, "visibility_timeout_ms")
        check_duration(wait_ms, "wait_ms")
        if attempt_id is not None:
            return await self._attempt(queue, attempt_id, max_messages, timeout, wait_ms)
        return await self._deliver(queue, await self._take(queue, max_messages, timeout, wait_ms))

    async def _attempt(
        self, queue: Queue, attempt_id: str, max_messages: int, timeout: int, wait_ms: int
    ) -> list[ReceivedMessage]:
        if not isinstance(queue, FifoQueue):
            raise InvalidInput("Only a FIFO queue knows receive attempts.", queue=queue.name)
        taken = self._taking.take_again(queue, attempt_id, timeout)
        if not taken:
            taken = await self._take(queue, max_messages, timeout, wait_ms)
            if taken:
                queue.remember(attempt_id, taken, self._core.clock())
        return await self._deliver(queue, taken, kept_for_a_repeat=True)

    async def _take(self, queue: Queue, max_messages: int, timeout: int, wait_ms: int) -> list[Delivery]:
        taken: list[Delivery] = []
        if not queue.pollers:
            taken = await self._take_loading(queue, max_messages, timeout)
        if not taken and wait_ms > 0 and not queue.deleted and not self._core.closing:
            taken = await wait_for_messages(self._taking, queue, max_messages, timeout, wait_ms)
        elif not taken and not queue.settings.fifo and queue.in_flight >= queue.settings.max_in_flight:
            raise InFlightLimit(
                f"The queue has {queue.in_flight} messages in flight, the most its settings allow. Delete received"
                " messages or wait for their visibility timeouts.",
                queue=queue.name,
            )
        return taken

    async def _take_loading(self, queue: Queue, max_messages: int, timeout: int) -> list[Delivery]:
        """Take what is ready, reading from disk as far as needed."""
        while True:
            taken = self._taking.take(queue, max_messages, timeout)
            if taken:
                self._taking.load(queue)
                return taken
            moves = list(queue.moves)
            loading = self._taking.load(queue)
            if not moves and loading is None:
                return taken
            if moves:  # answer "nothing" when the dead letters are in their queue
                await asyncio.wait(moves)
            if loading is not None:
                await asyncio.shield(loading)
            if queue.deleted or not all(move.result() for move in moves):
                return []

    async def _deliver(
        self, queue: Queue, taken: list[Delivery], *, kept_for_a_repeat: bool = False
    ) -> list[ReceivedMessage]:
        if not taken:
            return []
        try:
            contents = await self._core.contents([delivery.entry for delivery in taken])
        except asyncio.CancelledError:
            if not kept_for_a_repeat:
                self._taking.put_back(queue, taken)
            raise
        received: list[ReceivedMessage] = []
        for delivery, content in zip(taken, contents, strict=True):
            entry = delivery.entry
            if content is None:  # purged or deleted while its content was read, or damaged
                if entry.state is State.IN_FLIGHT:
                    queue.pass_over(entry, self._core.clock())
                continue
            attributes, body = content
            received.append(
                ReceivedMessage(
                    id_text(entry.id),
                    delivery.receipt,
                    entry.seq,
                    body,
                    attributes,
                    entry.group,
                    entry.sent_at,
                    delivery.received_at,
                    delivery.first_received_at,
                    delivery.receive_count,
                    entry.source,
                )
            )
            if entry.settled:
                self._core.release(entry)
        return received
