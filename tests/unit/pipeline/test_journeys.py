"""What becomes of messages: decided, deferred, blocked, expired, cancelled, sent."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path

import pytest
from tests.unit.pipeline.house import NAMES, ScriptedProvider, clock_at, eventually, house, request

from chappe.channels.base import Outbound, Reply
from chappe.engine.base import NewMessage
from chappe.model.customer import Channel, Content, Outcome, Purpose, Recipient, Status
from chappe.model.errors import InvalidInput, MessageNotFound, NoRoute, NotCancellable
from chappe.pipeline.acceptance.accept import Accepted
from chappe.records.messages import Filter
from chappe.records.people import SuppressionRecord

ANA = Recipient(email="ana@example.com")
BERLIN = Recipient(email="ana@example.de")


async def test_a_message_reaches_its_provider_and_the_timeline_tells_how(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        key = await h.send(metadata={"order": "1"}, sender="Acme <a@acme.example>")
        stored = await h.becomes(key, Status.SENT)
        (taken,) = h.provider.taken
    assert [event.status for event in stored.summary.events] == [
        Status.ACCEPTED,
        Status.QUEUED,
        Status.SENDING,
        Status.SENT,
    ]
    queued, sending, sent = stored.summary.events[1:]
    assert queued.decision is not None
    assert queued.decision.outcome is Outcome.ALLOW
    assert (sending.attempt, sending.provider) == (1, "scripted")
    assert (sent.reply, sent.provider_message_id) == ("taken", "p-0")
    assert (taken.message_id, taken.attempt, taken.metadata) == (stored.message.id, 1, {"order": "1"})
    assert taken.sender == "Acme <a@acme.example>"
    assert taken.unsubscribe_url is None


async def test_promotional_mail_carries_a_working_unsubscribe_link(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.consent(ANA)
        first = await h.send(purpose=Purpose.PROMOTIONAL)
        await h.becomes(first, Status.SENT)
        url = h.provider.taken[0].unsubscribe_url
        assert url is not None
        token = url.removeprefix("https://messages.example.com/v1/unsubscribe/")
        await h.pipeline.inbound.unsubscribe(token)
        await h.pipeline.inbound.unsubscribe(token)
        second = await h.becomes(await h.send(purpose=Purpose.PROMOTIONAL), Status.BLOCKED)
        await h.becomes(await h.send(), Status.SENT)
        with pytest.raises(MessageNotFound):
            await h.pipeline.inbound.unsubscribe("A" * 32)
        assert len(await h.records.people.list_suppressions(ANA, None, 10)) == 1
    decision = second.summary.events[-1].decision
    assert decision is not None
    assert any("one click" in rule.reason for rule in decision.rules if rule.outcome is Outcome.BLOCK)


async def test_a_blocked_message_is_accepted_and_never_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        (accepted,) = await h.pipeline.accept([request(purpose=Purpose.PROMOTIONAL)])
        assert isinstance(accepted, Accepted)
        assert accepted.decision.outcome is Outcome.BLOCK
        stored = await h.becomes(accepted.key, Status.BLOCKED)
        await h.empties(NAMES.intake(Purpose.PROMOTIONAL))
        assert h.provider.attempts == []
    assert stored.summary.events[-1].decision == accepted.decision


async def test_a_message_at_night_is_deferred_to_the_morning_and_sent_then(tmp_path: Path) -> None:
    clock = clock_at("2026-03-03T23:00:00+01:00")
    async with house(tmp_path, clock=clock) as h:
        await h.consent(BERLIN)
        key = await h.send(to=BERLIN, purpose=Purpose.PROMOTIONAL)
        deferred = await h.becomes(key, Status.DEFERRED)
        event = deferred.summary.events[-1]
        assert event.decision is not None
        assert event.next_at_ms == event.decision.until_ms
        until = datetime.datetime.fromtimestamp((event.next_at_ms or 0) / 1000, datetime.UTC)
        assert until == datetime.datetime(2026, 3, 4, 7, 0, tzinfo=datetime.UTC)
        assert h.provider.attempts == []
        clock.advance(9 * 3_600_000)
        await h.becomes(key, Status.SENT)


async def test_consent_withdrawn_while_a_message_waits_counts(tmp_path: Path) -> None:
    clock = clock_at("2026-03-03T23:00:00+01:00")
    async with house(tmp_path, clock=clock) as h:
        await h.consent(BERLIN)
        key = await h.send(to=BERLIN, purpose=Purpose.PROMOTIONAL)
        await h.becomes(key, Status.DEFERRED)
        stop = SuppressionRecord(h.records.keys.next(), BERLIN, None, Purpose.PROMOTIONAL, "stop", clock())
        await h.records.people.add_suppression(stop)
        clock.advance(9 * 3_600_000)
        await h.becomes(key, Status.BLOCKED)
        assert h.provider.attempts == []


async def test_caps_count_every_message_of_a_batch(tmp_path: Path) -> None:
    """The house rules allow 3 promotional messages in 24 hours."""
    clock = clock_at("2026-03-03T12:00:00+01:00")
    async with house(tmp_path, clock=clock) as h:
        await h.consent(ANA)
        outcomes = await h.pipeline.accept([request(purpose=Purpose.PROMOTIONAL) for _ in range(8)])
        keys = [outcome.key for outcome in outcomes if isinstance(outcome, Accepted)]
        stored = [await h.becomes(key, Status.SENT, Status.DEFERRED) for key in keys]
        assert [s.summary.status for s in stored] == [Status.SENT] * 3 + [Status.DEFERRED] * 5
        assert await h.status(await h.send()) in (Status.ACCEPTED, Status.QUEUED, Status.SENDING, Status.SENT)
        clock.advance(24 * 3_600_000 + 1_000)
        await eventually(lambda: len([a for a in h.provider.taken if a.purpose is Purpose.PROMOTIONAL]) == 6)


async def test_a_scheduled_message_waits_for_its_time(tmp_path: Path) -> None:
    clock = clock_at("2026-03-03T12:00:00+00:00")
    async with house(tmp_path, clock=clock) as h:
        at = datetime.datetime.fromtimestamp(clock() / 1000 + 3600, datetime.UTC)
        key = await h.send(send_at=at)
        await asyncio.sleep(0.05)
        assert await h.status(key) is Status.ACCEPTED
        clock.advance(3_601_000)
        await h.becomes(key, Status.SENT)


async def test_a_message_that_expires_while_it_waits_is_not_sent(tmp_path: Path) -> None:
    clock = clock_at("2026-03-03T12:00:00+00:00")
    async with house(tmp_path, clock=clock) as h:
        now = clock() / 1000
        moments = [datetime.datetime.fromtimestamp(now + seconds, datetime.UTC) for seconds in (60, 120)]
        key = await h.send(send_at=moments[0], expires_at=moments[1])
        clock.advance(180_000)
        await h.becomes(key, Status.EXPIRED)
        assert h.provider.attempts == []


async def test_cancelling_before_and_after(tmp_path: Path) -> None:
    clock = clock_at("2026-03-03T12:00:00+00:00")
    async with house(tmp_path, clock=clock) as h:
        later = datetime.datetime.fromtimestamp(clock() / 1000 + 60, datetime.UTC)
        waiting = await h.send(send_at=later)
        await h.pipeline.cancel(waiting)
        sent = await h.send()
        await h.becomes(sent, Status.SENT)
        with pytest.raises(NotCancellable):
            await h.pipeline.cancel(sent)
        clock.advance(61_000)
        await h.empties(NAMES.intake(Purpose.TRANSACTIONAL))
        assert await h.status(waiting) is Status.CANCELLED
        assert len(h.provider.attempts) == 1


async def test_a_message_with_a_provider_cannot_be_cancelled(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        begun, go = asyncio.Event(), asyncio.Event()

        async def slow(outbound: Outbound) -> Reply:
            begun.set()
            await go.wait()
            return Reply("slow")

        h.provider.always = slow
        key = await h.send()
        await begun.wait()
        with pytest.raises(NotCancellable):
            await h.pipeline.cancel(key)
        go.set()
        await h.becomes(key, Status.SENT)


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_a_message_that_was_handed_over_cannot_be_cancelled_before_that_is_recorded(
    tmp_path: Path, purpose: Purpose
) -> None:
    async with house(tmp_path, clock=clock_at("2026-03-03T18:00:00+00:00")) as h:
        cancelling: list[asyncio.Task[None]] = []

        def cancelled_at_once(outbound: Outbound) -> Reply:
            cancelling.append(asyncio.create_task(h.pipeline.cancel(key)))
            return Reply("taken")

        h.provider.always = cancelled_at_once
        await h.consent(ANA)
        key = await h.send(purpose=purpose)
        await h.becomes(key, Status.SENT)
        with pytest.raises(NotCancellable):
            await cancelling[0]


async def test_requests_are_taken_or_refused_one_by_one(tmp_path: Path) -> None:
    async with house(tmp_path, routes={Channel.EMAIL: [ScriptedProvider()]}) as h:
        outcomes = await h.pipeline.accept(
            [
                request(),
                request(to=Recipient(email="nobody")),
                request(to=Recipient(phone="+4915112345678")),
                InvalidInput("malformed already"),
                request(content=Content(html="<p>hi")),
            ]
        )
        assert [type(outcome) for outcome in outcomes] == [Accepted, InvalidInput, NoRoute, InvalidInput, Accepted]
        assert len(await h.records.messages.find(Filter(), 10)) == 2


async def test_evaluating_stores_and_sends_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, clock=clock_at("2026-03-03T12:00:00+01:00")) as h:
        await h.consent(BERLIN)
        asked = request(to=BERLIN, purpose=Purpose.PROMOTIONAL)
        now = await h.pipeline.evaluate(asked)
        at_night = await h.pipeline.evaluate(asked, int(now.at_ms) + 12 * 3_600_000)
        assert now.decision.outcome is Outcome.ALLOW
        assert at_night.decision.outcome is Outcome.DEFER
        assert await h.records.messages.find(Filter(), 10) == []
        assert h.provider.attempts == []
        with pytest.raises(InvalidInput):
            await h.pipeline.evaluate(request(to=Recipient()))


async def test_a_large_mixed_batch_arrives_whole(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        people = [Recipient(email=f"p{number}@example.com") for number in range(300)]
        for to in people[::2]:
            await h.consent(to)
        outcomes = await h.pipeline.accept(
            [
                request(to=to, purpose=Purpose.TRANSACTIONAL if number % 2 else Purpose.PROMOTIONAL)
                for number, to in enumerate(people)
            ]
        )
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        await eventually(lambda: len(h.provider.taken) >= 300)
        assert {taken.to for taken in h.provider.taken} == set(people)


async def test_what_is_no_message_is_set_aside(tmp_path: Path) -> None:
    """Anyone with keys may send into the pipeline's queues by SQS."""
    async with house(tmp_path) as h:
        intake, lane = NAMES.intake(Purpose.TRANSACTIONAL), NAMES.lane(Purpose.TRANSACTIONAL, Channel.EMAIL)
        for queue in (intake, lane):
            await h.engine.send(queue, [NewMessage(b"hello?")])
        key = await h.send()
        await h.becomes(key, Status.SENT)
        for queue in (intake, lane):
            await h.empties(queue)
            (letter,) = await h.engine.receive(NAMES.dead_letters(queue), wait_ms=5_000)
            assert letter.body == b"hello?"
