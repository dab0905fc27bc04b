"""Waiting receives. The clock runs, and waits are far longer than the tests: returning at all proves waking.

Short are only the delays and timeouts that have to pass for real. How long they took is not asserted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from tests.conformance.clocks import RunningClock
from tests.conformance.workplace import (
    FIFO,
    GIVE_UP_SECONDS,
    STANDARD,
    eventually,
    receipts,
    send,
    take,
    take_one,
    texts,
)

from chappe.engine.base import (
    DeadLetterPolicy,
    Engine,
    NewMessage,
    QueueCounts,
    QueueSettings,
    ReceivedMessage,
)

LONG_MS = 3_600_000
SHORT_MS = 30
BOTH_KINDS = pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])

T = TypeVar("T")
Receive = asyncio.Task[list[ReceivedMessage]]


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock()


async def start_receive(engine: Engine, queue: str = "q", max_messages: int = 1, wait_ms: int = LONG_MS) -> Receive:
    """A receive that has begun to wait."""
    task = asyncio.create_task(engine.receive(queue, max_messages=max_messages, wait_ms=wait_ms))
    for _ in range(10):
        await asyncio.sleep(0)
    return task


async def soon(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        return await awaitable


@asynccontextmanager
async def cancelling(*tasks: Receive) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@BOTH_KINDS
async def test_a_receive_does_not_wait_when_there_is_something(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    assert texts(await soon(engine.receive("q", max_messages=10, wait_ms=LONG_MS))) == ["body"]


@BOTH_KINDS
async def test_a_receive_with_nothing_to_take_ends_empty(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    assert await soon(engine.receive("q", wait_ms=SHORT_MS)) == []


@BOTH_KINDS
async def test_a_send_ends_the_wait(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    waiting = await start_receive(engine, max_messages=10)
    assert not waiting.done()
    await send(engine, "q", "body", group="g")
    [message] = await soon(waiting)
    assert (message.body, message.receive_count) == (b"body", 1)
    assert await engine.delete("q", [message.receipt]) == [None]


async def test_a_send_of_many_gives_a_waiting_receive_several(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    waiting = await start_receive(engine, max_messages=10)
    await send(engine, "q", *map(str, range(5)))
    assert 1 <= len(await soon(waiting)) <= 5


async def test_a_delay_that_passes_ends_the_wait(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.send("q", [NewMessage(b"body", delay_ms=SHORT_MS)])
    assert texts(await soon(engine.receive("q", wait_ms=LONG_MS))) == ["body"]


async def test_an_earlier_delay_than_the_one_waited_for_ends_the_wait(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.send("q", [NewMessage(b"late", delay_ms=LONG_MS)])
    waiting = await start_receive(engine)
    await engine.send("q", [NewMessage(b"early", delay_ms=SHORT_MS)])
    assert texts(await soon(waiting)) == ["early"]


@BOTH_KINDS
async def test_a_visibility_timeout_that_ends_ends_the_wait(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    await take_one(engine, "q", visibility_timeout_ms=SHORT_MS)
    [message] = await soon(engine.receive("q", wait_ms=LONG_MS))
    assert message.receive_count == 2


@BOTH_KINDS
async def test_a_timeout_made_shorter_ends_the_wait(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    waiting = await start_receive(engine)
    await engine.change_visibility("q", [(received.receipt, SHORT_MS)])
    assert texts(await soon(waiting)) == ["body"]


@BOTH_KINDS
async def test_a_message_made_ready_ends_the_wait(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    waiting = await start_receive(engine)
    await engine.change_visibility("q", [(received.receipt, 0)])
    assert texts(await soon(waiting)) == ["body"]


async def test_a_group_set_free_ends_the_wait(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", group="g")
    first = await take_one(engine, "q")
    waiting = await start_receive(engine)
    await send(engine, "q", "3", group="g")
    await asyncio.sleep(0)
    assert not waiting.done()
    await engine.delete("q", [first.receipt])
    assert texts(await soon(waiting)) == ["2"]


async def test_a_place_in_flight_set_free_ends_the_wait(engine: Engine) -> None:
    """Either the receive went on waiting, or it had returned empty because of the limit."""
    await engine.create_queue("q", QueueSettings(max_in_flight=1))
    await send(engine, "q", "1", "2")
    first = await take_one(engine, "q")
    waiting = await start_receive(engine)
    await engine.delete("q", [first.receipt])
    received = await soon(waiting) or await take(engine, "q", 1)
    assert texts(received) == ["2"]


async def test_a_dead_letter_ends_the_wait_for_one(engine: Engine) -> None:
    await engine.create_queue("dead", STANDARD)
    await engine.create_queue("q", QueueSettings(dead_letter=DeadLetterPolicy("dead", 1)))
    await send(engine, "q", "body")
    await take_one(engine, "q", visibility_timeout_ms=0)
    waiting = await start_receive(engine, "dead")
    assert await engine.receive("q") == []
    assert texts(await soon(waiting)) == ["body"]


async def test_waiting_receivers_are_served_in_the_order_they_came(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    waiting = [await start_receive(engine) for _ in range(20)]
    for number in range(20):
        await send(engine, "q", str(number))
        assert texts(await soon(waiting[number])) == [str(number)]
        assert not any(task.done() for task in waiting[number + 1 :])


async def test_one_send_serves_several_waiting_receivers(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    waiting = [await start_receive(engine) for _ in range(5)]
    async with cancelling(*waiting):
        await send(engine, "q", "1", "2", "3")
        served = [await soon(task) for task in waiting[:3]]
        assert sorted(texts([message for batch in served for message in batch])) == ["1", "2", "3"]
        assert not waiting[3].done()
        assert not waiting[4].done()


@BOTH_KINDS
async def test_receivers_served_one_after_the_other_with_the_same_message_have_receipts_of_their_own(
    engine: Engine, settings: QueueSettings
) -> None:
    """The first lets go of it at once, so the second takes it before the first has been answered."""
    await engine.create_queue("q", settings)
    first = asyncio.create_task(engine.receive("q", visibility_timeout_ms=0, wait_ms=LONG_MS))
    second = await start_receive(engine)
    await send(engine, "q", "body", group="g")
    (earlier,), (later,) = await soon(first), await soon(second)
    assert [earlier.receive_count, later.receive_count] == [1, 2]
    assert earlier.receipt != later.receipt
    assert await engine.delete("q", [later.receipt]) == [None]


async def test_a_receiver_cancelled_after_another_took_its_message_leaves_it_alone(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    first = asyncio.create_task(engine.receive("q", visibility_timeout_ms=0, wait_ms=LONG_MS))
    second = await start_receive(engine)
    await send(engine, "q", "body")
    first.cancel()
    await asyncio.wait([first])
    await soon(second)
    assert await engine.receive("q") == []


async def test_waiting_on_one_queue_does_not_end_by_a_send_to_another(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.create_queue("other", STANDARD)
    waiting = await start_receive(engine)
    async with cancelling(waiting):
        await send(engine, "other", "body")
        assert texts(await soon(engine.receive("other", wait_ms=LONG_MS))) == ["body"]
        assert not waiting.done()


# --- cancelling -----------------------------------------------------------------------------------------


@BOTH_KINDS
async def test_a_cancelled_receive_takes_nothing(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    waiting = await start_receive(engine)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    await send(engine, "q", "body", group="g")
    assert await engine.counts("q") == QueueCounts(ready=1, in_flight=0, delayed=0)
    assert (await take_one(engine, "q")).receive_count == 1


@pytest.mark.parametrize("patience", range(8))
async def test_a_receive_cancelled_while_a_send_serves_it_takes_all_or_nothing(engine: Engine, patience: int) -> None:
    await engine.create_queue("q", STANDARD)
    for number in range(20):
        waiting = await start_receive(engine)
        sending = asyncio.create_task(send(engine, "q", str(number)))
        for _ in range(patience):
            await asyncio.sleep(0)
        waiting.cancel()
        await sending
        await asyncio.wait([waiting])
        if waiting.cancelled():
            message = await take_one(engine, "q")
        else:
            [message] = waiting.result()
        assert (message.body.decode(), message.receive_count) == (str(number), 1)
        assert await engine.delete("q", [message.receipt]) == [None]


async def test_a_receive_cancelled_the_moment_it_is_served_takes_all_or_nothing(engine: Engine) -> None:
    """What nobody got is not counted, or clients that leave would bring a message among the dead letters."""
    await engine.create_queue("q", STANDARD)
    for number in range(20):
        waiting = await start_receive(engine)
        sending = asyncio.create_task(send(engine, "q", str(number)))
        while not (waiting.done() or (await engine.counts("q")).in_flight):  # noqa: ASYNC110 (the very moment is wanted)
            await asyncio.sleep(0)
        waiting.cancel()
        await sending
        await asyncio.wait([waiting])
        [message] = [await take_one(engine, "q")] if waiting.cancelled() else waiting.result()
        assert (message.body.decode(), message.receive_count) == (str(number), 1)
        assert message.first_received_at_ms == message.received_at_ms
        assert await engine.delete("q", [message.receipt]) == [None]


async def test_a_receive_cancelled_after_it_was_served_takes_all_or_nothing(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    for number in range(20):
        waiting = await start_receive(engine)
        await send(engine, "q", str(number))
        waiting.cancel()
        await asyncio.wait([waiting])
        [message] = [await take_one(engine, "q")] if waiting.cancelled() else waiting.result()
        assert (message.body.decode(), message.receive_count) == (str(number), 1)
        assert await engine.delete("q", [message.receipt]) == [None]


async def test_a_cancelled_receiver_passes_its_turn_on(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    first, second, third = [await start_receive(engine) for _ in range(3)]
    first.cancel()
    second.cancel()
    await send(engine, "q", "body")
    assert texts(await soon(third)) == ["body"]


async def test_receivers_that_gave_up_take_nothing(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    waits = [engine.receive("q", wait_ms=1) for _ in range(20)]
    assert await soon(asyncio.gather(*waits)) == [[]] * 20
    await send(engine, "q", "body")
    assert (await take_one(engine, "q")).receive_count == 1


# --- the end of the queue, the end of the engine --------------------------------------------------------


async def test_deleting_the_queue_ends_the_waits_empty(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    waiting = [await start_receive(engine) for _ in range(5)]
    await engine.delete_queue("q")
    assert await soon(asyncio.gather(*waiting)) == [[]] * 5


async def test_a_wait_on_a_deleted_queue_takes_nothing_from_a_new_one_of_its_name(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    waiting = await start_receive(engine)
    await engine.delete_queue("q")
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "new")
    assert await soon(waiting) == []
    assert (await take_one(engine, "q")).receive_count == 1


async def test_closing_ends_the_waits_empty(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.create_queue("r", FIFO)
    waiting = [await start_receive(engine, queue) for queue in "qrqr"]
    await soon(engine.close())
    assert await soon(asyncio.gather(*waiting)) == [[]] * 4


async def test_a_purge_leaves_waiting_receivers_waiting(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    waiting = await start_receive(engine)
    await engine.purge("q")
    await send(engine, "q", "body")
    assert texts(await soon(waiting)) == ["body"]


# --- many at once ---------------------------------------------------------------------------------------


@BOTH_KINDS
async def test_many_waiting_workers_get_each_message_once(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    seen: Counter[str] = Counter()

    async def work() -> None:
        while True:
            batch = await engine.receive("q", max_messages=5, wait_ms=LONG_MS)
            seen.update(texts(batch))
            await engine.delete("q", receipts(batch))

    workers = [asyncio.create_task(work()) for _ in range(30)]
    for number in range(100):
        await send(engine, "q", f"{number}a", f"{number}b", group=f"g{number % 7}")

    async def all_seen() -> bool:
        return len(seen) == 200 and await engine.counts("q") == QueueCounts(0, 0, 0)

    await eventually(all_seen)
    for worker in workers:
        worker.cancel()
    await asyncio.wait(workers)
    assert set(seen.values()) == {1}


async def test_many_queues_are_waited_on_at_once(engine: Engine) -> None:
    names = [f"q{number}" for number in range(100)]
    for name in names:
        await engine.create_queue(name, STANDARD)
    waiting = {name: await start_receive(engine, name) for name in names}
    for name in reversed(names):
        await send(engine, name, name)
    for name in names:
        assert texts(await soon(waiting[name])) == [name]
