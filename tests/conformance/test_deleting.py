"""Deletes and receipts: which receipts end a message, and what the others are answered."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs
from tests.conformance.clocks import ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    DAY_MS,
    FIFO,
    SECOND_MS,
    STANDARD,
    nothing_to_receive,
    receipts,
    send,
    send_apart,
    take,
    take_one,
    texts,
    total,
)

from chappe.engine.base import DeadLetterPolicy, Engine, QueueCounts, QueueSettings
from chappe.model.errors import MessageGone, MessageNotInFlight, ReceiptExpired, ReceiptInvalid

BOTH_KINDS = pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])

JUNK = [
    "",
    " ",
    "0",
    "junk",
    "null",
    "é",
    "\x00",
    "\ud800",
    "A" * 200,
    "x" * 100_000,
    "-1",
    "9" * 5000,
    "00000000-0000-0000-0000-000000000000",
]


@BOTH_KINDS
async def test_a_deleted_message_never_returns(engine: Engine, clock: ManualClock, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    assert await engine.delete("q", [received.receipt]) == [None]
    assert await engine.counts("q") == QueueCounts(0, 0, 0)
    clock.advance(DAY_MS)
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_a_deleted_message_does_not_return_after_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send_apart(engine, "q", "1", "2", "3")
    received = await take(engine, "q", 3, visibility_timeout_ms=SECOND_MS)
    await engine.delete("q", [received[0].receipt, received[2].receipt])
    engine = await restart()
    clock.advance(SECOND_MS)
    assert texts(await take(engine, "q", 1)) == [texts(received)[1]]
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_deleting_again_is_no_error(engine: Engine, clock: ManualClock, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    for _ in range(3):
        assert await engine.delete("q", [received.receipt]) == [None]
        clock.advance(SECOND_MS)


@BOTH_KINDS
async def test_deleting_again_is_no_error_after_a_restart(
    engine: Engine, restart: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    await engine.delete("q", [received.receipt])
    engine = await restart()
    assert await engine.delete("q", [received.receipt]) == [None]


@BOTH_KINDS
async def test_deleting_what_was_purged_is_no_error(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    await engine.purge("q")
    assert await engine.delete("q", [received.receipt]) == [None]


@BOTH_KINDS
@pytest.mark.parametrize("look", ["receive", "counts"])
async def test_a_timeout_that_ends_while_the_message_is_being_deleted_brings_nothing_back(
    engine: Engine, clock: ManualClock, settings: QueueSettings, look: str
) -> None:
    await engine.create_queue("dead", settings)
    await engine.create_queue("q", structs.replace(settings, dead_letter=DeadLetterPolicy("dead", 1)))
    for number in range(20):
        await send(engine, "q", str(number), group="g")
        received = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
        deleting = asyncio.create_task(engine.delete("q", [received.receipt]))
        for _ in range(1 + number % 4):
            await asyncio.sleep(0)
        clock.advance(SECOND_MS)
        await (engine.receive("q") if look == "receive" else engine.counts("q"))
        if await deleting == [None]:
            clock.advance(DAY_MS)
            assert await nothing_to_receive(engine, "q")
            assert await nothing_to_receive(engine, "dead")
        else:
            await engine.purge("q")
            await engine.purge("dead")
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


@BOTH_KINDS
async def test_one_receipt_twice_in_a_batch_is_no_error(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    assert await engine.delete("q", [received.receipt, received.receipt]) == [None, None]


@BOTH_KINDS
async def test_receipts_are_good_after_a_restart_in_good_order(
    engine: Engine, clock: ManualClock, reopen: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send_apart(engine, "q", "1", "2")
    received = await take(engine, "q", 2, visibility_timeout_ms=10 * SECOND_MS)
    engine = await reopen()
    assert await engine.delete("q", [received[0].receipt]) == [None]
    assert await engine.change_visibility("q", [(received[1].receipt, SECOND_MS)]) == [None]
    clock.advance(SECOND_MS)
    assert texts(await take(engine, "q", 1)) == [texts(received)[1]]


async def test_each_receipt_of_a_batch_is_answered_for_itself(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.create_queue("other", STANDARD)
    await send(engine, "q", "1", "2")
    await send(engine, "other", "3")
    first, second = await take(engine, "q", 2)
    foreign = await take_one(engine, "other")
    answers = await engine.delete("q", [first.receipt, "junk", foreign.receipt, second.receipt])
    assert [type(answer) for answer in answers] == [
        type(None),
        ReceiptInvalid,
        ReceiptInvalid,
        type(None),
    ]
    assert await engine.counts("q") == QueueCounts(0, 0, 0)
    assert (await engine.counts("other")).in_flight == 1


async def test_a_thousand_messages_are_deleted_in_one_call(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", *map(str, range(1000)))
    received = await take(engine, "q", 1000)
    assert await engine.delete("q", receipts(received)) == [None] * 1000
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


# --- older receipts -------------------------------------------------------------------------------------


async def test_in_a_standard_queue_a_receipt_is_good_after_its_timeout(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "body")
    received = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    clock.advance(10 * SECOND_MS)
    assert await engine.delete("q", [received.receipt]) == [None]
    assert await nothing_to_receive(engine, "q")


async def test_in_a_standard_queue_any_receipt_of_the_message_will_do(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "body")
    older = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    assert await engine.delete("q", [older.receipt]) == [None]
    clock.advance(SECOND_MS)
    assert await nothing_to_receive(engine, "q")


async def test_in_a_standard_queue_a_receipt_from_before_a_restart_will_do(engine: Engine, restart: Restart) -> None:
    """Even where the restart forgot the receive: the receipt is one of the message's all the same."""
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "body")
    received = await take_one(engine, "q")
    engine = await restart()
    assert await engine.delete("q", [received.receipt]) == [None]
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_a_receipt_from_before_a_restart_deletes_one_message_however_often_it_is_used(
    engine: Engine, restart: Restart
) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", *map(str, range(10)))
    received = await take_one(engine, "q")
    engine = await restart()
    first, second = await asyncio.gather(
        engine.delete("q", [received.receipt] * 3), engine.delete("q", [received.receipt] * 2)
    )
    assert first + second == [None] * 5
    assert total(await engine.counts("q")) == 9
    assert len(await take(engine, "q", (await engine.counts("q")).ready)) in (8, 9)
    assert total(await engine.counts("q")) == 9


async def test_in_a_fifo_queue_a_receipt_expires_with_its_timeout(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    [answer] = await engine.delete("q", [received.receipt])
    assert isinstance(answer, ReceiptExpired)
    assert texts(await take(engine, "q", 1)) == ["body"]


async def test_in_a_fifo_queue_a_receipt_expires_when_the_message_is_made_ready(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    await engine.change_visibility("q", [(received.receipt, 0)])
    [answer] = await engine.delete("q", [received.receipt])
    assert isinstance(answer, ReceiptExpired)
    assert (await engine.counts("q")).ready == 1


async def test_in_a_fifo_queue_a_receipt_without_a_timeout_is_expired_from_the_start(
    engine: Engine,
) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q", visibility_timeout_ms=0)
    [answer] = await engine.delete("q", [received.receipt])
    assert isinstance(answer, ReceiptExpired)
    assert (await engine.counts("q")).ready == 1


async def test_in_a_fifo_queue_only_the_newest_receipt_deletes(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "body", group="g")
    older = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    newest = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    [answer] = await engine.delete("q", [older.receipt])
    assert isinstance(answer, ReceiptExpired)
    assert (await engine.counts("q")).in_flight == 1
    assert await engine.delete("q", [newest.receipt]) == [None]
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_in_a_fifo_queue_an_extended_timeout_keeps_the_receipt_good(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q", visibility_timeout_ms=2 * SECOND_MS)
    await engine.change_visibility("q", [(received.receipt, 10 * SECOND_MS)])
    clock.advance(9 * SECOND_MS)
    assert await engine.delete("q", [received.receipt]) == [None]
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


# --- receipts that were never issued --------------------------------------------------------------------


@BOTH_KINDS
async def test_junk_is_no_receipt(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    await send(engine, "q", "body", group="g")
    await take_one(engine, "q")
    deleted = await engine.delete("q", JUNK)
    changed = await engine.change_visibility("q", [(junk, 0) for junk in JUNK])
    assert {type(answer) for answer in deleted + changed} == {ReceiptInvalid}
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=1, delayed=0)


@BOTH_KINDS
async def test_a_receipt_of_another_queue_is_none_of_this_one(engine: Engine, settings: QueueSettings) -> None:
    for name in ["q", "twin"]:
        await engine.create_queue(name, settings)
        await send(engine, name, "body", group="g")
    foreign = await take_one(engine, "twin")
    await take_one(engine, "q")
    [deleted] = await engine.delete("q", [foreign.receipt])
    [changed] = await engine.change_visibility("q", [(foreign.receipt, 0)])
    assert isinstance(deleted, ReceiptInvalid)
    assert isinstance(changed, ReceiptInvalid)
    for name in ["q", "twin"]:
        assert await engine.counts(name) == QueueCounts(ready=0, in_flight=1, delayed=0)


@BOTH_KINDS
async def test_an_altered_receipt_is_none(engine: Engine, settings: QueueSettings) -> None:
    """Otherwise one consumer could delete what another has in hand."""
    await engine.create_queue("q", settings)
    await send_apart(engine, "q", *map(str, range(10)))
    receipt = (await take(engine, "q", 10))[0].receipt
    altered = {receipt[:-1], receipt + "A", receipt + receipt, receipt.swapcase(), f" {receipt}"} - {receipt}
    for index, character in enumerate(receipt):
        altered |= {receipt[:index] + other + receipt[index + 1 :] for other in "0A9" if other != character}
    deleted = await engine.delete("q", sorted(altered))
    changed = await engine.change_visibility("q", [(forged, 0) for forged in sorted(altered)])
    accepted = [forged for forged, answer in zip(sorted(altered), deleted, strict=True) if answer is None]
    assert not accepted, f"forged from {receipt}"
    assert {type(answer) for answer in deleted} == {ReceiptInvalid}
    assert {type(answer) for answer in changed} <= {ReceiptInvalid, MessageGone, MessageNotInFlight}
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=10, delayed=0)
