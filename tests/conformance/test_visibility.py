"""Visibility: how long a received message is out of sight, and changes of that."""

from __future__ import annotations

import pytest
from tests.conformance.clocks import START_MS, ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    FIFO,
    MINUTE_MS,
    SECOND_MS,
    STANDARD,
    nothing_to_receive,
    receipts,
    send,
    send_apart,
    settles_at,
    take,
    take_one,
    texts,
)

from chappe.engine.base import Engine, QueueCounts, QueueSettings
from chappe.model.errors import InvalidInput, MessageGone, MessageNotInFlight, ReceiptInvalid

BOTH_KINDS = pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])


@BOTH_KINDS
async def test_a_received_message_is_invisible_until_its_timeout_ends(
    engine: Engine, clock: ManualClock, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    await take_one(engine, "q", visibility_timeout_ms=10 * SECOND_MS)
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=1, delayed=0)
    clock.advance(10 * SECOND_MS - 1)
    assert await nothing_to_receive(engine, "q")
    clock.advance(1)
    assert texts(await take(engine, "q", 1)) == ["body"]


async def test_the_queues_timeout_holds_when_the_receive_names_none(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(visibility_timeout_ms=10 * SECOND_MS))
    await send(engine, "q", "body")
    await take_one(engine, "q")
    clock.advance(10 * SECOND_MS - 1)
    assert await nothing_to_receive(engine, "q")
    clock.advance(1)
    assert texts(await take(engine, "q", 1)) == ["body"]


@BOTH_KINDS
async def test_each_receive_is_counted_and_the_first_is_dated(
    engine: Engine, clock: ManualClock, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    for number in range(1, 6):
        received = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
        assert received.receive_count == number
        assert received.first_received_at_ms == START_MS
        clock.advance(SECOND_MS)


@BOTH_KINDS
async def test_each_receive_has_a_receipt_of_its_own(
    engine: Engine, clock: ManualClock, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send_apart(engine, "q", "1", "2", "3")
    seen = []
    for _ in range(5):
        seen += receipts(await take(engine, "q", 3, visibility_timeout_ms=SECOND_MS))
        clock.advance(SECOND_MS)
    assert len(set(seen)) == len(seen)
    assert all(receipt.isascii() and receipt.isprintable() and len(receipt) <= 200 for receipt in seen)


@BOTH_KINDS
async def test_with_no_visibility_timeout_messages_stay_ready_and_the_receive_is_counted(
    engine: Engine, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    for number in range(1, 4):
        received = await take_one(engine, "q", visibility_timeout_ms=0)
        assert (received.body, received.receive_count) == (b"body", number)
        assert await engine.counts("q") == QueueCounts(ready=1, in_flight=0, delayed=0)


@BOTH_KINDS
async def test_one_receive_gives_a_message_once_even_without_a_timeout(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "1", "2", group="g")
    received = await engine.receive("q", max_messages=10, visibility_timeout_ms=0)
    assert len(received) == len(set(texts(received)))


@BOTH_KINDS
async def test_messages_in_flight_are_so_after_a_restart_in_good_order(
    engine: Engine, clock: ManualClock, reopen: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    await take_one(engine, "q", visibility_timeout_ms=10 * SECOND_MS)
    engine = await reopen()
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=1, delayed=0)
    clock.advance(10 * SECOND_MS - 1)
    assert await nothing_to_receive(engine, "q")
    clock.advance(1)
    again = await take_one(engine, "q")
    assert (again.receive_count, again.first_received_at_ms) == (2, START_MS)


@BOTH_KINDS
async def test_a_receive_is_on_stable_storage_once_a_later_operation_is(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    for _ in range(3):
        await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
        clock.advance(SECOND_MS)
    await take_one(engine, "q", visibility_timeout_ms=10 * SECOND_MS)
    await send(engine, "q", "later", group="another")
    engine = await restart()
    assert texts(await take(engine, "q", 1)) == ["later"]
    assert await nothing_to_receive(engine, "q")
    clock.advance(10 * SECOND_MS)
    again = await take_one(engine, "q")
    assert (again.body, again.receive_count, again.first_received_at_ms) == (b"body", 5, START_MS)


@BOTH_KINDS
async def test_a_timeout_that_ends_while_the_engine_is_down_has_ended(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    await take_one(engine, "q", visibility_timeout_ms=10 * SECOND_MS)
    clock.advance(MINUTE_MS)
    engine = await restart()
    assert texts(await take(engine, "q", 1)) == ["body"]


# --- changing visibility --------------------------------------------------------------------------------


@BOTH_KINDS
async def test_a_timeout_may_be_extended_from_now(engine: Engine, clock: ManualClock, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q", visibility_timeout_ms=10 * SECOND_MS)
    clock.advance(5 * SECOND_MS)
    assert await engine.change_visibility("q", [(received.receipt, MINUTE_MS)]) == [None]
    clock.advance(MINUTE_MS - 1)
    assert await nothing_to_receive(engine, "q")
    assert await engine.change_visibility("q", [(received.receipt, SECOND_MS)]) == [None]
    clock.advance(SECOND_MS)
    assert (await take_one(engine, "q")).receive_count == 2


@BOTH_KINDS
async def test_a_timeout_may_be_shortened(engine: Engine, clock: ManualClock, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q", visibility_timeout_ms=MINUTE_MS)
    assert await engine.change_visibility("q", [(received.receipt, SECOND_MS)]) == [None]
    clock.advance(SECOND_MS)
    assert texts(await take(engine, "q", 1)) == ["body"]


@BOTH_KINDS
async def test_a_timeout_of_zero_makes_a_message_ready_at_once(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    assert await engine.change_visibility("q", [(received.receipt, 0)]) == [None]
    assert await engine.counts("q") == QueueCounts(ready=1, in_flight=0, delayed=0)
    assert (await take_one(engine, "q")).receive_count == 2


@BOTH_KINDS
async def test_a_changed_timeout_survives_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "longer", group="1")
    await send(engine, "q", "at once", group="2")
    by_text = {message.body.decode(): message.receipt for message in await take(engine, "q", 2)}
    changes = [(by_text["longer"], 10 * MINUTE_MS), (by_text["at once"], 0)]
    assert await engine.change_visibility("q", changes) == [None, None]
    engine = await restart()
    assert texts(await take(engine, "q", 1)) == ["at once"]
    clock.advance(10 * MINUTE_MS - 1)
    assert await nothing_to_receive(engine, "q")
    clock.advance(1)
    assert texts(await take(engine, "q", 1)) == ["longer"]


@BOTH_KINDS
async def test_the_visibility_of_a_message_that_is_gone_cannot_be_changed(
    engine: Engine, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "deleted", group="1")
    await send(engine, "q", "purged", group="2")
    deleted, purged = await take(engine, "q", 2)
    await engine.delete("q", [deleted.receipt])
    await engine.purge("q")
    answers = await engine.change_visibility("q", [(deleted.receipt, MINUTE_MS), (purged.receipt, 0)])
    assert [type(answer) for answer in answers] == [MessageGone] * 2


@pytest.mark.parametrize("group", [None, "g"])
async def test_a_message_of_a_standard_queue_that_is_ready_again_can_be_taken_back(
    engine: Engine, clock: ManualClock, group: str | None
) -> None:
    """By who received it last, as long as nobody else has; that is no other receive."""
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "body", group=group)
    received = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    assert await settles_at(engine, "q", QueueCounts(ready=1, in_flight=0, delayed=0))
    assert await engine.change_visibility("q", [(received.receipt, 0)]) == [None]
    assert await settles_at(engine, "q", QueueCounts(ready=1, in_flight=0, delayed=0))
    assert await engine.change_visibility("q", [(received.receipt, MINUTE_MS)]) == [None]
    assert await settles_at(engine, "q", QueueCounts(ready=0, in_flight=1, delayed=0))
    assert await nothing_to_receive(engine, "q")
    clock.advance(MINUTE_MS)
    assert (await take_one(engine, "q")).receive_count == 2
    [late] = await engine.change_visibility("q", [(received.receipt, MINUTE_MS)])
    assert isinstance(late, MessageNotInFlight)


async def test_the_visibility_of_a_message_of_a_fifo_queue_not_in_flight_cannot_be_changed(
    engine: Engine, clock: ManualClock
) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "ready again", group="1")
    await send(engine, "q", "deleted", group="2")
    await send(engine, "q", "made ready", group="3")
    by_text = {
        message.body.decode(): message.receipt
        for message in await take(engine, "q", 3, visibility_timeout_ms=SECOND_MS)
    }
    await engine.delete("q", [by_text["deleted"]])
    await engine.change_visibility("q", [(by_text["made ready"], 0)])
    clock.advance(SECOND_MS)
    answers = await engine.change_visibility("q", [(receipt, MINUTE_MS) for receipt in by_text.values()])
    assert [type(answer) for answer in answers] == [MessageNotInFlight, MessageGone, MessageNotInFlight]
    assert await engine.counts("q") == QueueCounts(ready=2, in_flight=0, delayed=0)


@BOTH_KINDS
async def test_an_older_receipt_does_not_change_the_visibility_of_a_newer_receive(
    engine: Engine, clock: ManualClock, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    older = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    await take_one(engine, "q", visibility_timeout_ms=MINUTE_MS)
    [answer] = await engine.change_visibility("q", [(older.receipt, 0)])
    assert isinstance(answer, MessageNotInFlight)
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=1, delayed=0)


async def test_each_change_of_a_batch_is_answered_for_itself(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "1", "2")
    received = await take(engine, "q", 2)
    answers = await engine.change_visibility(
        "q",
        [(received[0].receipt, 0), ("junk", 0), (received[1].receipt, MINUTE_MS), (received[0].receipt, 9)],
    )
    assert [type(answer) for answer in answers] == [
        type(None),
        ReceiptInvalid,
        type(None),
        type(None),
    ]
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=2, delayed=0)


async def test_a_negative_timeout_is_refused(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "body")
    received = await take_one(engine, "q")
    with pytest.raises(InvalidInput):
        await engine.change_visibility("q", [(received.receipt, -1)])
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=1, delayed=0)
