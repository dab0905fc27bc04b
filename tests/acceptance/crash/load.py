"""Concurrent users of the engine: they send, receive, delete, extend, give up and try again, until it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from functools import partial

from tests.acceptance.crash.ledger import Ledger, wall_ms
from tests.acceptance.crash.remote import Gone, Remote

from chappe.engine.base import DeadLetterPolicy, QueueCounts, QueueSettings, ReceivedMessage
from chappe.model.errors import Closed, QueueExists

STANDARD, FIFO, SCRATCH = "standard", "orders", "scratch"
DEAD, DEAD_FIFO = "dead", "dead-orders"
DEAD_LETTER_QUEUES = {STANDARD: DEAD, FIFO: DEAD_FIFO}
MAX_RECEIVES = 5
MOST_STORED = 3000
NO_RETENTION = QueueSettings(visibility_timeout_ms=150, retention_ms=None)
QUEUES = {
    DEAD: NO_RETENTION,
    DEAD_FIFO: QueueSettings(fifo=True, visibility_timeout_ms=150, retention_ms=None),
    SCRATCH: NO_RETENTION,
    STANDARD: QueueSettings(
        visibility_timeout_ms=150, retention_ms=None, dead_letter=DeadLetterPolicy(DEAD, MAX_RECEIVES)
    ),
    FIFO: QueueSettings(
        fifo=True,
        visibility_timeout_ms=150,
        retention_ms=None,
        dead_letter=DeadLetterPolicy(DEAD_FIFO, MAX_RECEIVES),
    ),
}
FIFO_SENDERS = 4
GROUPS_OF_EACH = 4


class Load:
    """`ledger` outlives the engines; so does what a FIFO sender has to send again."""

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        self.ledger = ledger
        self._chance = chance
        self._to_send_again: dict[int, list[str]] = {}
        self._acknowledged: dict[int, list[str]] = {worker: [] for worker in range(FIFO_SENDERS)}

    async def create_queues(self, remote: Remote) -> None:
        for name, settings in QUEUES.items():
            with contextlib.suppress(QueueExists):
                await remote.call("create_queue", name, settings)

    async def run(self, remote: Remote) -> None:
        """Until the engine is gone."""
        steps: list[Callable[[], Awaitable[None]]] = [
            *[lambda: self._send_standard(remote)] * 2,
            *[lambda: self._receive(remote, STANDARD)] * 3,
            *[lambda: self._receive(remote, FIFO)] * 3,
            lambda: self._receive(remote, DEAD),
            lambda: self._receive(remote, DEAD_FIFO),
            lambda: self._fill_and_purge(remote),
            lambda: self._receive(remote, SCRATCH),
        ]
        steps += [partial(self._send_fifo, remote, worker) for worker in range(FIFO_SENDERS)]
        await asyncio.gather(*(self._until_gone(step) for step in steps))

    async def _until_gone(self, step: Callable[[], Awaitable[None]]) -> None:
        with contextlib.suppress(Gone, Closed):
            while True:
                await step()
                figures = self.ledger.figures
                if figures["acknowledged"] - figures["deleted"] > MOST_STORED:
                    await asyncio.sleep(0.01)
                elif self._chance.random() < 0.3:
                    await asyncio.sleep(self._chance.random() / 200)

    # --- sending ------------------------------------------------------------------------------------------

    async def _send_standard(self, remote: Remote) -> None:
        tenant = self._chance.choice([None, None, "noisy", f"tenant {self._chance.randrange(30)}"])
        keys = self.ledger.draft(STANDARD, self._chance.randint(1, 10), tenant)
        delay_ms = self._chance.choice([None, None, None, self._chance.randint(1, 300)])
        messages = [self.ledger.message(key, delay_ms) for key in keys]
        self.ledger.sent(keys, await remote.call("send", STANDARD, messages))

    async def _send_fifo(self, remote: Remote, worker: int) -> None:
        """What may or may not have been stored is sent again with its keys until it is acknowledged.

        Only this worker sends to its groups, one send at a time, so their order is known.
        """
        keys = self._to_send_again.get(worker)
        if keys is None:
            group = f"group-{worker}-{self._chance.randrange(GROUPS_OF_EACH)}"
            keys = self.ledger.draft(FIFO, self._chance.randint(1, 5), group, ordered=True)
            self._to_send_again[worker] = keys
        acknowledged = self._acknowledged[worker]
        repeated = self._chance.sample(acknowledged[-50:], min(2, len(acknowledged[-50:])))
        for batch in [keys, repeated] if self._chance.random() < 0.2 else [keys]:
            if batch:
                answer = await remote.call("send", FIFO, [self.ledger.message(key) for key in batch])
                self.ledger.sent(batch, answer)
        acknowledged += keys
        del self._to_send_again[worker]

    async def _fill_and_purge(self, remote: Remote) -> None:
        for _ in range(self._chance.randint(1, 8)):
            keys = self.ledger.draft(SCRATCH, self._chance.randint(1, 10))
            messages = [self.ledger.message(key) for key in keys]
            self.ledger.sent(keys, await remote.call("send", SCRATCH, messages))
            await asyncio.sleep(0.005)
        self.ledger.purging(SCRATCH)
        self.ledger.purged(SCRATCH, await remote.call("purge", SCRATCH))

    # --- receiving ----------------------------------------------------------------------------------------

    async def _receive(self, remote: Remote, queue: str) -> None:
        answer = await remote.call(
            "receive",
            queue,
            max_messages=self._chance.randint(1, 10),
            visibility_timeout_ms=self._chance.choice([None, None, 60, 1000]),
            wait_ms=self._chance.choice([0, 20, 100]),
        )
        self.ledger.received(queue, answer)
        messages: list[ReceivedMessage] = answer.result
        if not messages:
            return
        choice = self._chance.random()
        if choice < 0.6:
            await self._delete(remote, queue, messages)
        elif choice < 0.7:
            await self._delete(remote, queue, messages[: len(messages) // 2 + 1])
        elif choice < 0.85:
            await self._extend(remote, queue, messages[0])

    async def _delete(self, remote: Remote, queue: str, messages: list[ReceivedMessage]) -> None:
        keys = [_key(message) for message in messages]
        self.ledger.deleting(keys)
        answer = await remote.call("delete", queue, [message.receipt for message in messages])
        self.ledger.deleted(queue, keys, answer)

    async def _extend(self, remote: Remote, queue: str, message: ReceivedMessage) -> None:
        timeout_ms, asked_at_ms = self._chance.choice([0, 50, 300, 800]), wall_ms()
        answer = await remote.call("change_visibility", queue, [(message.receipt, timeout_ms)])
        self.ledger.extended(_key(message), timeout_ms, asked_at_ms, answer)

    async def drain(self, remote: Remote) -> None:
        """Receive and delete everything there is, once what is delayed and in flight has come back."""
        self.ledger.begin_the_end()
        left = set(QUEUES)
        while left:
            for queue in sorted(left):
                while True:
                    answer = await remote.call(
                        "receive", queue, max_messages=1000, visibility_timeout_ms=3_600_000, wait_ms=50
                    )
                    self.ledger.received(queue, answer)
                    if not answer.result:
                        break
                    await self._delete(remote, queue, answer.result)
            counts = {queue: (await remote.call("counts", queue)).result for queue in QUEUES}
            left = {queue for queue in QUEUES if counts[queue] != QueueCounts(0, 0, 0)}


def _key(message: ReceivedMessage) -> str:
    return message.body.split(b"|")[0].decode()
