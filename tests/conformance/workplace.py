"""What a test works with: an engine, the clock it was given, and short words for common steps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tests.conformance.clocks import ManualClock
from tests.conformance.engines import EngineKind, copy_as_found

from chappe.engine.base import Engine, NewMessage, QueueCounts, QueueSettings, ReceivedMessage, SentMessage

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
DAY_MS = 24 * 60 * MINUTE_MS

STANDARD = QueueSettings(visibility_timeout_ms=DAY_MS)
FIFO = QueueSettings(fifo=True, visibility_timeout_ms=DAY_MS)
"""A message once taken stays out of the way, unless the test says otherwise."""

PATIENCE_TRIES = 200
PATIENCE_MS = 20
GIVE_UP_SECONDS = 10


class Workplace:
    """An engine in a folder of its own. `engine` changes with each restart."""

    def __init__(self, kind: EngineKind, home: Path, clock: ManualClock) -> None:
        self.kind = kind
        self.clock = clock
        self.home = home
        self._generation = 0
        self._engine: Engine | None = None

    @property
    def folder(self) -> Path:
        return self.home / f"data-{self._generation}"

    @property
    def engine(self) -> Engine:
        assert self._engine is not None, "the engine is not open"
        return self._engine

    async def open(self) -> Engine:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._engine = await self.kind.open(self.folder, self.clock)
        return self._engine

    async def close(self) -> None:
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await engine.close()

    async def restart(self) -> Engine:
        """Close in good order and open again."""
        await self.close()
        return await self.open()

    async def kill(self) -> Engine:
        """Open what the engine's sudden death would leave behind."""
        left_behind = self.home / f"data-{self._generation + 1}"
        copy_as_found(self.folder, left_behind)
        await self.close()
        self._generation += 1
        return await self.open()


async def send(engine: Engine, queue: str, *bodies: str, group: str | None = None) -> list[SentMessage]:
    """Send these bodies in one commit."""
    return await engine.send(queue, [NewMessage(body.encode(), group=group) for body in bodies])


async def send_apart(engine: Engine, queue: str, *bodies: str) -> list[SentMessage]:
    """Send these bodies in one commit, each in a group of its own, so that all can be in flight together."""
    return await engine.send(queue, [NewMessage(body.encode(), group=body) for body in bodies])


async def take(
    engine: Engine,
    queue: str,
    count: int,
    *,
    visibility_timeout_ms: int | None = None,
    at_once: int = 1000,
) -> list[ReceivedMessage]:
    """Receive `count` messages. A receive may give fewer than there are, so ask again, with patience."""
    taken: list[ReceivedMessage] = []
    wait_ms = 0
    for _ in range(PATIENCE_TRIES):
        if len(taken) >= count:
            break
        batch = await engine.receive(
            queue,
            max_messages=min(count - len(taken), at_once),
            visibility_timeout_ms=visibility_timeout_ms,
            wait_ms=wait_ms,
        )
        taken += batch
        wait_ms = 0 if batch else PATIENCE_MS
    assert len(taken) == count, f"{len(taken)} of {count} messages came"
    return taken


async def consume(engine: Engine, queue: str, count: int) -> list[ReceivedMessage]:
    """Receive this many messages and delete each batch before the next, so that no group stays held."""
    consumed: list[ReceivedMessage] = []
    wait_ms = 0
    for _ in range(PATIENCE_TRIES + count):
        if len(consumed) >= count:
            break
        wanted = min(count - len(consumed), 1000)
        batch = await engine.receive(queue, max_messages=wanted, wait_ms=wait_ms)
        if batch:
            assert set(await engine.delete(queue, receipts(batch))) == {None}
        consumed += batch
        wait_ms = 0 if batch else PATIENCE_MS
    assert len(consumed) == count, f"{len(consumed)} of {count} messages came"
    return consumed


async def take_one(engine: Engine, queue: str, *, visibility_timeout_ms: int | None = None) -> ReceivedMessage:
    return (await take(engine, queue, 1, visibility_timeout_ms=visibility_timeout_ms))[0]


async def nothing_to_receive(engine: Engine, queue: str) -> bool:
    """Whether neither an immediate nor a patient receive gets anything.

    The patient one is given real milliseconds: a wait ends even while the engine's clock stands still.
    """
    at_once = await engine.receive(queue, max_messages=10)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        patient = await engine.receive(queue, max_messages=10, wait_ms=1)
    return not at_once and not patient


def texts(messages: Sequence[ReceivedMessage]) -> list[str]:
    return [message.body.decode() for message in messages]


def total(counts: QueueCounts) -> int:
    """Messages in any state."""
    return counts.ready + counts.in_flight + counts.delayed


def receipts(messages: Sequence[ReceivedMessage]) -> list[str]:
    return [message.receipt for message in messages]


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds: for what an engine does in its own time."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while not await condition():  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(0.005)


async def settles_at(engine: Engine, queue: str, counts: QueueCounts) -> bool:
    """Whether the counts become these, with nothing else going on: they are exact once a queue is at rest."""

    async def so() -> bool:
        return await engine.counts(queue) == counts

    try:
        await eventually(so)
    except TimeoutError:
        return await engine.counts(queue) == counts
    return True
