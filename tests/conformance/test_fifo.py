"""FIFO queues: the order within a group, and that one group does not hold up another."""

from __future__ import annotations

import asyncio

import pytest
from tests.conformance.clocks import ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    FIFO,
    MINUTE_MS,
    SECOND_MS,
    consume,
    nothing_to_receive,
    receipts,
    send,
    take,
    take_one,
    texts,
)

from chappe.engine.base import Engine, NewMessage, QueueCounts, QueueSettings
from chappe.model.errors import InvalidInput


async def test_a_group_is_delivered_in_the_order_sent(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    for start in range(0, 100, 10):
        await send(engine, "q", *map(str, range(start, start + 10)), group="g")
    delivered: list[int] = []
    while len(delivered) < 100:
        message = await take_one(engine, "q")
        delivered.append(int(message.body))
        await engine.delete("q", [message.receipt])
    assert delivered == list(range(100))


async def test_one_receive_may_take_several_of_a_group_and_takes_them_in_order(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", *map(str, range(50)), group="g")
    first = await engine.receive("q", max_messages=10)
    assert texts(first) == [str(number) for number in range(len(first))]
    await engine.delete("q", receipts(first))
    second = await engine.receive("q", max_messages=10)
    assert texts(second) == [str(len(first) + number) for number in range(len(second))]


async def test_while_one_of_a_group_is_in_flight_no_other_of_it_is_received(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", group="g")
    first = await take_one(engine, "q", visibility_timeout_ms=10 * SECOND_MS)
    assert await nothing_to_receive(engine, "q")
    await send(engine, "q", "3", group="g")
    clock.advance(10 * SECOND_MS - 1)
    assert await nothing_to_receive(engine, "q")
    await engine.delete("q", [first.receipt])
    assert texts(await take(engine, "q", 1)) == ["2"]


async def test_other_groups_flow_while_one_is_held(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "held 1", "held 2", group="held")
    assert texts(await take(engine, "q", 1)) == ["held 1"]
    await send(engine, "q", "a1", "a2", group="a")
    await send(engine, "q", "b1", group="b")
    received = texts(await consume(engine, "q", 3))
    assert sorted(received) == ["a1", "a2", "b1"]
    assert received.index("a1") < received.index("a2")
    assert await nothing_to_receive(engine, "q")


async def test_a_message_that_comes_back_comes_before_those_behind_it(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", "3", group="g")
    await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    assert texts(await consume(engine, "q", 3)) == ["1", "2", "3"]


async def test_a_message_made_ready_comes_before_those_behind_it(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", group="g")
    first = await take_one(engine, "q")
    await engine.change_visibility("q", [(first.receipt, 0)])
    assert texts(await consume(engine, "q", 2)) == ["1", "2"]


@pytest.mark.parametrize(
    ("back", "received"),
    [((), ""), ((0,), "1"), ((1,), ""), ((2,), ""), ((0, 1), "12"), ((0, 2), "1"), ((1, 2), ""), ((0, 1, 2), "1234")],
)
async def test_a_group_is_received_up_to_the_first_message_in_flight(
    engine: Engine, back: tuple[int, ...], received: str
) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", "3", "4", group="g")
    taken = await engine.receive("q", max_messages=3, visibility_timeout_ms=MINUTE_MS)
    if len(taken) < 3:
        pytest.skip("this engine gives fewer at a time")
    await engine.change_visibility("q", [(taken[number].receipt, 0) for number in back])
    again = await engine.receive("q", max_messages=10)
    assert "".join(texts(again)) == received[: len(again)]
    assert bool(again) == bool(received)


async def test_a_group_is_held_until_the_last_one_in_flight_is_done(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", "3", "4", group="g")
    taken = await engine.receive("q", max_messages=3, visibility_timeout_ms=MINUTE_MS)
    if len(taken) < 3:
        pytest.skip("this engine gives fewer at a time")
    await engine.change_visibility("q", [(taken[1].receipt, 0), (taken[2].receipt, SECOND_MS)])
    assert await nothing_to_receive(engine, "q")
    clock.advance(SECOND_MS)
    assert await nothing_to_receive(engine, "q")
    await engine.delete("q", [taken[0].receipt])
    assert texts(await consume(engine, "q", 3)) == ["2", "3", "4"]


async def test_deleting_from_the_middle_leaves_the_rest_in_order(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", *map(str, range(6)), group="g")
    taken = await engine.receive("q", max_messages=5, visibility_timeout_ms=SECOND_MS)
    removed = taken[1::2]
    await engine.delete("q", receipts(removed))
    clock.advance(SECOND_MS)
    expected = [str(number) for number in range(6) if str(number) not in texts(removed)]
    assert texts(await consume(engine, "q", len(expected))) == expected


async def test_looking_without_a_timeout_keeps_the_order(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", "3", group="g")
    for _ in range(3):
        seen = texts(await engine.receive("q", max_messages=10, visibility_timeout_ms=0))
        assert seen == ["1", "2", "3"][: len(seen)]
        assert seen


async def test_many_groups_each_keep_their_order(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    for number in range(20):
        batch = [NewMessage(f"{number}".encode(), group=f"g{group}") for group in range(50)]
        await engine.send("q", batch)
    order: dict[str | None, list[int]] = {}
    for _ in range(1000):
        batch_taken = await engine.receive("q", max_messages=9)
        for message in batch_taken:
            order.setdefault(message.group, []).append(int(message.body))
        await engine.delete("q", receipts(batch_taken))
        if sum(map(len, order.values())) == 1000:
            break
    assert order == {f"g{group}": list(range(20)) for group in range(50)}


async def test_order_holds_with_many_receivers_some_of_whom_fail(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    for number in range(30):
        await engine.send("q", [NewMessage(f"{number}".encode(), group=f"g{g}") for g in range(10)])
    done: dict[str | None, list[int]] = {}
    turns = 0

    async def work(worker: int) -> None:
        nonlocal turns
        while sum(map(len, done.values())) < 300 and turns < 10_000:
            turns += 1
            for message in await engine.receive("q", max_messages=3, wait_ms=5):
                await asyncio.sleep(0)
                if (turns + worker) % 5 == 0:
                    await engine.change_visibility("q", [(message.receipt, 0)])
                elif await engine.delete("q", [message.receipt]) == [None]:
                    done.setdefault(message.group, []).append(int(message.body))

    await asyncio.gather(*(work(worker) for worker in range(5)))
    assert {group: sorted(numbers) for group, numbers in done.items()} == {
        f"g{group}": list(range(30)) for group in range(10)
    }


@pytest.mark.parametrize("group", ["g", "g" * 128, "é🚦", "with space", "a\x00b", "null", "NULL"])
async def test_a_group_may_have_any_name(engine: Engine, group: str) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", group=group)
    await send(engine, "q", "another's", group=group + "x")
    received = await consume(engine, "q", 3)
    assert {message.group for message in received} == {group, group + "x"}
    assert [message.body for message in received if message.group == group] == [b"1", b"2"]


async def test_a_message_without_a_group_is_refused(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    with pytest.raises(InvalidInput):
        await send(engine, "q", "body")


# --- delay ----------------------------------------------------------------------------------------------


async def test_the_queues_delay_delays(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(fifo=True, delay_ms=10 * SECOND_MS))
    await send(engine, "q", "1", "2", group="g")
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=0, delayed=2)
    clock.advance(10 * SECOND_MS - 1)
    assert await nothing_to_receive(engine, "q")
    clock.advance(1)
    assert texts(await consume(engine, "q", 2)) == ["1", "2"]


@pytest.mark.parametrize("own_delay_ms", [0, 2 * MINUTE_MS])
async def test_a_messages_own_delay_is_not_followed(engine: Engine, clock: ManualClock, own_delay_ms: int) -> None:
    """Refused or ignored, but never in the place of the queue's."""
    await engine.create_queue("q", QueueSettings(fifo=True, delay_ms=MINUTE_MS))
    try:
        await engine.send("q", [NewMessage(b"body", group="g", delay_ms=own_delay_ms)])
    except InvalidInput:
        assert await engine.counts("q") == QueueCounts(0, 0, 0)
    else:
        assert await nothing_to_receive(engine, "q")
        clock.advance(MINUTE_MS)
        assert texts(await take(engine, "q", 1)) == ["body"]


async def test_a_shorter_delay_does_not_let_later_messages_overtake(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(fifo=True, delay_ms=MINUTE_MS))
    await send(engine, "q", "delayed", group="g")
    await engine.set_queue("q", FIFO)
    await send(engine, "q", "quick", group="g")
    await send(engine, "q", "of another group", group="other")
    assert texts(await take(engine, "q", 1)) == ["of another group"]
    assert await nothing_to_receive(engine, "q")
    clock.advance(MINUTE_MS)
    assert texts(await consume(engine, "q", 2)) == ["delayed", "quick"]


# --- restarts -------------------------------------------------------------------------------------------


async def test_the_order_survives_a_restart(engine: Engine, clock: ManualClock, restart: Restart) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", *map(str, range(10)), group="g")
    taken = await engine.receive("q", max_messages=4, visibility_timeout_ms=SECOND_MS)
    await engine.delete("q", receipts(taken)[:2])
    engine = await restart()
    clock.advance(SECOND_MS)
    await send(engine, "q", "10", group="g")
    expected = [str(number) for number in range(11) if str(number) not in texts(taken)[:2]]
    assert texts(await consume(engine, "q", len(expected))) == expected


async def test_a_held_group_is_held_after_a_restart(engine: Engine, clock: ManualClock, restart: Restart) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", group="held")
    first = await take_one(engine, "q", visibility_timeout_ms=MINUTE_MS)
    await send(engine, "q", "3", group="other")
    engine = await restart()
    assert texts(await take(engine, "q", 1)) == ["3"]
    assert await nothing_to_receive(engine, "q")
    assert await engine.delete("q", [first.receipt]) == [None]
    assert texts(await take(engine, "q", 1)) == ["2"]
