"""Whatever happened to a queue with next to no memory: in the end every message that is there comes.

The state machine holds each answer to the contract while time stands still. Here time runs, everything happens at once,
receivers wait, and the question is the other one: does an engine go on handing out what it has?
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.clocks import RunningClock
from tests.conformance.engines import open_embedded
from tests.conformance.tight import tighten

from chappe.engine.base import DeadLetterPolicy, Engine, NewMessage, QueueSettings
from chappe.model.errors import InFlightLimit

SENDERS, RECEIVERS = 4, 6
STEPS = 60
"""Of each sender."""
TENANTS = 12
DRAIN_SECONDS = 30
HANGING_SECONDS = 50
KEEP_MS = 600_000


@pytest.fixture(autouse=True)
def _no_hanging() -> Iterator[None]:
    """An engine that holds the event loop fails its test."""

    def give_up(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"no end after {HANGING_SECONDS} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HANGING_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


class Rush:
    """Senders and receivers of one queue. `alive` are the bodies that were acknowledged and not ended."""

    def __init__(self, engine: Engine, source: random.Random, *, fifo: bool) -> None:
        self.engine, self.source, self.fifo = engine, source, fifo
        self.alive: set[bytes] = set()
        self.over = False
        self._number = 0

    def new(self) -> NewMessage:
        self._number += 1
        draw = self.source
        group = f"tenant {draw.randrange(TENANTS)}" if self.fifo or draw.random() < 0.6 else None
        delay_ms = draw.choice([None, None, None, 1, 20, 60])
        return NewMessage(b"%d %s" % (self._number, b"x" * draw.choice([0, 50, 400])), group=group, delay_ms=delay_ms)

    async def send(self) -> None:
        for _ in range(STEPS):
            messages = [self.new() for _ in range(self.source.choice([1, 1, 3, 8]))]
            await self.engine.send("q", messages)
            self.alive |= {message.body for message in messages}
            await asyncio.sleep(self.source.choice([0, 0, 0.002]))

    async def receive(self) -> None:
        draw = self.source
        while not self.over:
            try:
                taken = await self.engine.receive(
                    "q",
                    max_messages=draw.choice([1, 3, 10]),
                    visibility_timeout_ms=draw.choice([0, 5, 40]),
                    wait_ms=draw.choice([0, 5, 50]),
                )
            except InFlightLimit:
                taken = []
            for message in taken:
                if draw.random() < 0.2:
                    if (await self.engine.delete("q", [message.receipt]))[0] is None:
                        self.alive.discard(message.body)
                elif draw.random() < 0.3:
                    await self.engine.change_visibility("q", [(message.receipt, draw.choice([0, 1, 30]))])
            await asyncio.sleep(0)

    async def run(self) -> None:
        receivers = [asyncio.create_task(self.receive()) for _ in range(RECEIVERS)]
        await asyncio.gather(*(self.send() for _ in range(SENDERS)))
        self.over = True
        await asyncio.gather(*receivers)

    async def drain(self, *queues: str) -> set[bytes]:
        """Everything that comes, until all that must is there. Fails when it does not come in time."""
        came: set[bytes] = set()
        async with asyncio.timeout(DRAIN_SECONDS):
            while not self.alive <= came:
                for queue in queues:
                    taken = await self.engine.receive(queue, max_messages=10, visibility_timeout_ms=KEEP_MS, wait_ms=5)
                    came |= {message.body for message in taken}
                    await self.engine.delete(queue, [message.receipt for message in taken])
        return came


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
@pytest.mark.parametrize("seed", range(4))
async def test_what_is_there_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, fifo: bool) -> None:
    tighten(monkeypatch)
    source = random.Random(seed)
    engine = await open_embedded(tmp_path, RunningClock())
    policy = DeadLetterPolicy("dead", 3) if seed % 2 else None
    await engine.create_queue("dead", QueueSettings(fifo=fifo))
    limit = 120_000 if seed < 2 else 8
    await engine.create_queue("q", QueueSettings(fifo=fifo, max_in_flight=limit, dead_letter=policy))
    rush = Rush(engine, source, fifo=fifo)
    await rush.run()
    await rush.drain("q", "dead")
    await engine.close()


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
@pytest.mark.parametrize("seed", range(3))
async def test_what_is_sent_after_purges_and_expiry_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, fifo: bool
) -> None:
    tighten(monkeypatch)
    source = random.Random(seed)
    engine = await open_embedded(tmp_path, RunningClock())
    await engine.create_queue("q", QueueSettings(fifo=fifo, retention_ms=40))
    rush = Rush(engine, source, fifo=fifo)

    async def purge() -> None:
        while not rush.over:
            await asyncio.sleep(source.uniform(0.01, 0.05))
            await engine.purge("q")

    await asyncio.gather(rush.run(), purge())
    await engine.set_queue("q", QueueSettings(fifo=fifo))
    rush.alive.clear()
    await rush.send()
    await rush.drain("q")
    await engine.close()
