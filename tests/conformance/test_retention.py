"""Retention: a message whose time has passed is never received and vanishes."""

from __future__ import annotations

import contextlib

import pytest
from tests.conformance.clocks import ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    DAY_MS,
    MINUTE_MS,
    SECOND_MS,
    consume,
    eventually,
    nothing_to_receive,
    send,
    take,
    take_one,
    texts,
    total,
)

from chappe.engine.base import Engine, NewMessage, QueueCounts, QueueSettings
from chappe.model.errors import MessageGone, ReceiptExpired

BOTH_KINDS = pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])


def kept_for(retention_ms: int | None, fifo: bool = False) -> QueueSettings:
    return QueueSettings(fifo=fifo, visibility_timeout_ms=DAY_MS, retention_ms=retention_ms)


@BOTH_KINDS
async def test_a_message_is_received_until_its_retention_has_passed(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    await send(engine, "q", "body", group="g")
    clock.advance(MINUTE_MS - 1)
    assert len(await take(engine, "q", 1, visibility_timeout_ms=0)) == 1
    clock.advance(1)
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_a_message_whose_retention_has_passed_vanishes(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    await send(engine, "q", "ready", group="1")
    clock.advance(MINUTE_MS)

    async def vanished() -> bool:
        await engine.receive("q")
        return await engine.counts("q") == QueueCounts(0, 0, 0)

    await eventually(vanished)


@BOTH_KINDS
async def test_without_retention_messages_are_kept(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await engine.create_queue("q", kept_for(None, fifo))
    await send(engine, "q", "body", group="g")
    clock.advance(10_000 * DAY_MS)
    assert texts(await take(engine, "q", 1)) == ["body"]


@BOTH_KINDS
async def test_each_message_has_its_own_time(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    for number in range(6):
        await send(engine, "q", str(number), group="g")
        clock.advance(20 * SECOND_MS)
    assert sorted(texts(await consume(engine, "q", 2))) == ["4", "5"]


async def test_an_expired_message_does_not_hold_up_its_group(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo=True))
    await send(engine, "q", "in flight", group="g")
    await take_one(engine, "q", visibility_timeout_ms=30 * SECOND_MS)
    clock.advance(45 * SECOND_MS)
    await send(engine, "q", "behind", group="g")
    clock.advance(20 * SECOND_MS)
    assert texts(await take(engine, "q", 1)) == ["behind"]


@BOTH_KINDS
async def test_a_message_that_expires_in_flight_does_not_come_back(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q", visibility_timeout_ms=2 * MINUTE_MS)
    clock.advance(3 * MINUTE_MS)
    assert await nothing_to_receive(engine, "q")
    [changed] = await engine.change_visibility("q", [(received.receipt, MINUTE_MS)])
    assert isinstance(changed, MessageGone)
    [deleted] = await engine.delete("q", [received.receipt])
    assert deleted is None or (fifo and isinstance(deleted, ReceiptExpired))


async def test_a_delayed_message_behind_an_expired_one_is_not_received_early(
    engine: Engine, clock: ManualClock
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo=True))
    await send(engine, "q", "expiring", group="g")
    await take_one(engine, "q", visibility_timeout_ms=0)
    clock.advance(MINUTE_MS)
    await engine.set_queue("q", QueueSettings(fifo=True, delay_ms=SECOND_MS, retention_ms=MINUTE_MS))
    await send(engine, "q", "delayed", group="g")

    async def vanished() -> bool:
        return total(await engine.counts("q")) == 1

    with contextlib.suppress(TimeoutError):  # an engine may wait for the next receive
        await eventually(vanished)
    assert await nothing_to_receive(engine, "q")
    clock.advance(SECOND_MS)
    assert texts(await take(engine, "q", 1)) == ["delayed"]


async def test_a_message_whose_delay_is_longer_than_its_retention_is_never_received(
    engine: Engine, clock: ManualClock
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS))
    await engine.send("q", [NewMessage(b"body", delay_ms=2 * MINUTE_MS)])
    clock.advance(2 * MINUTE_MS)
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_retention_holds_across_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart, fifo: bool
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    await send(engine, "q", "old", group="1")
    clock.advance(30 * SECOND_MS)
    await send(engine, "q", "new", group="2")
    engine = await restart()
    clock.advance(30 * SECOND_MS)
    assert texts(await take(engine, "q", 1)) == ["new"]
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_retention_that_passes_while_the_engine_is_down_has_passed(
    engine: Engine, clock: ManualClock, restart: Restart, fifo: bool
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    await send(engine, "q", "body", group="g")
    clock.advance(MINUTE_MS)
    engine = await restart()
    assert await nothing_to_receive(engine, "q")


# --- changed retention ----------------------------------------------------------------------------------


@BOTH_KINDS
async def test_a_shorter_retention_governs_messages_already_stored(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await engine.create_queue("q", kept_for(DAY_MS, fifo))
    await send(engine, "q", "old", group="1")
    clock.advance(2 * MINUTE_MS)
    await send(engine, "q", "new", group="2")
    await engine.set_queue("q", kept_for(MINUTE_MS, fifo))
    assert texts(await take(engine, "q", 1)) == ["new"]
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_a_longer_retention_governs_messages_already_stored(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    await send(engine, "q", "body", group="g")
    await engine.set_queue("q", kept_for(DAY_MS, fifo))
    clock.advance(DAY_MS - 1)
    assert texts(await take(engine, "q", 1)) == ["body"]


@BOTH_KINDS
async def test_a_changed_retention_governs_after_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart, fifo: bool
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    await send(engine, "q", "body", group="g")
    await engine.set_queue("q", kept_for(2 * MINUTE_MS, fifo))
    engine = await restart()
    clock.advance(2 * MINUTE_MS - 1)
    assert len(await take(engine, "q", 1, visibility_timeout_ms=0)) == 1
    clock.advance(1)
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
@pytest.mark.parametrize("longer_ms", [DAY_MS, None], ids=["a day", "for ever"])
async def test_a_longer_retention_does_not_bring_back_what_has_vanished(
    engine: Engine, clock: ManualClock, fifo: bool, longer_ms: int | None
) -> None:
    await engine.create_queue("q", kept_for(MINUTE_MS, fifo))
    await send(engine, "q", "gone", group="1")
    clock.advance(MINUTE_MS)
    await send(engine, "q", "kept", group="2")
    await engine.set_queue("q", kept_for(longer_ms, fifo))
    assert texts(await take(engine, "q", 1)) == ["kept"]
    assert await nothing_to_receive(engine, "q")
