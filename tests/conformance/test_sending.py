"""Sends: what is stored, in which order, all of it or nothing; delays."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from tests.conformance.clocks import START_MS, ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    FIFO,
    MINUTE_MS,
    SECOND_MS,
    STANDARD,
    consume,
    nothing_to_receive,
    send,
    take,
    take_one,
    texts,
)

from chappe.engine.base import MAX_RECEIVE, Engine, NewMessage, QueueCounts, QueueSettings
from chappe.model.errors import InvalidInput

ONE_MEBIBYTE = 1024 * 1024


async def test_a_message_arrives_as_it_was_sent(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", STANDARD)
    message = NewMessage(body=b"\x00body\xff", attributes=b"\x00attributes\xff", group="tenant")
    [sent] = await engine.send("q", [message])
    clock.advance(5)
    received = await take_one(engine, "q")
    assert (received.body, received.attributes, received.group) == (
        message.body,
        message.attributes,
        message.group,
    )
    assert (received.id, received.sequence) == (sent.id, sent.sequence)
    assert (received.sent_at_ms, received.first_received_at_ms) == (START_MS, START_MS + 5)
    assert received.receive_count == 1
    assert received.dead_letter_source is None


async def test_a_message_without_attributes_or_group_arrives_without(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "body")
    received = await take_one(engine, "q")
    assert received.attributes == b""
    assert received.group is None


async def test_an_acknowledged_message_survives_a_restart(engine: Engine, clock: ManualClock, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    [sent] = await engine.send("q", [NewMessage(b"body", attributes=b"\x00\x01", group="tenant")])
    engine = await restart()
    clock.advance(5)
    received = await take_one(engine, "q")
    assert (received.id, received.sequence) == (sent.id, sent.sequence)
    assert (received.body, received.attributes, received.group) == (b"body", b"\x00\x01", "tenant")
    assert (received.sent_at_ms, received.first_received_at_ms) == (START_MS, START_MS + 5)
    assert received.receive_count == 1


async def test_a_body_may_be_of_any_size_up_to_a_mebibyte(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    sizes = [0, 1, 1023, 4095, 4096, 4097, 65_536, ONE_MEBIBYTE - 1, ONE_MEBIBYTE]
    bodies = [bytes([index]) * size for index, size in enumerate(sizes)]
    await engine.send("q", [NewMessage(body, attributes=body[:1000]) for body in bodies])
    received = await take(engine, "q", len(sizes))
    assert sorted(message.body for message in received) == sorted(bodies)
    assert all(message.attributes == message.body[:1000] for message in received)


async def test_large_bodies_survive_a_restart(engine: Engine, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    bodies = [bytes([number]) * ONE_MEBIBYTE for number in range(5)]
    for body in bodies:
        await engine.send("q", [NewMessage(body)])
    engine = await restart()
    received = await take(engine, "q", len(bodies))
    assert sorted(message.body for message in received) == bodies


@pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])
async def test_a_batch_is_answered_in_the_order_given(engine: Engine, settings: QueueSettings) -> None:
    await engine.create_queue("q", settings)
    sent = await send(engine, "q", *map(str, range(MAX_RECEIVE)), group="g")
    id_of = {message.body: message.id for message in await consume(engine, "q", MAX_RECEIVE)}
    assert [id_of[str(number).encode()] for number in range(MAX_RECEIVE)] == [answer.id for answer in sent]
    assert all(not answer.duplicate for answer in sent)


async def test_ids_are_uuids_of_their_own(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    sent = [answer for _ in range(3) for answer in await send(engine, "q", *["same"] * 100)]
    assert len({answer.id for answer in sent}) == 300
    assert all(str(uuid.UUID(answer.id)) == answer.id for answer in sent)


@pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["standard", "fifo"])
async def test_a_sequence_grows_and_is_never_used_twice(
    engine: Engine, settings: QueueSettings, clock: ManualClock, restart: Restart
) -> None:
    await engine.create_queue("q", settings)
    sequences = [answer.sequence for answer in await send(engine, "q", "1", "2", "3", group="g")]
    await consume(engine, "q", 3)
    sequences += [answer.sequence for answer in await send(engine, "q", "4", group="g")]
    await engine.purge("q")
    engine = await restart()
    sequences += [answer.sequence for answer in await send(engine, "q", "5", "6", group="g")]
    clock.advance(MINUTE_MS)
    await engine.purge("q")
    engine = await restart()
    sequences += [answer.sequence for answer in await send(engine, "q", "7", group="g")]
    assert sequences == sorted(set(sequences))


@pytest.mark.parametrize("count", [0, MAX_RECEIVE + 1])
async def test_a_send_of_none_or_too_many_is_refused(engine: Engine, count: int) -> None:
    await engine.create_queue("q", STANDARD)
    with pytest.raises(InvalidInput):
        await engine.send("q", [NewMessage(b"body")] * count)
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_a_batch_with_one_bad_message_stores_nothing(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    good = NewMessage(b"good", group="g", deduplication_key=b"key")
    with pytest.raises(InvalidInput):
        await engine.send("q", [good, NewMessage(b"no group"), good])
    assert await engine.counts("q") == QueueCounts(0, 0, 0)
    [answer] = await engine.send("q", [good])
    assert not answer.duplicate, "the refused batch left its deduplication key behind"


async def test_a_refused_batch_leaves_nothing_after_a_restart(engine: Engine, restart: Restart) -> None:
    await engine.create_queue("q", FIFO)
    with pytest.raises(InvalidInput):
        await engine.send("q", [NewMessage(b"good", group="g"), NewMessage(b"no group")])
    engine = await restart()
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


@pytest.mark.parametrize("length", [0, 65])
async def test_a_deduplication_key_has_1_to_64_bytes(engine: Engine, length: int) -> None:
    await engine.create_queue("q", FIFO)
    with pytest.raises(InvalidInput):
        await engine.send("q", [NewMessage(b"body", group="g", deduplication_key=b"k" * length)])
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_a_negative_delay_is_refused(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    with pytest.raises(InvalidInput):
        await engine.send("q", [NewMessage(b"body", delay_ms=-1)])
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_messages_sent_at_the_same_time_all_arrive_once(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await asyncio.gather(*(send(engine, "q", f"{n}a", f"{n}b") for n in range(200)))
    received = await take(engine, "q", 400)
    assert sorted(texts(received)) == sorted(f"{n}{letter}" for n in range(200) for letter in "ab")
    assert await nothing_to_receive(engine, "q")


async def test_sends_started_one_after_the_other_keep_their_order_in_a_group(engine: Engine) -> None:
    """A caller that does not wait for the first answer still made the first call first."""
    await engine.create_queue("q", FIFO)
    async with asyncio.TaskGroup() as group:
        for number in range(300):
            group.create_task(send(engine, "q", str(number), group="g"))
    assert texts(await consume(engine, "q", 300)) == [str(number) for number in range(300)]


async def test_a_cancelled_send_happened_as_a_whole_or_not_at_all(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    for patience in range(6):
        task = asyncio.ensure_future(send(engine, "q", *[f"{patience}"] * 5))
        for _ in range(patience):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    await send(engine, "q", "after")
    counts = await engine.counts("q")
    assert counts.ready % 5 == 1
    stored = texts(await take(engine, "q", counts.ready))
    assert "after" in stored
    assert all(stored.count(str(patience)) in (0, 5) for patience in range(6))


# --- delay ----------------------------------------------------------------------------------------------


async def test_a_delayed_message_is_received_once_its_delay_has_passed(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.send("q", [NewMessage(b"body", delay_ms=10 * SECOND_MS)])
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=0, delayed=1)
    clock.advance(10 * SECOND_MS - 1)
    assert await nothing_to_receive(engine, "q")
    clock.advance(1)
    assert texts(await take(engine, "q", 1)) == ["body"]


async def test_a_delay_outlives_a_restart(engine: Engine, clock: ManualClock, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.send("q", [NewMessage(b"body", delay_ms=10 * SECOND_MS)])
    engine = await restart()
    clock.advance(10 * SECOND_MS - 1)
    assert await nothing_to_receive(engine, "q")
    clock.advance(1)
    assert texts(await take(engine, "q", 1)) == ["body"]


async def test_a_delay_that_passes_while_the_engine_is_down_has_passed(
    engine: Engine, clock: ManualClock, restart: Restart
) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.send("q", [NewMessage(b"body", delay_ms=10 * SECOND_MS)])
    clock.advance(MINUTE_MS)
    engine = await restart()
    assert texts(await take(engine, "q", 1)) == ["body"]


async def test_a_message_without_a_delay_of_its_own_has_the_queues(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(delay_ms=MINUTE_MS))
    await send(engine, "q", "body")
    assert await nothing_to_receive(engine, "q")
    clock.advance(MINUTE_MS)
    assert texts(await take(engine, "q", 1)) == ["body"]


async def test_a_messages_own_delay_goes_before_the_queues(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(delay_ms=MINUTE_MS))
    await engine.send("q", [NewMessage(b"none", delay_ms=0), NewMessage(b"long", delay_ms=2 * MINUTE_MS)])
    assert (await take_one(engine, "q", visibility_timeout_ms=10 * MINUTE_MS)).body == b"none"
    clock.advance(MINUTE_MS)
    assert await nothing_to_receive(engine, "q")
    clock.advance(MINUTE_MS)
    assert texts(await take(engine, "q", 1)) == ["long"]


async def test_delayed_messages_come_when_each_is_due(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", STANDARD)
    delays_seconds = [30, 10, 50, 20, 40, 0]
    await engine.send("q", [NewMessage(b"%d" % s, delay_ms=s * SECOND_MS) for s in delays_seconds])
    for due in sorted(delays_seconds):
        assert texts(await take(engine, "q", 1)) == [str(due)]
        assert await nothing_to_receive(engine, "q")
        clock.advance(10 * SECOND_MS)


async def test_a_delayed_message_is_counted_right_beside_one_in_flight_after_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart
) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.send("q", [NewMessage(b"due", delay_ms=SECOND_MS)])
    clock.advance(SECOND_MS)
    due = await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    await engine.send("q", [NewMessage(b"delayed", delay_ms=MINUTE_MS)])
    engine = await restart()
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=1, delayed=1)
    clock.advance(SECOND_MS)
    assert await engine.counts("q") == QueueCounts(ready=1, in_flight=0, delayed=1)
    assert await engine.delete("q", [due.receipt]) == [None]
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=0, delayed=1)
