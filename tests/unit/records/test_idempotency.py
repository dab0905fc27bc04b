from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.clocks import ManualClock

from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient, Status
from chappe.model.errors import StorageFailed
from chappe.records.idempotency import KEPT_MS, Answer, IdempotencyRecords
from chappe.records.messages import NewMessages
from chappe.records.store import Records
from chappe.records.timeline import Event


def answer(key: str, clock: ManualClock, scope: str = "me") -> Answer:
    return Answer(scope, key, f"digest of {key}", 202, f'{{"answer to":"{key}"}}', clock() + KEPT_MS)


async def store(records: Records, clock: ManualClock, *answers: Answer) -> int:
    key = records.keys.next()
    new = NewMessages()
    message = CustomerMessage(
        "m", Recipient(user="ana"), Channel.SANDBOX, Purpose.TRANSACTIONAL, Content(text="x"), clock()
    )
    new.append(key, message, Event(clock(), Status.ACCEPTED))
    await records.messages.add(new, urgent=True, along=IdempotencyRecords.rows(answers))
    return key


async def test_answers_are_found_by_caller_and_key(records: Records, clock: ManualClock) -> None:
    kept = [answer("a", clock), answer("b", clock)]
    await store(records, clock, *kept, answer("a", clock, "somebody else"))
    assert await records.idempotency.find("me", ["a", "b", "c"], clock()) == {"a": kept[0], "b": kept[1]}
    assert await records.idempotency.find("nobody", ["a"], clock()) == {}


async def test_answers_expire_and_their_keys_are_free_again(records: Records, clock: ManualClock) -> None:
    await store(records, clock, answer("a", clock))
    clock.advance(KEPT_MS)
    assert await records.idempotency.find("me", ["a"], clock()) == {}
    again = answer("a", clock)
    await store(records, clock, again)
    assert await records.idempotency.find("me", ["a"], clock()) == {"a": again}


async def test_message_and_answer_are_stored_together_or_not_at_all(records: Records, clock: ManualClock) -> None:
    await store(records, clock, answer("a", clock))
    with pytest.raises(StorageFailed):
        await store(records, clock, answer("a", clock))
    assert await records.messages.counts() == {Status.ACCEPTED: 1}


async def test_forgetting(records: Records, clock: ManualClock) -> None:
    kept = [answer("a", clock), answer("b", clock)]
    await store(records, clock, *kept)
    await records.idempotency.forget(kept[:1])
    assert list(await records.idempotency.find("me", ["a", "b"], clock())) == ["b"]
    await records.idempotency.forget([])


async def test_sweeping(records: Records, clock: ManualClock) -> None:
    await store(records, clock, answer("old", clock))
    clock.advance(KEPT_MS)
    await store(records, clock, answer("new", clock))
    assert await records.idempotency.sweep(clock()) == 1
    assert list(await records.idempotency.find("me", ["new"], clock())) == ["new"]


async def test_answers_survive_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    await store(records, clock, answer("a", clock))
    await records.close()
    records = await Records.open(tmp_path, now_ms=clock)
    assert list(await records.idempotency.find("me", ["a"], clock())) == ["a"]
    await records.close()
