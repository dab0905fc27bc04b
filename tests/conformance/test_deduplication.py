"""Deduplication in FIFO queues: five minutes from the send that was accepted, whatever happened since."""

from __future__ import annotations

import asyncio

from tests.conformance.clocks import ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import FIFO, MINUTE_MS, SECOND_MS, STANDARD, consume, receipts, take, take_one, texts

from chappe.engine.base import (
    DEDUPLICATION_WINDOW_MS,
    DeadLetterPolicy,
    Engine,
    NewMessage,
    QueueCounts,
    QueueSettings,
    SentMessage,
)
from chappe.model.errors import InvalidInput


async def send_keyed(
    engine: Engine, body: str, key: bytes | None = b"key", *, group: str = "g", queue: str = "q"
) -> SentMessage:
    message = NewMessage(body.encode(), group=group, deduplication_key=key)
    return (await engine.send(queue, [message]))[0]


def repeated(first: SentMessage) -> SentMessage:
    return SentMessage(first.id, first.sequence, duplicate=True)


async def test_a_duplicate_is_answered_with_the_first_and_stores_nothing(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    first = await send_keyed(engine, "first")
    assert not first.duplicate
    assert await send_keyed(engine, "second") == repeated(first)
    assert await engine.counts("q") == QueueCounts(ready=1, in_flight=0, delayed=0)
    assert texts(await take(engine, "q", 1)) == ["first"]


async def test_the_window_is_five_minutes(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    first = await send_keyed(engine, "first")
    clock.advance(DEDUPLICATION_WINDOW_MS - 1)
    assert await send_keyed(engine, "too soon") == repeated(first)
    clock.advance(2)
    second = await send_keyed(engine, "second")
    assert not second.duplicate
    assert second.id != first.id
    assert second.sequence > first.sequence
    assert texts(await consume(engine, "q", 2)) == ["first", "second"]


async def test_a_duplicate_does_not_extend_the_window(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send_keyed(engine, "first")
    clock.advance(4 * MINUTE_MS)
    assert (await send_keyed(engine, "duplicate")).duplicate
    clock.advance(2 * MINUTE_MS)
    assert not (await send_keyed(engine, "second")).duplicate


async def test_a_new_acceptance_begins_a_new_window(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", FIFO)
    await send_keyed(engine, "first")
    clock.advance(6 * MINUTE_MS)
    second = await send_keyed(engine, "second")
    clock.advance(4 * MINUTE_MS)
    assert await send_keyed(engine, "duplicate") == repeated(second)


async def test_the_same_key_twice_in_one_send_is_a_duplicate(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    messages = [
        NewMessage(body, group="g", deduplication_key=key)
        for body, key in [(b"1", b"a"), (b"2", b"b"), (b"3", b"a"), (b"4", b"b"), (b"5", b"c")]
    ]
    sent = await engine.send("q", messages)
    assert [answer.duplicate for answer in sent] == [False, False, True, True, False]
    assert sent[2] == repeated(sent[0])
    assert sent[3] == repeated(sent[1])
    assert texts(await consume(engine, "q", 3)) == ["1", "2", "5"]


async def test_a_send_may_mix_duplicates_and_new_messages(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    first = await send_keyed(engine, "1", b"a")
    sent = await engine.send(
        "q",
        [
            NewMessage(b"2", group="g", deduplication_key=b"b"),
            NewMessage(b"again", group="g", deduplication_key=b"a"),
            NewMessage(b"3", group="g"),
        ],
    )
    assert [answer.duplicate for answer in sent] == [False, True, False]
    assert sent[1] == repeated(first)
    assert texts(await consume(engine, "q", 3)) == ["1", "2", "3"]


async def test_sends_under_way_together_accept_a_key_once(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    sent = await asyncio.gather(*(send_keyed(engine, str(number)) for number in range(50)))
    assert sum(not answer.duplicate for answer in sent) == 1
    assert len({answer.id for answer in sent}) == 1
    assert (await engine.counts("q")).ready == 1


async def test_messages_without_a_key_are_never_duplicates(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    sent = [await send_keyed(engine, "same", None) for _ in range(3)]
    assert len({answer.id for answer in sent}) == 3
    assert (await engine.counts("q")).ready == 3


async def test_a_key_is_any_bytes_and_compared_exactly(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    keys = [b"a", b"A", b"a\x00", b"\x00", b"\x00\x00", b"\xff" * 64, b"\xff" * 63, "é".encode(), b"1"]
    firsts = [await send_keyed(engine, "body", key) for key in keys]
    assert not any(answer.duplicate for answer in firsts)
    assert [await send_keyed(engine, "again", key) for key in keys] == [repeated(first) for first in firsts]


async def test_the_scope_of_a_key_is_the_whole_queue(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    first = await send_keyed(engine, "first", group="one")
    assert await send_keyed(engine, "second", group="another") == repeated(first)


async def test_the_scope_of_a_key_ends_with_the_queue(engine: Engine) -> None:
    for queue in ["q", "r"]:
        await engine.create_queue(queue, FIFO)
        assert not (await send_keyed(engine, "body", queue=queue)).duplicate


async def test_a_new_queue_of_an_old_name_remembers_no_keys(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    await send_keyed(engine, "old")
    await engine.delete_queue("q")
    await engine.create_queue("q", FIFO)
    assert not (await send_keyed(engine, "new")).duplicate


# --- whatever happened to the first ---------------------------------------------------------------------


async def test_a_key_is_remembered_after_the_message_was_deleted(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    first = await send_keyed(engine, "first")
    await engine.delete("q", receipts(await take(engine, "q", 1)))
    assert await send_keyed(engine, "second") == repeated(first)
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_a_key_is_remembered_after_a_purge(engine: Engine) -> None:
    await engine.create_queue("q", FIFO)
    first = await send_keyed(engine, "first")
    await engine.purge("q")
    assert await send_keyed(engine, "second") == repeated(first)


async def test_a_key_is_remembered_after_a_purge_and_a_restart(engine: Engine, restart: Restart) -> None:
    await engine.create_queue("q", FIFO)
    first = await send_keyed(engine, "first")
    await engine.purge("q")
    engine = await restart()
    assert await send_keyed(engine, "second") == repeated(first)
    assert await engine.counts("q") == QueueCounts(0, 0, 0)


async def test_a_key_is_remembered_after_the_message_expired(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(fifo=True, retention_ms=MINUTE_MS))
    first = await send_keyed(engine, "first")
    clock.advance(2 * MINUTE_MS)
    assert await engine.receive("q") == []
    assert await send_keyed(engine, "second") == repeated(first)


async def test_a_key_is_remembered_after_the_message_became_a_dead_letter(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("dead", FIFO)
    await engine.create_queue("q", QueueSettings(fifo=True, dead_letter=DeadLetterPolicy("dead", 1)))
    first = await send_keyed(engine, "first")
    await take_one(engine, "q", visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    assert await engine.receive("q") == []
    assert texts(await take(engine, "dead", 1)) == ["first"]
    assert await send_keyed(engine, "second") == repeated(first)
    assert not (await send_keyed(engine, "of the other queue", queue="dead")).duplicate


async def test_a_key_is_remembered_across_a_restart(engine: Engine, clock: ManualClock, restart: Restart) -> None:
    await engine.create_queue("q", FIFO)
    kept = await send_keyed(engine, "kept", b"kept")
    deleted = await send_keyed(engine, "deleted", b"deleted", group="other")
    taken = {message.body: message.receipt for message in await take(engine, "q", 2)}
    await engine.delete("q", [taken[b"deleted"]])
    engine = await restart()
    clock.advance(DEDUPLICATION_WINDOW_MS - 1)
    assert await send_keyed(engine, "again", b"kept") == repeated(kept)
    assert await send_keyed(engine, "again", b"deleted") == repeated(deleted)
    clock.advance(2)
    assert not (await send_keyed(engine, "again", b"kept")).duplicate
    assert not (await send_keyed(engine, "again", b"deleted")).duplicate


async def test_a_window_that_passes_while_the_engine_is_down_has_passed(
    engine: Engine, clock: ManualClock, restart: Restart
) -> None:
    await engine.create_queue("q", FIFO)
    await send_keyed(engine, "first")
    clock.advance(DEDUPLICATION_WINDOW_MS + 1)
    engine = await restart()
    assert not (await send_keyed(engine, "second")).duplicate


async def test_keys_mean_nothing_in_a_standard_queue(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    message = NewMessage(b"body", deduplication_key=b"key")
    try:
        sent = [*await engine.send("q", [message, message]), *await engine.send("q", [message])]
    except InvalidInput:
        assert await engine.counts("q") == QueueCounts(0, 0, 0)
    else:
        assert len({answer.id for answer in sent}) == 3
        assert len(await take(engine, "q", 3)) == 3
