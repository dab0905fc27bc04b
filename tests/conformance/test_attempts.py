"""Receives from a FIFO queue that are asked for again by who did not get the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from tests.conformance.clocks import ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import SECOND_MS, nothing_to_receive, receipts, send, settles_at, take, texts

from chappe.engine.base import ATTEMPT_WINDOW_MS, DeadLetterPolicy, Engine, QueueCounts, QueueSettings, ReceivedMessage
from chappe.model.errors import InvalidInput

TIMEOUT_MS = 10 * SECOND_MS
FIFO = QueueSettings(fifo=True, visibility_timeout_ms=TIMEOUT_MS)


async def attempt(
    engine: Engine, attempt_id: str = "a", *, max_messages: int = 10, **more: int
) -> list[ReceivedMessage]:
    return await engine.receive("q", max_messages=max_messages, attempt_id=attempt_id, **more)


@pytest.fixture
async def taken(engine: Engine) -> list[ReceivedMessage]:
    """Two messages of one group, received in the attempt "a"; a third waits in another group."""
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", "2", group="g")
    taken = await attempt(engine)
    assert texts(taken) == ["1", "2"]
    await send(engine, "q", "other", group="h")
    return taken


async def test_the_same_attempt_gives_the_same_messages(engine: Engine, taken: list[ReceivedMessage]) -> None:
    assert await attempt(engine) == taken
    assert await attempt(engine, max_messages=1) == taken
    assert await settles_at(engine, "q", QueueCounts(ready=1, in_flight=2, delayed=0))


async def test_another_attempt_gives_other_messages(engine: Engine, taken: list[ReceivedMessage]) -> None:
    assert texts(await attempt(engine, "b")) == ["other"]
    assert await attempt(engine) == taken
    assert await attempt(engine, "c") == []


async def test_a_repeated_attempt_begins_the_visibility_timeout_anew(
    engine: Engine, taken: list[ReceivedMessage], clock: ManualClock
) -> None:
    await attempt(engine, "other")
    clock.advance(TIMEOUT_MS - 1)
    await attempt(engine)
    clock.advance(TIMEOUT_MS - 1)
    assert not [text for text in texts(await engine.receive("q", max_messages=10)) if text != "other"]
    clock.advance(1)
    assert texts(await take(engine, "q", 2)) == ["1", "2"]


async def test_a_repeated_attempt_has_the_visibility_timeout_it_asks_for(
    engine: Engine, taken: list[ReceivedMessage], clock: ManualClock
) -> None:
    await attempt(engine, "other")
    await attempt(engine, visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    assert texts(await take(engine, "q", 2)) == ["1", "2"]


async def test_a_repeated_attempt_with_a_timeout_of_0_leaves_its_messages_ready(
    engine: Engine, taken: list[ReceivedMessage]
) -> None:
    assert await attempt(engine, visibility_timeout_ms=0) == taken
    assert await settles_at(engine, "q", QueueCounts(ready=3, in_flight=0, delayed=0))


async def test_an_attempt_is_repeated_after_its_visibility_timeout_ended(
    engine: Engine, taken: list[ReceivedMessage], clock: ManualClock
) -> None:
    clock.advance(TIMEOUT_MS)
    assert await attempt(engine) == taken
    assert await settles_at(engine, "q", QueueCounts(ready=1, in_flight=2, delayed=0))
    assert texts(await engine.receive("q", max_messages=10)) == ["other"]


async def test_receipts_of_a_repeated_attempt_are_good(engine: Engine, taken: list[ReceivedMessage]) -> None:
    again = await attempt(engine)
    assert await engine.change_visibility("q", [(again[0].receipt, TIMEOUT_MS)]) == [None]
    assert await engine.delete("q", receipts(again)) == [None, None]
    assert texts(await take(engine, "q", 1)) == ["other"]


async def test_an_attempt_is_known_for_five_minutes(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", msgspec.structs.replace(FIFO, visibility_timeout_ms=10 * ATTEMPT_WINDOW_MS))
    await send(engine, "q", "1", group="g")
    taken = await attempt(engine)
    clock.advance(ATTEMPT_WINDOW_MS - 1)
    assert await attempt(engine) == taken
    clock.advance(1)
    assert await attempt(engine) == []


Step = Callable[[Engine, ManualClock, ReceivedMessage], Awaitable[object]]


async def delete(engine: Engine, clock: ManualClock, message: ReceivedMessage) -> None:
    await engine.delete("q", [message.receipt])


async def extend(engine: Engine, clock: ManualClock, message: ReceivedMessage) -> None:
    await engine.change_visibility("q", [(message.receipt, 2 * TIMEOUT_MS)])


async def purge(engine: Engine, clock: ManualClock, message: ReceivedMessage) -> None:
    await engine.purge("q")
    await send(engine, "q", "other", group="h")


async def outlive(engine: Engine, clock: ManualClock, message: ReceivedMessage) -> None:
    await engine.set_queue("q", msgspec.structs.replace(FIFO, retention_ms=TIMEOUT_MS // 2))
    clock.advance(TIMEOUT_MS // 2)
    await send(engine, "q", "other", group="h")


@pytest.mark.parametrize("step", [delete, extend, purge, outlive])
async def test_after_something_happened_to_a_message_the_attempt_is_made_anew(
    engine: Engine, taken: list[ReceivedMessage], clock: ManualClock, step: Step
) -> None:
    await step(engine, clock, taken[1])
    anew = await attempt(engine)
    assert texts(anew) == ["other"]
    assert await attempt(engine) == anew


async def test_messages_received_by_another_are_not_given_again(
    engine: Engine, taken: list[ReceivedMessage], clock: ManualClock
) -> None:
    clock.advance(TIMEOUT_MS)
    assert "1" in texts(await engine.receive("q", max_messages=10))
    assert await attempt(engine) == []


async def test_a_message_made_ready_is_received_anew_and_counted(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", group="g")
    (first,) = await attempt(engine)
    await engine.change_visibility("q", [(first.receipt, 0)])
    (second,) = await attempt(engine)
    assert second.receive_count == 2
    assert second.receipt != first.receipt


async def test_dead_letters_are_not_given_again(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("dead", QueueSettings(fifo=True))
    await engine.create_queue("q", msgspec.structs.replace(FIFO, dead_letter=DeadLetterPolicy("dead", 1)))
    await send(engine, "q", "1", group="g")
    await attempt(engine)
    clock.advance(TIMEOUT_MS)
    assert await nothing_to_receive(engine, "q")
    assert texts(await take(engine, "dead", 1)) == ["1"]
    assert await attempt(engine) == []


async def test_an_attempt_that_took_nothing_is_none(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    assert await attempt(engine) == []
    await send(engine, "q", "1", group="g")
    assert texts(await attempt(engine)) == ["1"]


async def test_an_attempt_that_waits_can_be_repeated(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    waiting = asyncio.create_task(attempt(engine, wait_ms=60_000))
    for _ in range(10):
        await asyncio.sleep(0)
    await send(engine, "q", "1", group="g")
    taken = await waiting
    assert texts(taken) == ["1"]
    assert await attempt(engine) == taken


async def test_a_queue_of_the_same_name_knows_no_attempt_of_the_one_before(
    engine: Engine, taken: list[ReceivedMessage]
) -> None:
    await engine.delete_queue("q")
    await engine.create_queue("q", FIFO)
    assert await attempt(engine) == []


async def test_a_restart_forgets_attempts(engine: Engine, taken: list[ReceivedMessage], restart: Restart) -> None:
    await send(engine, "q", "last", group="h")
    engine = await restart()
    assert texts(await attempt(engine))[0] == "other"


async def test_a_standard_queue_knows_no_attempts(engine: Engine) -> None:
    await engine.create_queue("q", QueueSettings())
    with pytest.raises(InvalidInput):
        await attempt(engine)
