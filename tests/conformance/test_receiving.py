"""Receives: how many messages, in which order, and how many may be in flight."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from tests.conformance.clocks import ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.engines import EngineKind
from tests.conformance.workplace import (
    FIFO,
    MINUTE_MS,
    SECOND_MS,
    STANDARD,
    consume,
    nothing_to_receive,
    receipts,
    send,
    send_apart,
    take,
    texts,
)

from chappe.engine.base import MAX_RECEIVE, Engine, QueueCounts, QueueSettings
from chappe.model.errors import InFlightLimit, InvalidInput

BOTH_KINDS = pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])


@BOTH_KINDS
async def test_an_empty_queue_gives_nothing(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    assert await engine.receive("q", max_messages=10) == []


async def test_a_receive_takes_no_more_than_asked_for(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", *map(str, range(20)))
    assert len(await engine.receive("q")) <= 1
    assert len(await engine.receive("q", max_messages=7)) <= 7


@pytest.mark.parametrize("max_messages", [0, -1, MAX_RECEIVE + 1])
async def test_a_receive_asks_for_1_to_1000_messages(engine: Engine, max_messages: int) -> None:
    await engine.create_queue("q", STANDARD)
    with pytest.raises(InvalidInput):
        await engine.receive("q", max_messages=max_messages)


async def test_negative_durations_are_refused(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "body")
    with pytest.raises(InvalidInput):
        await engine.receive("q", visibility_timeout_ms=-1)
    with pytest.raises(InvalidInput):
        await engine.receive("q", wait_ms=-1)
    assert await engine.counts("q") == QueueCounts(ready=1, in_flight=0, delayed=0)


async def test_a_standard_queue_delivers_roughly_in_the_order_sent(engine: Engine) -> None:
    """No message is overtaken by a thousand others."""
    await engine.create_queue("q", STANDARD)
    for start in range(0, 3000, 500):
        await send(engine, "q", *map(str, range(start, start + 500)))
    for position in range(0, 3000, 100):
        for text in texts(await take(engine, "q", 100)):
            assert abs(int(text) - position) < 1100


@BOTH_KINDS
async def test_no_message_starves_behind_one_that_is_never_deleted(
    engine: Engine, clock: ManualClock, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "poison", group="poisoned")
    for number in range(20):
        await send(engine, "q", str(number), group=f"g{number}")
    seen = set()
    for _ in range(100):
        for message in await engine.receive("q", visibility_timeout_ms=SECOND_MS):
            seen.add(message.body.decode())
            if message.body != b"poison":
                await engine.delete("q", [message.receipt])
        clock.advance(SECOND_MS)
    assert len(seen) == 21


async def test_a_backlog_of_messages_with_and_without_a_group_comes_out_whole(
    engine: Engine, restart: Restart, kind: EngineKind
) -> None:
    await engine.create_queue("q", STANDARD)
    rounds = 6 if kind.large else 2
    for start in range(0, 500 * rounds, 500):
        await send(engine, "q", *map(str, range(start, start + 500)))
        await send_apart(engine, "q", *[f"{start} of {number}" for number in range(20)])
    first = await consume(engine, "q", 100)
    engine = await restart()
    received = texts(first) + texts(await consume(engine, "q", 520 * rounds - 100))
    assert len(set(received)) == 520 * rounds
    assert await nothing_to_receive(engine, "q")


# --- the limit of messages in flight ----------------------------------------------------------------------


async def test_a_standard_queue_with_its_most_in_flight_refuses_to_give_more(engine: Engine) -> None:
    await engine.create_queue("q", QueueSettings(max_in_flight=3))
    await send(engine, "q", *map(str, range(10)))
    received = await take(engine, "q", 3)
    with pytest.raises(InFlightLimit):
        await engine.receive("q")
    assert await engine.receive("q", wait_ms=1) == []
    await engine.delete("q", [received[0].receipt])
    assert len(await engine.receive("q", max_messages=10)) == 1


async def test_a_receive_takes_only_what_the_limit_leaves(engine: Engine) -> None:
    await engine.create_queue("q", QueueSettings(max_in_flight=3))
    await send(engine, "q", *map(str, range(10)))
    await take(engine, "q", 2)
    assert len(await engine.receive("q", max_messages=10)) == 1


async def test_a_fifo_queue_with_its_most_in_flight_gives_nothing(engine: Engine) -> None:
    await engine.create_queue("q", QueueSettings(fifo=True, max_in_flight=3))
    for number in range(10):
        await send(engine, "q", str(number), group=f"g{number}")
    received = await take(engine, "q", 3)
    assert await nothing_to_receive(engine, "q")
    await engine.delete("q", [received[0].receipt])
    assert len(await engine.receive("q", max_messages=10)) == 1


async def test_messages_whose_timeout_ended_no_longer_count_towards_the_limit(
    engine: Engine, clock: ManualClock
) -> None:
    await engine.create_queue("q", QueueSettings(max_in_flight=3))
    await send(engine, "q", *map(str, range(3)))
    await take(engine, "q", 3, visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    assert len(await take(engine, "q", 3)) == 3


async def test_the_limit_holds_after_a_restart(engine: Engine, reopen: Restart) -> None:
    await engine.create_queue("q", QueueSettings(max_in_flight=3))
    await send(engine, "q", *map(str, range(10)))
    await take(engine, "q", 3)
    engine = await reopen()
    with pytest.raises(InFlightLimit):
        await engine.receive("q")


# --- many at once ---------------------------------------------------------------------------------------


@BOTH_KINDS
async def test_many_receivers_never_hold_the_same_message(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    for number in range(20):
        await send(engine, "q", *(f"{number}-{item}" for item in range(20)), group=f"g{number}")
    seen: Counter[str] = Counter()

    async def work() -> None:
        while batch := await engine.receive("q", max_messages=7, visibility_timeout_ms=MINUTE_MS):
            seen.update(texts(batch))
            await engine.delete("q", receipts(batch))

    await asyncio.gather(*(work() for _ in range(20)))
    remaining = 400 - len(seen)
    seen.update(texts(await consume(engine, "q", remaining)))
    assert len(seen) == 400
    assert set(seen.values()) == {1}
