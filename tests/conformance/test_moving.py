"""Moving received messages to another queue."""

from __future__ import annotations

import asyncio

import pytest
from tests.conformance.clocks import ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    DAY_MS,
    FIFO,
    MINUTE_MS,
    SECOND_MS,
    STANDARD,
    consume,
    nothing_to_receive,
    receipts,
    send,
    send_apart,
    settles_at,
    take,
    take_one,
    texts,
)

from chappe.engine.base import DeadLetterPolicy, Engine, NewMessage, QueueCounts, QueueSettings, SentMessage
from chappe.model.errors import InvalidInput, MessageGone, MessageNotInFlight, QueueNotFound, ReceiptInvalid

BOTH_KINDS = pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])
EMPTY = QueueCounts(ready=0, in_flight=0, delayed=0)


@BOTH_KINDS
async def test_a_moved_message_is_a_new_one_in_its_new_queue(
    engine: Engine, clock: ManualClock, settings: QueueSettings
) -> None:
    await engine.create_queue("from", settings)
    await engine.create_queue("to", settings)
    message = NewMessage(b"body", b"attributes", "g", dead_letter_source="elsewhere")
    (sent,) = await engine.send("from", [message])
    clock.advance(MINUTE_MS)
    taken = await take_one(engine, "from")
    assert taken.dead_letter_source == "elsewhere"
    (moved,) = await engine.move("from", [taken.receipt], "to")
    assert isinstance(moved, SentMessage)
    assert await settles_at(engine, "from", EMPTY)
    found = await take_one(engine, "to")
    assert (found.id, found.sequence) == (moved.id, moved.sequence)
    assert found.id != sent.id
    assert (found.body, found.attributes, found.group) == (b"body", b"attributes", "g")
    assert (found.receive_count, found.sent_at_ms, found.dead_letter_source) == (1, clock(), None)


@BOTH_KINDS
async def test_moved_messages_survive_in_one_place(engine: Engine, settings: QueueSettings, restart: Restart) -> None:
    await engine.create_queue("from", settings)
    await engine.create_queue("to", settings)
    await send_apart(engine, "from", *map(str, range(30)))
    taken = await take(engine, "from", 30)
    await engine.move("from", receipts(taken), "to")
    engine = await restart()
    assert sorted(texts(await take(engine, "to", 30))) == sorted(map(str, range(30)))
    assert await nothing_to_receive(engine, "from")
    assert await settles_at(engine, "from", EMPTY)


async def test_moves_keep_the_order_of_a_group_and_set_it_free(engine: Engine) -> None:
    await engine.create_queue("from", FIFO)
    await engine.create_queue("to", FIFO)
    await send(engine, "to", "0", group="g")
    await send(engine, "from", "1", "2", "3", group="g")
    taken = await take(engine, "from", 2)
    await engine.move("from", receipts(taken), "to")
    assert texts(await take(engine, "from", 1)) == ["3"]
    assert texts(await consume(engine, "to", 3)) == ["0", "1", "2"]


async def test_a_move_wakes_who_waits_for_it(engine: Engine) -> None:
    await engine.create_queue("from", STANDARD)
    await engine.create_queue("to", STANDARD)
    await send(engine, "from", "body")
    taken = await take_one(engine, "from")
    waiting = asyncio.create_task(engine.receive("to", wait_ms=60_000))
    await asyncio.sleep(0)
    await engine.move("from", [taken.receipt], "to")
    assert texts(await waiting) == ["body"]


async def test_a_moved_message_has_the_delay_of_its_new_queue(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("from", STANDARD)
    await engine.create_queue("to", QueueSettings(delay_ms=SECOND_MS))
    await send(engine, "from", "body")
    await engine.move("from", [(await take_one(engine, "from")).receipt], "to")
    assert await settles_at(engine, "to", QueueCounts(ready=0, in_flight=0, delayed=1))
    clock.advance(SECOND_MS)
    assert texts(await take(engine, "to", 1)) == ["body"]


async def test_each_receipt_is_answered_for_itself(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("from", FIFO)
    await engine.create_queue("to", FIFO)
    for group in "abc":
        await send(engine, "from", group, group=group)
    deleted, held, lapsed = await take(engine, "from", 3)
    await engine.delete("from", [deleted.receipt])
    await engine.change_visibility("from", [(lapsed.receipt, 0)])
    outcomes = await engine.move("from", [deleted.receipt, held.receipt, "junk", lapsed.receipt, held.receipt], "to")
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [MessageGone, SentMessage, ReceiptInvalid, MessageNotInFlight, MessageGone]
    assert texts(await take(engine, "to", 1)) == [held.body.decode()]
    assert texts(await take(engine, "from", 1)) == [lapsed.body.decode()]


async def test_a_receipt_of_the_old_place_does_nothing_in_the_new(engine: Engine) -> None:
    await engine.create_queue("from", STANDARD)
    await engine.create_queue("to", STANDARD)
    await send(engine, "from", "body")
    taken = await take_one(engine, "from")
    await engine.move("from", [taken.receipt], "to")
    assert await engine.delete("from", [taken.receipt]) == [None]
    [foreign] = await engine.delete("to", [taken.receipt])
    assert isinstance(foreign, ReceiptInvalid)
    assert texts(await take(engine, "to", 1)) == ["body"]


async def test_a_message_deleted_and_moved_at_once_is_in_one_place_or_none(engine: Engine) -> None:
    await engine.create_queue("from", STANDARD)
    await engine.create_queue("to", STANDARD)
    await send(engine, "from", *map(str, range(20)))
    taken = receipts(await take(engine, "from", 20))
    _, moved = await asyncio.gather(engine.delete("from", taken), engine.move("from", taken, "to"))
    there = sum(isinstance(outcome, SentMessage) for outcome in moved)
    assert await settles_at(engine, "to", QueueCounts(ready=there, in_flight=0, delayed=0))
    assert await settles_at(engine, "from", EMPTY)


async def test_a_message_can_fall_and_be_moved_back_again_and_again(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("dead", FIFO)
    await engine.create_queue("q", QueueSettings(fifo=True, dead_letter=DeadLetterPolicy("dead", 1)))
    await send(engine, "q", "body", group="g")
    for _ in range(3):
        await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
        clock.advance(SECOND_MS)
        assert await nothing_to_receive(engine, "q")
        fallen = await take_one(engine, "dead", visibility_timeout_ms=DAY_MS)
        assert fallen.dead_letter_source == "q"
        await engine.move("dead", [fallen.receipt], "q")
    assert await settles_at(engine, "q", QueueCounts(ready=1, in_flight=0, delayed=0))


async def test_moves_that_make_no_sense_are_refused(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.create_queue("fifo", FIFO)
    await send(engine, "q", "body")
    receipt = (await take_one(engine, "q")).receipt
    for destination in ("q", "fifo"):
        with pytest.raises(InvalidInput):
            await engine.move("q", [receipt], destination)
    for source, destination in (("q", "nowhere"), ("nowhere", "q")):
        with pytest.raises(QueueNotFound):
            await engine.move(source, [receipt], destination)
    assert await engine.delete("q", [receipt]) == [None]
