"""Moving dead letters when things go wrong half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.conformance.clocks import ManualClock
from tests.model.reference import ReferenceEngine

from chappe.broker import moving
from chappe.broker.move_records import MoveRecords, MoveTask
from chappe.broker.moving import HOLD_MS, Mover
from chappe.engine.base import NewMessage, QueueSettings, ReceivedMessage, SentMessage
from chappe.model.errors import ChappeError, StorageFull


class Failing(ReferenceEngine):
    """Refuses moves as often as it is told; is interrupted in one."""

    refused = 0
    interrupted = 0

    async def move(self, name: str, receipts: Sequence[str], destination: str) -> list[SentMessage | ChappeError]:
        if self.refused:
            self.refused -= 1
            raise StorageFull("no room")
        moved = await super().move(name, receipts, destination)
        if self.interrupted:
            self.interrupted -= 1
            raise asyncio.CancelledError
        return moved


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def engine(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Failing:
    monkeypatch.setattr(moving, "RETRY_SECONDS", 0.01)
    engine = Failing(clock)
    for name in ("from.fifo", "to.fifo"):
        await engine.create_queue(name, QueueSettings(fifo=True))
    for n in range(3):
        key = f"{n}".encode()
        await engine.send("from.fifo", [NewMessage(b"%d" % n, group="g", deduplication_key=key)])
    return engine


def mover(engine: Failing, clock: ManualClock, *, resumed: bool = False) -> tuple[Mover, MoveTask]:
    task = MoveTask(id="t", source="from.fifo", started_at_ms=clock(), to_move=3, destination="to.fifo")

    async def save() -> None:
        await MoveRecords(engine).save(task.source, [task])

    return Mover(engine, task, save, clock, resumed=resumed), task


async def bodies(engine: Failing) -> list[bytes]:
    return [message.body for message in await engine.receive("to.fifo", max_messages=10)]


async def test_what_was_moved_when_the_task_was_interrupted_is_not_moved_twice(
    engine: Failing, clock: ManualClock
) -> None:
    engine.interrupted = 1
    with pytest.raises(asyncio.CancelledError):
        await mover(engine, clock)[0].run()
    again, task = mover(engine, clock, resumed=True)
    working = asyncio.create_task(again.run())
    clock.advance(HOLD_MS)
    await working
    assert task.status == "COMPLETED"
    assert await bodies(engine) == [b"0", b"1", b"2"]
    assert (await engine.counts("from.fifo")).in_flight == 0


async def test_a_resumed_task_waits_for_messages_a_crash_left_in_flight(engine: Failing, clock: ManualClock) -> None:
    assert len(await engine.receive("from.fifo", max_messages=3, visibility_timeout_ms=HOLD_MS)) == 3
    again, task = mover(engine, clock, resumed=True)
    working = asyncio.create_task(again.run())
    await asyncio.sleep(0.05)
    assert (task.status, task.moved) == ("RUNNING", 0)
    clock.advance(HOLD_MS)
    await working
    assert (task.status, task.moved) == ("COMPLETED", 3)
    assert await bodies(engine) == [b"0", b"1", b"2"]


async def test_a_message_deleted_in_the_middle_of_its_move_is_not_counted(engine: Failing, clock: ManualClock) -> None:
    (first,) = await engine.receive("from.fifo", visibility_timeout_ms=0)
    work, task = mover(engine, clock)
    receive = engine.receive

    async def receive_and_lose_one(name: str, **more: Any) -> list[ReceivedMessage]:
        taken = await receive(name, **more)
        if any(message.id == first.id for message in taken):
            await engine.delete(name, [taken[0].receipt])
        return taken

    engine.receive = receive_and_lose_one  # type: ignore[method-assign]
    await work.run()
    assert (task.status, task.moved) == ("COMPLETED", 2)
    assert await bodies(engine) == [b"1", b"2"]


async def test_a_full_disk_is_waited_out(engine: Failing, clock: ManualClock) -> None:
    engine.refused = 3
    work, task = mover(engine, clock)
    await work.run()
    assert (task.status, task.moved) == ("COMPLETED", 3)
    assert await bodies(engine) == [b"0", b"1", b"2"]


async def test_records_of_queues_that_are_gone_are_dropped(engine: Failing) -> None:
    records = MoveRecords(engine)
    kept = MoveTask(id="1", source="from.fifo", started_at_ms=1, to_move=2, per_second=3, failure="x")
    await records.save("from.fifo", [kept])
    await records.save("gone", [MoveTask(id="2", source="gone", started_at_ms=1, to_move=2)])
    assert await records.load() == {"from.fifo": [kept]}
    assert [info.name for info in await engine.list_queues("move-tasks:")] == ["move-tasks:from.fifo"]
