"""Backlogs beyond what an engine would keep in memory. For durable engines, with restarts in between."""

from __future__ import annotations

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
    eventually,
    nothing_to_receive,
    receipts,
    send,
    take,
    take_one,
    texts,
)

from chappe.engine.base import DEDUPLICATION_WINDOW_MS, Engine, NewMessage, QueueCounts, QueueSettings

LARGE = 30_000


async def send_many(engine: Engine, messages: list[NewMessage], queue: str = "q") -> None:
    for start in range(0, len(messages), 1000):
        await engine.send(queue, messages[start : start + 1000])


def numbered(count: int, groups: int = 1) -> list[NewMessage]:
    return [NewMessage(str(number).encode(), group=f"g{number % groups}") for number in range(count)]


async def drain(engine: Engine, count: int, queue: str = "q") -> list[int]:
    """Receive and delete this many messages and give their numbers in the order they came."""
    return [int(message.body) for message in await consume(engine, queue, count)]


@pytest.mark.parametrize(
    ("settings", "groups"),
    [(STANDARD, 1), (FIFO, 1), (FIFO, 7), (FIFO, 10_000)],
    ids=["standard", "one group", "seven groups", "ten thousand groups"],
)
async def test_a_large_backlog_comes_out_as_it_went_in(
    workplace: Workplace, reopen: Restart, settings: QueueSettings, groups: int
) -> None:
    engine = workplace.engine
    await engine.create_queue("q", settings)
    await send_many(engine, numbered(LARGE, groups))
    drained = await drain(engine, LARGE // 3)
    engine = await workplace.kill()
    assert await engine.counts("q") == QueueCounts(ready=LARGE - LARGE // 3, in_flight=0, delayed=0)
    drained += await drain(engine, LARGE // 3)
    engine = await reopen()
    drained += await drain(engine, LARGE - len(drained))
    assert await nothing_to_receive(engine, "q")
    assert await engine.counts("q") == QueueCounts(0, 0, 0)
    assert sorted(drained) == list(range(LARGE))
    if settings.fifo:
        for group in range(min(groups, 50)):
            assert [n for n in drained if n % groups == group] == list(range(group, LARGE, groups))


async def test_groups_behind_a_held_group_of_thousands_flow(
    engine: Engine, clock: ManualClock, reopen: Restart
) -> None:
    await engine.create_queue("q", FIFO)
    held = [NewMessage(b"%d" % n, group="held") for n in range(20_000)]
    await send_many(engine, held)
    first = await take_one(engine, "q", visibility_timeout_ms=MINUTE_MS)
    await send_many(engine, numbered(500, groups=50))
    batch = await take(engine, "q", 250)
    assert "held" not in {message.group for message in batch}
    await engine.delete("q", receipts(batch))

    engine = await reopen()
    batch = await take(engine, "q", 250)
    assert "held" not in {message.group for message in batch}
    await engine.delete("q", receipts(batch))
    assert await nothing_to_receive(engine, "q")

    assert await engine.delete("q", [first.receipt]) == [None]
    assert await drain(engine, 19_999) == list(range(1, 20_000))


async def test_several_held_groups_of_thousands_hold_up_nobody(engine: Engine, reopen: Restart) -> None:
    await engine.create_queue("q", FIFO)
    for name in "abc":
        await send_many(engine, [NewMessage(b"%d" % n, group=name) for n in range(5000)])
    held = {message.group: message for message in [await take_one(engine, "q") for _ in range(3)]}
    assert set(held) == {"a", "b", "c"}
    await send(engine, "q", "1", "2", "3", group="free")
    assert texts(await consume(engine, "q", 3)) == ["1", "2", "3"]
    engine = await reopen()
    assert await nothing_to_receive(engine, "q")
    await engine.delete("q", [held["b"].receipt])
    assert (await take_one(engine, "q")).group == "b"


@pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])
async def test_many_messages_in_flight_come_back_when_their_timeout_ends(
    engine: Engine, clock: ManualClock, reopen: Restart, settings: QueueSettings
) -> None:
    count = 15_000
    await engine.create_queue("q", settings)
    await send_many(engine, numbered(count, groups=count))
    for _ in range(count // 1000):
        await take(engine, "q", 1000, visibility_timeout_ms=10 * MINUTE_MS)
    engine = await reopen()
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=count, delayed=0)
    assert await nothing_to_receive(engine, "q")
    clock.advance(10 * MINUTE_MS)
    again = [message for _ in range(count // 1000) for message in await take(engine, "q", 1000)]
    assert {message.receive_count for message in again} == {2}
    assert sorted(int(message.body) for message in again) == list(range(count))


async def test_delayed_messages_far_ahead_are_due_after_a_restart(
    engine: Engine, clock: ManualClock, reopen: Restart
) -> None:
    """The one sent last is due first, so an engine cannot rely on the order of sending."""
    count = 15_000
    await engine.create_queue("q", STANDARD)
    delayed = [NewMessage(str(n).encode(), delay_ms=10 * MINUTE_MS + (count - n) * 10) for n in range(count)]
    await send_many(engine, delayed)
    await send(engine, "q", "-1")
    assert await drain(engine, 1) == [-1]
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=0, delayed=count)

    engine = await reopen()
    assert await nothing_to_receive(engine, "q")
    clock.advance(10 * MINUTE_MS + 10_000)
    assert sorted(await drain(engine, 1000)) == list(range(count - 1000, count))
    assert await nothing_to_receive(engine, "q")
    engine = await reopen()
    clock.advance(count * 10)
    assert sorted(await drain(engine, count - 1000)) == list(range(count - 1000))


async def test_ready_messages_are_not_held_up_by_thousands_of_delayed_ones(
    engine: Engine, clock: ManualClock, restart: Restart
) -> None:
    await engine.create_queue("q", STANDARD)
    await send_many(engine, [NewMessage(b"%d" % n, delay_ms=MINUTE_MS) for n in range(15_000)])
    await send(engine, "q", "15000")
    engine = await restart()
    assert await drain(engine, 1) == [15_000]
    clock.advance(MINUTE_MS)
    await send(engine, "q", "15001")
    assert sorted(await drain(engine, 15_001)) == [*range(15_000), 15_001]


async def test_a_delayed_fifo_backlog_keeps_its_order(engine: Engine, clock: ManualClock, restart: Restart) -> None:
    await engine.create_queue("q", QueueSettings(fifo=True, delay_ms=MINUTE_MS))
    await send_many(engine, numbered(12_000, groups=3))
    engine = await restart()
    assert await nothing_to_receive(engine, "q")
    clock.advance(MINUTE_MS)
    drained = await drain(engine, 12_000)
    for group in range(3):
        assert [n for n in drained if n % 3 == group] == list(range(group, 12_000, 3))


@pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])
async def test_a_large_backlog_expires(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", QueueSettings(fifo=settings.fifo, retention_ms=DAY_MS))
    await send_many(engine, numbered(12_000, groups=5))
    clock.advance(DAY_MS - SECOND_MS)
    await send(engine, "q", "12000", group="g0")
    engine = await restart()
    clock.advance(SECOND_MS)
    assert await drain(engine, 1) == [12_000]

    async def vanished() -> bool:
        assert await engine.receive("q") == []
        return await engine.counts("q") == QueueCounts(0, 0, 0)

    await eventually(vanished)


@pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])
async def test_a_large_backlog_is_purged(
    engine: Engine, clock: ManualClock, restart: Restart, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    await send_many(engine, numbered(12_000, groups=5))
    await engine.receive("q", max_messages=100, visibility_timeout_ms=SECOND_MS)
    await engine.purge("q")
    await send(engine, "q", "12000", group="g0")
    engine = await restart()
    clock.advance(SECOND_MS)
    assert await drain(engine, 1) == [12_000]
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_a_large_queue_is_deleted_with_all_its_messages(engine: Engine, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    await send_many(engine, numbered(12_000))
    await engine.delete_queue("q")
    await engine.create_queue("q", STANDARD)
    engine = await restart()
    assert await nothing_to_receive(engine, "q")
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_many_deduplication_keys_are_remembered_across_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart
) -> None:
    await engine.create_queue("q", FIFO)
    keyed = [NewMessage(b"%d" % n, group=f"g{n % 10}", deduplication_key=b"key %d" % n) for n in range(12_000)]
    await send_many(engine, keyed)
    await drain(engine, 6000)
    engine = await restart()
    clock.advance(DEDUPLICATION_WINDOW_MS - 1)
    for start in range(0, len(keyed), 1000):
        assert all(answer.duplicate for answer in await engine.send("q", keyed[start : start + 1000]))
    assert (await engine.counts("q")).ready == 6000


async def test_messages_deep_in_the_backlog_are_deleted_and_extended_by_their_receipts(
    engine: Engine, clock: ManualClock, reopen: Restart
) -> None:
    """Receipts outlive the place a message had in memory."""
    await engine.create_queue("q", STANDARD)
    await send_many(engine, numbered(10_000))
    early = await take(engine, "q", 10, visibility_timeout_ms=MINUTE_MS)
    await drain(engine, 5000)
    engine = await reopen()
    assert await engine.change_visibility("q", [(early[0].receipt, 10 * MINUTE_MS)]) == [None]
    assert set(await engine.delete("q", receipts(early[1:]))) == {None}
    await drain(engine, 4990)
    clock.advance(9 * MINUTE_MS)
    assert await nothing_to_receive(engine, "q")
    clock.advance(MINUTE_MS)
    assert texts(await take(engine, "q", 1)) == texts(early[:1])
