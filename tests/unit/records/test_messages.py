from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.conformance.clocks import ManualClock

from chappe.model.customer import Channel, Content, Decision, Outcome, Purpose, Recipient, Status
from chappe.model.errors import MessageNotFound, NotCancellable
from chappe.records import ids
from chappe.records.messages import Filter
from chappe.records.steps import OPEN, Transition
from chappe.records.store import Records
from chappe.records.timeline import Event

Build = Callable[..., Any]


async def test_a_message_comes_back_as_it_was_accepted(records: Records, add: Build) -> None:
    content = Content(subject="Grüße \u2028", text="a\nb", html="<p>", data={"n": [1, {"x": None}]})
    key = await add(records, content=content, metadata={"order": "1"}, sender="Acme <a@example.com>")
    stored = await records.messages.get(key)
    assert stored.message.content == content
    assert stored.message.metadata == {"order": "1"}
    assert stored.message.id == ids.key_text(ids.MESSAGE, key)
    assert stored.summary.status is Status.ACCEPTED
    assert [event.status for event in stored.summary.events] == [Status.ACCEPTED]


async def test_what_is_not_there_is_not_found(records: Records) -> None:
    with pytest.raises(MessageNotFound):
        await records.messages.get(12345)


async def test_steps_change_the_status_and_lengthen_the_timeline(
    records: Records, add: Build, step: Build, clock: ManualClock
) -> None:
    key = await add(records)
    decision = Decision(Outcome.ALLOW, 7)
    for status, fields in (
        (Status.QUEUED, {"decision": decision}),
        (Status.SENDING, {"attempts": 1, "attempt": 1, "provider": "mail"}),
        (Status.SENT, {"reply": "250 ok"}),
    ):
        clock.advance(10)
        await records.messages.advance([step(key, status, **fields)], urgent=True)
    summary = (await records.messages.get(key)).summary
    assert summary.status is Status.SENT
    assert summary.attempts == 1
    assert summary.updated_at_ms == clock()
    assert [e.status for e in summary.events] == [Status.ACCEPTED, Status.QUEUED, Status.SENDING, Status.SENT]
    assert summary.events[1].decision == decision
    assert summary.events[3].reply == "250 ok"


async def test_steps_of_one_message_in_one_commit_are_all_kept(records: Records, add: Build, step: Build) -> None:
    key, other = await add(records), await add(records)
    submitted = [
        records.messages.advance([step(key, Status.QUEUED), step(other, Status.QUEUED)], urgent=True),
        records.messages.advance([step(key, Status.SENDING, attempts=1, unconditional=True)], urgent=True),
        records.messages.advance([step(key, Status.QUEUED, unconditional=True)], urgent=True),
        records.messages.advance([step(key, Status.SENDING, attempts=1, unconditional=True)], urgent=True),
        records.messages.advance([step(key, Status.SENT, unconditional=True)], urgent=True),
    ]
    await asyncio.gather(*submitted)
    summary = (await records.messages.get(key)).summary
    assert summary.status is Status.SENT
    assert summary.attempts == 2
    assert len(summary.events) == 6
    assert (await records.messages.get(other)).summary.status is Status.QUEUED


@pytest.mark.parametrize("final", sorted(set(Status) - set(OPEN)))
async def test_an_ended_message_is_moved_only_unconditionally(
    records: Records, add: Build, step: Build, final: Status
) -> None:
    key = await add(records)
    await records.messages.advance([step(key, final)], urgent=True)
    await records.messages.advance([step(key, Status.QUEUED)], urgent=True)
    assert (await records.messages.get(key)).summary.status is final
    await records.messages.advance([step(key, Status.QUEUED, unconditional=True)], urgent=True)
    assert (await records.messages.get(key)).summary.status is Status.QUEUED


async def test_an_end_holds_also_against_a_later_step_of_the_same_commit(
    records: Records, add: Build, step: Build
) -> None:
    key = await add(records)
    await asyncio.gather(
        records.messages.advance([step(key, Status.BLOCKED)], urgent=True),
        records.messages.advance([step(key, Status.QUEUED)], urgent=True),
    )
    summary = (await records.messages.get(key)).summary
    assert summary.status is Status.BLOCKED
    assert [event.status for event in summary.events] == [Status.ACCEPTED, Status.BLOCKED]


async def test_steps_of_unknown_messages_are_passed_over(records: Records, add: Build, step: Build) -> None:
    key = await add(records)
    await records.messages.advance([step(key + 1, Status.SENT), step(key, Status.QUEUED)], urgent=True)
    assert (await records.messages.get(key)).summary.status is Status.QUEUED


async def test_cancelling(records: Records, add: Build, step: Build, clock: ManualClock) -> None:
    key, sent = await add(records), await add(records)
    await records.messages.advance([step(sent, Status.SENT)], urgent=True)
    event = Event(clock(), Status.CANCELLED)
    await records.messages.cancel(key, event)
    await records.messages.cancel(key, event)
    summary = (await records.messages.get(key)).summary
    assert summary.status is Status.CANCELLED
    assert len(summary.events) == 2
    with pytest.raises(NotCancellable, match="sent"):
        await records.messages.cancel(sent, event)
    with pytest.raises(MessageNotFound):
        await records.messages.cancel(99, event)


async def test_removing_leaves_nothing(records: Records, add: Build) -> None:
    key, other = await add(records), await add(records)
    await records.messages.remove([key])
    with pytest.raises(MessageNotFound):
        await records.messages.get(key)
    assert await records.messages.get(other)


async def test_listing_filters_and_pages(records: Records, add: Build, step: Build, clock: ManualClock) -> None:
    keys = []
    for number in range(10):
        clock.advance(1_000)
        keys.append(
            await add(
                records,
                to=Recipient(email=f"{'ana' if number % 2 else 'ben'}@example.com"),
                purpose=Purpose.PROMOTIONAL if number < 5 else Purpose.TRANSACTIONAL,
                channel=Channel.SANDBOX if number == 3 else Channel.EMAIL,
            )
        )
    await records.messages.advance([step(key, Status.SENT) for key in keys[:4]], urgent=True)

    async def found(limit: int = 100, **wanted: Any) -> list[int]:
        return [keys.index(s.key) for s in await records.messages.find(Filter(**wanted), limit)]

    assert await found() == list(range(9, -1, -1))
    assert await found(status=Status.SENT) == [3, 2, 1, 0]
    assert await found(status=Status.SENT, recipient="email:ana@example.com") == [3, 1]
    assert await found(purpose=Purpose.PROMOTIONAL, status=Status.ACCEPTED) == [4]
    assert await found(channel=Channel.SANDBOX) == [3]
    assert await found(since_ms=ids.created_at_ms(keys[7])) == [9, 8, 7]
    assert await found(until_ms=ids.created_at_ms(keys[2])) == [1, 0]
    assert await found(3) == [9, 8, 7]
    assert await found(3, before_key=keys[7]) == [6, 5, 4]
    assert await found(recipient="user:ana@example.com") == []


async def test_counts_by_status(records: Records, add: Build, step: Build) -> None:
    keys = [await add(records) for _ in range(3)]
    await records.messages.advance([step(keys[0], Status.SENT)], urgent=True)
    assert await records.messages.counts() == {Status.ACCEPTED: 2, Status.SENT: 1}


async def test_accepted_after_gives_only_those_that_went_no_further(records: Records, add: Build, step: Build) -> None:
    keys = [await add(records) for _ in range(5)]
    await records.messages.advance([step(keys[3], Status.QUEUED)], urgent=True)
    assert [key for key, _ in await records.messages.accepted_after(keys[0], 10)] == [keys[1], keys[2], keys[4]]
    assert [key for key, _ in await records.messages.accepted_after(keys[0], 1)] == [keys[1]]


async def test_hundreds_of_concurrent_writes(records: Records, add: Build, clock: ManualClock) -> None:
    keys = await asyncio.gather(*(add(records) for _ in range(300)))
    await asyncio.gather(
        *(
            records.messages.advance([Transition(key, Event(clock(), Status.QUEUED))], urgent=key % 2 == 0)
            for key in keys
        )
    )
    assert await records.messages.counts() == {Status.QUEUED: 300}
