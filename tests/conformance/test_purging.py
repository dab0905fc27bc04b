"""Purging, counting and closing."""

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
    Workplace,
    consume,
    nothing_to_receive,
    send,
    settles_at,
    take,
    take_one,
    texts,
)

from chappe.engine.base import Engine, NewMessage, QueueCounts, QueueSettings
from chappe.model.errors import Closed

BOTH_KINDS = pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])


async def fill(engine: Engine, settings: QueueSettings) -> None:
    """One message in flight, one delayed, two ready."""
    await engine.create_queue("q", settings)
    await send(engine, "q", "in flight", group="1")
    await take_one(engine, "q", visibility_timeout_ms=MINUTE_MS)
    await engine.set_queue("q", QueueSettings(fifo=settings.fifo, delay_ms=MINUTE_MS))
    await send(engine, "q", "delayed", group="2")
    await engine.set_queue("q", settings)
    await send(engine, "q", "ready", "ready too", group="3")


@BOTH_KINDS
async def test_messages_are_counted_by_state(engine: Engine, clock: ManualClock, settings: QueueSettings) -> None:
    await fill(engine, settings)
    assert await settles_at(engine, "q", QueueCounts(ready=2, in_flight=1, delayed=1))
    clock.advance(MINUTE_MS)
    assert await settles_at(engine, "q", QueueCounts(ready=4, in_flight=0, delayed=0))


@BOTH_KINDS
async def test_counts_are_the_same_after_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    await fill(engine, settings)
    engine = await restart()
    assert await settles_at(engine, "q", QueueCounts(ready=2, in_flight=1, delayed=1))
    clock.advance(MINUTE_MS)
    assert await settles_at(engine, "q", QueueCounts(ready=4, in_flight=0, delayed=0))


async def test_counts_of_an_empty_queue_are_zero(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


# --- purging --------------------------------------------------------------------------------------------


@BOTH_KINDS
async def test_a_purge_deletes_every_message_whatever_its_state(
    engine: Engine, clock: ManualClock, settings: QueueSettings
) -> None:
    await fill(engine, settings)
    await engine.purge("q")
    assert await engine.counts("q") == QueueCounts(0, 0, 0)
    clock.advance(DAY_MS)
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_what_was_purged_does_not_return_after_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    await fill(engine, settings)
    await engine.purge("q")
    engine = await restart()
    assert await engine.counts("q") == QueueCounts(0, 0, 0)
    clock.advance(DAY_MS)
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_what_is_sent_after_a_purge_is_kept(engine: Engine, restart: Restart, settings: QueueSettings) -> None:
    await fill(engine, settings)
    await engine.purge("q")
    await send(engine, "q", "new", group="1")
    engine = await restart()
    assert texts(await take(engine, "q", 1)) == ["new"]
    assert await nothing_to_receive(engine, "q")


@BOTH_KINDS
async def test_a_purge_and_sends_under_way_leave_each_message_whole_or_gone(
    engine: Engine, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    before = [asyncio.ensure_future(send(engine, "q", f"before {n}", group=f"{n}")) for n in range(20)]
    purging = asyncio.ensure_future(engine.purge("q"))
    after = [asyncio.ensure_future(send(engine, "q", f"after {n}", group=f"{n}")) for n in range(20)]
    await asyncio.gather(*before, purging, *after)
    counts = await engine.counts("q")
    left = texts(await consume(engine, "q", counts.ready))
    assert {f"after {n}" for n in range(20)} <= set(left)
    assert len(left) == len(set(left))


async def test_a_purge_leaves_other_queues_alone(engine: Engine) -> None:
    for name in ["q", "other"]:
        await engine.create_queue(name, STANDARD)
        await send(engine, name, "body")
    await engine.purge("q")
    assert texts(await take(engine, "other", 1)) == ["body"]


async def test_a_purge_sets_a_held_group_free(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send(engine, "q", "1", group="g")
    await take_one(engine, "q")
    await engine.purge("q")
    await send(engine, "q", "2", group="g")
    assert texts(await take(engine, "q", 1)) == ["2"]


async def test_a_purge_makes_room_in_flight(engine: Engine) -> None:
    await engine.create_queue("q", QueueSettings(max_in_flight=1))
    await send(engine, "q", "1")
    await take_one(engine, "q")
    await engine.purge("q")
    await send(engine, "q", "2")
    assert texts(await take(engine, "q", 1)) == ["2"]


async def test_an_empty_queue_may_be_purged(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.purge("q")
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


# --- closing --------------------------------------------------------------------------------------------


async def test_a_closed_engine_says_so(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.close()
    with pytest.raises(Closed):
        await send(engine, "q", "body")
    with pytest.raises(Closed):
        await engine.receive("q")
    with pytest.raises(Closed):
        await engine.create_queue("r", STANDARD)


async def test_closing_again_is_no_error(engine: Engine) -> None:
    await engine.close()
    await engine.close()


async def test_closing_finishes_the_commits_under_way(engine: Engine, reopen: Restart, clock: ManualClock) -> None:
    await engine.create_queue("q", STANDARD)
    sends = [asyncio.ensure_future(send(engine, "q", str(number))) for number in range(50)]
    await asyncio.sleep(0)
    engine = await reopen()
    outcomes = await asyncio.gather(*sends, return_exceptions=True)
    acknowledged = [str(n) for n, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)]
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} <= {Closed}
    stored = texts(await take(engine, "q", (await engine.counts("q")).ready))
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


async def test_an_engine_may_be_opened_and_closed_many_times(workplace: Workplace, reopen: Restart) -> None:
    engine = workplace.engine
    await engine.create_queue("q", FIFO)
    for number in range(10):
        await send(engine, "q", str(number), group="g")
        engine = await reopen()
    received = await consume(engine, "q", 10)
    assert texts(received) == [str(number) for number in range(10)]


async def test_a_delayed_message_is_counted_as_delayed_until_it_is_due(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.send("q", [NewMessage(b"%d" % n, delay_ms=n * SECOND_MS) for n in range(1, 6)])
    for due in range(6):
        assert await settles_at(engine, "q", QueueCounts(ready=due, in_flight=0, delayed=5 - due))
        clock.advance(SECOND_MS)


@BOTH_KINDS
async def test_what_was_purged_is_not_counted_after_restarts(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    """Also where an engine puts off the work of removing it."""
    await fill(engine, settings)
    engine = await restart()
    await engine.purge("q")
    await send(engine, "q", "ready", group="1")
    await engine.set_queue("q", QueueSettings(fifo=settings.fifo, delay_ms=10 * MINUTE_MS))
    await send(engine, "q", "delayed", group="2")
    engine = await restart()
    assert await engine.counts("q") == QueueCounts(ready=1, in_flight=0, delayed=1)
    clock.advance(2 * MINUTE_MS)
    assert await settles_at(engine, "q", QueueCounts(ready=1, in_flight=0, delayed=1))
