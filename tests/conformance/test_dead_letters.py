"""Dead letters: when a message is moved, what it keeps, and that it is in one queue only."""

from __future__ import annotations

import asyncio

import pytest
from tests.conformance.clocks import START_MS, ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    DAY_MS,
    FIFO,
    MINUTE_MS,
    SECOND_MS,
    STANDARD,
    consume,
    eventually,
    nothing_to_receive,
    receipts,
    send,
    send_apart,
    take,
    take_one,
    texts,
    total,
)

from chappe.engine.base import DeadLetterPolicy, Engine, NewMessage, QueueCounts, QueueSettings
from chappe.model.errors import ReceiptInvalid

BOTH_KINDS = pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])


def source_settings(fifo: bool, max_receive_count: int = 2, dead: str = "dead") -> QueueSettings:
    return QueueSettings(
        fifo=fifo, visibility_timeout_ms=SECOND_MS, dead_letter=DeadLetterPolicy(dead, max_receive_count)
    )


async def create_pair(engine: Engine, fifo: bool, max_receive_count: int = 2) -> None:
    await engine.create_queue("dead", FIFO if fifo else STANDARD)
    await engine.create_queue("q", source_settings(fifo, max_receive_count))


async def spend(engine: Engine, clock: ManualClock, times: int, queue: str = "q") -> None:
    """Receive one message so many times, letting the timeout end each time."""
    for _ in range(times):
        await take_one(engine, queue, visibility_timeout_ms=SECOND_MS)
        clock.advance(SECOND_MS)


@BOTH_KINDS
async def test_a_message_received_often_enough_is_moved_instead_of_received(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=3)
    [sent] = await engine.send("q", [NewMessage(b"body", attributes=b"attributes", group="g")])
    for number in range(1, 4):
        assert (await take_one(engine, "q")).receive_count == number
        clock.advance(SECOND_MS)
    assert await nothing_to_receive(engine, "q")
    assert await engine.counts("q") == QueueCounts(0, 0, 0)

    moved = await take_one(engine, "dead")
    assert moved.id == sent.id
    assert (moved.body, moved.attributes, moved.group) == (b"body", b"attributes", "g")
    assert moved.dead_letter_source == "q"
    assert moved.receive_count == 1


@BOTH_KINDS
async def test_a_message_deleted_in_its_last_receive_is_not_moved(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    await engine.delete("q", [received.receipt])
    clock.advance(MINUTE_MS)
    assert await nothing_to_receive(engine, "q")
    assert await nothing_to_receive(engine, "dead")


@BOTH_KINDS
async def test_a_message_in_its_last_receive_is_not_moved_before_its_timeout_ends(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "body", group="g")
    await take_one(engine, "q", visibility_timeout_ms=10 * SECOND_MS)
    clock.advance(10 * SECOND_MS - 1)
    assert await nothing_to_receive(engine, "q")
    assert await nothing_to_receive(engine, "dead")
    assert await engine.counts("q") == QueueCounts(ready=0, in_flight=1, delayed=0)


@BOTH_KINDS
async def test_receives_without_a_timeout_count(engine: Engine, fifo: bool) -> None:
    await create_pair(engine, fifo, max_receive_count=3)
    await send(engine, "q", "body", group="g")
    for _ in range(3):
        await take_one(engine, "q", visibility_timeout_ms=0)
    assert await nothing_to_receive(engine, "q")
    assert texts(await take(engine, "dead", 1)) == ["body"]


@BOTH_KINDS
async def test_a_message_made_ready_by_its_receiver_counts(engine: Engine, fifo: bool) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    await engine.change_visibility("q", [(received.receipt, 0)])
    assert await nothing_to_receive(engine, "q")
    assert texts(await take(engine, "dead", 1)) == ["body"]


@BOTH_KINDS
async def test_a_receive_gives_what_is_behind_a_dead_letter(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "spent", group="g")
    await spend(engine, clock, times=1)
    await send(engine, "q", "fresh", group="g")
    assert texts(await take(engine, "q", 1)) == ["fresh"]


async def test_a_standard_dead_letter_keeps_the_time_it_was_sent(engine: Engine, clock: ManualClock) -> None:
    await create_pair(engine, fifo=False)
    await send(engine, "q", "body")
    await spend(engine, clock, times=2)
    assert await nothing_to_receive(engine, "q")
    assert (await take_one(engine, "dead")).sent_at_ms == START_MS


async def test_a_fifo_dead_letter_has_the_time_it_was_moved(engine: Engine, clock: ManualClock) -> None:
    await create_pair(engine, fifo=True)
    await send(engine, "q", "body", group="g")
    await spend(engine, clock, times=2)
    assert await nothing_to_receive(engine, "q")
    assert (await take_one(engine, "dead")).sent_at_ms > START_MS


@BOTH_KINDS
async def test_the_retention_of_a_dead_letter_counts_from_its_sent_time(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await create_pair(engine, fifo)
    await engine.set_queue("dead", QueueSettings(fifo=fifo, retention_ms=DAY_MS))
    await send(engine, "q", "body", group="g")
    clock.advance(DAY_MS // 2)
    await spend(engine, clock, times=2)
    assert await nothing_to_receive(engine, "q")
    clock.advance(DAY_MS // 2)
    assert await nothing_to_receive(engine, "dead") is not fifo


@BOTH_KINDS
async def test_dead_letters_go_to_the_end(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    already_there = await send(engine, "dead", "a", "b", group="g")
    await send(engine, "q", "c", "d", "e", group="g")
    await spend(engine, clock, times=3)
    assert await nothing_to_receive(engine, "q")
    received = await consume(engine, "dead", 5)
    by_sequence = sorted(received, key=lambda message: message.sequence)
    assert texts(by_sequence)[:2] == ["a", "b"]
    assert [message.sequence for message in by_sequence[:2]] == [sent.sequence for sent in already_there]
    assert len({message.sequence for message in received}) == 5
    if fifo:
        assert texts(received) == ["a", "b", "c", "d", "e"]


@BOTH_KINDS
async def test_dead_letters_may_themselves_become_dead_letters(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await engine.create_queue("q", source_settings(fifo, 1, dead="second"))
    await engine.create_queue("second", source_settings(fifo, 1, dead="third"))
    await engine.create_queue("third", FIFO if fifo else STANDARD)
    await send(engine, "q", "body", group="g")
    await spend(engine, clock, times=1)
    assert await nothing_to_receive(engine, "q")
    await spend(engine, clock, times=1, queue="second")
    assert await nothing_to_receive(engine, "second")
    assert (await take_one(engine, "third")).dead_letter_source == "second"


@BOTH_KINDS
async def test_without_the_policys_queue_messages_are_received_as_usual(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await engine.create_queue("q", source_settings(fifo, 2, dead="not yet"))
    await send(engine, "q", "body", group="g")
    for number in range(1, 6):
        assert (await take_one(engine, "q")).receive_count == number
        clock.advance(SECOND_MS)
    await engine.create_queue("not yet", FIFO if fifo else STANDARD)
    assert await nothing_to_receive(engine, "q")
    assert texts(await take(engine, "not yet", 1)) == ["body"]


@BOTH_KINDS
async def test_after_the_policys_queue_was_deleted_messages_are_received_as_usual(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "body", group="g")
    await spend(engine, clock, times=1)
    await engine.delete_queue("dead")
    assert (await take_one(engine, "q")).receive_count == 2


@BOTH_KINDS
async def test_a_new_policy_governs_messages_received_before(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await engine.create_queue("dead", FIFO if fifo else STANDARD)
    await engine.create_queue("q", FIFO if fifo else STANDARD)
    await send(engine, "q", "body", group="g")
    await spend(engine, clock, times=3)
    await engine.set_queue("q", source_settings(fifo, 3))
    assert await nothing_to_receive(engine, "q")
    assert texts(await take(engine, "dead", 1)) == ["body"]


@BOTH_KINDS
async def test_a_policy_that_was_taken_away_moves_nothing(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "body", group="g")
    await spend(engine, clock, times=1)
    await engine.set_queue("q", FIFO if fifo else STANDARD)
    assert (await take_one(engine, "q")).receive_count == 2
    assert await nothing_to_receive(engine, "dead")


@BOTH_KINDS
async def test_a_receipt_of_the_source_does_not_delete_the_dead_letter(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "body", group="g")
    received = await take_one(engine, "q")
    clock.advance(SECOND_MS)
    assert await nothing_to_receive(engine, "q")
    await engine.delete("q", [received.receipt])
    [answer] = await engine.delete("dead", [received.receipt])
    assert isinstance(answer, ReceiptInvalid)
    assert texts(await take(engine, "dead", 1)) == ["body"]


async def test_a_dead_letter_is_no_duplicate(engine: Engine, clock: ManualClock) -> None:
    await create_pair(engine, fifo=True, max_receive_count=1)
    message = NewMessage(b"body", group="g", deduplication_key=b"key")
    await engine.send("dead", [message])
    await engine.send("q", [message])
    await spend(engine, clock, times=1)
    assert await nothing_to_receive(engine, "q")
    assert texts(await consume(engine, "dead", 2)) == ["body", "body"]


@BOTH_KINDS
async def test_a_waiting_receive_of_the_dead_letter_queue_may_have_it(
    engine: Engine, clock: ManualClock, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "1", "2", "3", group="g")
    await spend(engine, clock, times=3)
    assert await nothing_to_receive(engine, "q")
    assert sorted(texts(await consume(engine, "dead", 3))) == ["1", "2", "3"]
    assert await nothing_to_receive(engine, "dead")


@BOTH_KINDS
async def test_a_dead_letter_is_in_one_queue_after_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    await send(engine, "q", "1", "2", group="g")
    await spend(engine, clock, times=2)
    assert await nothing_to_receive(engine, "q")
    await send(engine, "dead", "3", group="g")
    engine = await restart()
    assert await nothing_to_receive(engine, "q")
    received = await consume(engine, "dead", 3)
    assert sorted(texts(received)) == ["1", "2", "3"]
    assert {message.dead_letter_source for message in received if message.body != b"3"} == {"q"}
    assert {message.receive_count for message in received} == {1}
    assert await nothing_to_receive(engine, "dead")


@BOTH_KINDS
async def test_receives_before_a_restart_count_towards_the_limit(
    engine: Engine, clock: ManualClock, reopen: Restart, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=3)
    await send(engine, "q", "body", group="g")
    for _ in range(3):
        await spend(engine, clock, times=1)
        engine = await reopen()
    assert await nothing_to_receive(engine, "q")
    assert texts(await take(engine, "dead", 1)) == ["body"]


@BOTH_KINDS
async def test_many_dead_letters_are_moved_whole(engine: Engine, clock: ManualClock, fifo: bool) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    bodies = [str(number) for number in range(1000)]
    await send_apart(engine, "q", *bodies)
    await take(engine, "q", 1000, visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)

    async def all_moved() -> bool:
        assert await engine.receive("q", max_messages=1000) == []
        return await engine.counts("q") == QueueCounts(0, 0, 0)

    await eventually(all_moved)
    assert await engine.counts("dead") == QueueCounts(ready=1000, in_flight=0, delayed=0)
    assert sorted(texts(await consume(engine, "dead", 1000))) == sorted(bodies)


@BOTH_KINDS
async def test_dead_letters_before_a_backlog_are_moved_once_after_a_restart(
    engine: Engine, clock: ManualClock, restart: Restart, fifo: bool
) -> None:
    await create_pair(engine, fifo, max_receive_count=1)
    bodies = [str(number) for number in range(60)]
    await send_apart(engine, "q", *bodies)
    spent = await take(engine, "q", 20, visibility_timeout_ms=SECOND_MS)
    await send(engine, "dead", "another", group="another")
    engine = await restart()
    clock.advance(SECOND_MS)
    received: list[str] = []
    while sum(map(total, [await engine.counts("q"), await engine.counts("dead")])):
        batches = await asyncio.gather(*(engine.receive(queue, max_messages=3) for queue in ["q", "dead"] * 5))
        for queue, batch in zip(["q", "dead"] * 5, batches, strict=True):
            received += [f"{queue} {text}" for text in texts(batch)]
            await engine.delete(queue, receipts(batch))
    moved = {f"dead {text}" for text in texts(spent)}
    stayed = {f"q {body}" for body in bodies if body not in texts(spent)}
    assert sorted(received) == sorted(moved | stayed | {"dead another"})
