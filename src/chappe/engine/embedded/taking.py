"""Taking messages from a queue for a receiver, and reading more of it from disk."""

from __future__ import annotations

import asyncio

from chappe.engine.embedded.core import Core
from chappe.engine.embedded.dead_letters import DeadLetters
from chappe.engine.embedded.entry import Delivery
from chappe.engine.embedded.fifo import FifoQueue
from chappe.engine.embedded.queue import Queue, Taken
from chappe.engine.embedded.writes import Write


class Taking:
    def __init__(self, core: Core, dead_letters: DeadLetters) -> None:
        self.clock = core.clock
        self._core = core
        self._dead_letters = dead_letters

    def take(self, queue: Queue, max_messages: int, timeout: int) -> list[Delivery]:
        """Take what is at hand and note it in the commit stream."""
        now = self._core.clock()
        taken = queue.take(now, max_messages, timeout, lambda: self._dead_letters.target(queue) is not None)
        self._note(queue, taken, now)
        receipt_of = self._core.receipts.of
        return [
            Delivery(entry, receipt_of(entry), now, entry.first_received_at, entry.receive_count)
            for entry in taken.delivered
        ]

    def take_again(self, queue: FifoQueue, attempt_id: str, timeout: int) -> list[Delivery]:
        """Repeat a receive, if nothing happened to its messages meanwhile."""
        taken = queue.take_again(attempt_id, self._core.clock(), timeout)
        if taken:
            self._core.commits.submit(Write(received=[delivery.entry for delivery in taken]))
        return taken

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
        read = queue.load(self._core.clock())
        if read is None:
            return None
        queue.loading = read.done = asyncio.get_running_loop().create_future()
        read.done.add_done_callback(lambda done: self._load_ended(queue, done))
        self._core.commits.read(read)
        return read.done

    def _load_ended(self, queue: Queue, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and done.exception() is None and queue.pollers:
            self._core.serve(queue)

    def put_back(self, queue: Queue, taken: list[Delivery]) -> None:
        """A receive was cancelled after it took messages: make them ready again, uncounted, for nobody got them."""
        now = self._core.clock()
        flying = [delivery.entry for delivery in taken if delivery.current]
        for entry in flying:
            queue.take_back(entry, now)
        if flying:
            self._core.commits.submit(Write(received=flying))
        self._core.serve(queue)
