"""Failures of providers: again, elsewhere, not at all, or set aside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.conformance.clocks import RunningClock
from tests.unit.pipeline.house import NAMES, QUICK, ScriptedProvider, eventually, house

from chappe.channels.base import Outbound, PermanentFailure, Reply, TemporaryFailure
from chappe.engine.base import NewMessage
from chappe.model.customer import Channel, Purpose, Recipient, Status
from chappe.pipeline.context import PipelineSettings
from chappe.pipeline.delivery.settling import Settlement, Settler
from chappe.pipeline.providers.backoff import RetryPolicy
from chappe.pipeline.providers.breaker import BreakerPolicy, CircuitState
from chappe.records.steps import Transition

LANE = NAMES.lane(Purpose.TRANSACTIONAL, Channel.EMAIL)
DEAD = NAMES.dead_letters(LANE)
BUSY = TemporaryFailure("smtp_450", "450 mailbox busy")
GONE = PermanentFailure("smtp_550", "550 no such user")


async def test_a_temporary_failure_is_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.provider.answers.extend([BUSY, BUSY])
        stored = await h.becomes(await h.send(), Status.SENT)
        assert [outbound.attempt for outbound in h.provider.attempts] == [1, 2, 3]
        await h.empties(LANE)
    assert stored.summary.attempts == 3
    failed = [event for event in stored.summary.events if event.code]
    assert [(e.status, e.code, e.reply, e.attempt) for e in failed] == [
        (Status.QUEUED, "smtp_450", "450 mailbox busy", 1),
        (Status.QUEUED, "smtp_450", "450 mailbox busy", 2),
    ]
    assert all(e.next_at_ms is not None and e.next_at_ms >= e.at_ms for e in failed)


async def test_a_permanent_failure_ends_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.provider.always = GONE
        stored = await h.becomes(await h.send(), Status.UNDELIVERED)
        await h.empties(LANE)
        assert len(h.provider.attempts) == 1
        assert (await h.engine.counts(DEAD)).ready == 0
    assert stored.summary.events[-1].reply == "550 no such user"


async def test_the_next_provider_of_the_route_takes_over(tmp_path: Path) -> None:
    first, second = ScriptedProvider("first"), ScriptedProvider("second")
    first.always = BUSY
    async with house(tmp_path, routes={Channel.EMAIL: [first, second]}) as h:
        stored = await h.becomes(await h.send(), Status.SENT)
    assert [event.provider for event in stored.summary.events if event.status is Status.SENDING] == ["first", "second"]
    assert (len(first.attempts), len(second.taken)) == (1, 1)


async def test_after_the_last_attempt_it_is_a_dead_letter_that_can_be_redriven(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.provider.always = BUSY
        key = await h.send()
        stored = await h.becomes(key, Status.FAILED)
        assert stored.summary.attempts == 3
        assert "given up after 3 attempts" in (stored.summary.events[-1].note or "")
        await h.empties(LANE)
        assert (await h.engine.counts(DEAD)).ready == 1

        assert await h.redrive(LANE) == 1

        async def failed_again() -> bool:
            summary = (await h.stored(key)).summary
            return summary.attempts == 6 and summary.status is Status.FAILED

        await eventually(failed_again)
        assert (await h.engine.counts(DEAD)).ready == 1

        h.provider.always = None
        assert await h.redrive(LANE) == 1
        stored = await h.becomes(key, Status.SENT)
        assert stored.summary.attempts == 7
        assert (await h.engine.counts(DEAD)).ready == 0


async def test_a_second_copy_of_a_sent_message_is_dropped(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.provider.always = BUSY
        key = await h.send()
        await h.becomes(key, Status.FAILED)
        (letter,) = await h.engine.receive(DEAD, visibility_timeout_ms=0, wait_ms=5_000)
        h.provider.always = None
        await h.redrive(LANE)
        await h.becomes(key, Status.SENT)
        await h.engine.send(LANE, [NewMessage(letter.body)] * 3)
        await h.empties(LANE)
        assert len(h.provider.taken) == 1
        assert await h.status(key) is Status.SENT


async def test_retry_after_is_honoured(tmp_path: Path) -> None:
    clock = RunningClock()
    async with house(tmp_path, clock=clock) as h:
        h.provider.answers.append(TemporaryFailure("http_429", "slow down", retry_after_ms=600_000))
        key = await h.send()

        async def failed_once() -> bool:
            return any(event.code for event in (await h.stored(key)).summary.events)

        await eventually(failed_once)
        event = (await h.stored(key)).summary.events[-1]
        assert (event.next_at_ms or 0) - event.at_ms >= 600_000
        await asyncio.sleep(0.1)
        assert len(h.provider.attempts) == 1
        clock.advance(600_100)
        await h.becomes(key, Status.SENT)


async def test_a_greylisted_recipient_waits_for_minutes_and_stops_nobody_else(tmp_path: Path) -> None:
    clock = RunningClock()
    greylisted = TemporaryFailure("smtp_450", "450 4.2.0 greylisted", of_recipient=True)
    settings = PipelineSettings(breaker=BreakerPolicy(failures_to_open=1))
    async with house(tmp_path, clock=clock, settings=settings) as h:
        h.provider.answers.append(greylisted)
        key = await h.send()
        waits: list[int] = []
        for attempts in (1, 2):

            async def refused(attempts: int = attempts) -> bool:
                return len([e for e in (await h.stored(key)).summary.events if e.code]) == attempts

            await eventually(refused)
            event = (await h.stored(key)).summary.events[-1]
            waits.append((event.next_at_ms or 0) - event.at_ms)
            assert h.circuits["scripted"] is CircuitState.CLOSED
            await h.becomes(await h.send(to=Recipient(email="bea@example.com")), Status.SENT)
            h.provider.answers.extend([greylisted] * (2 - attempts))
            clock.advance(waits[-1] + 100)
        await h.becomes(key, Status.SENT)
    assert 60_000 <= waits[0] <= 75_000
    assert 120_000 <= waits[1] <= 150_000


async def test_a_defect_of_a_provider_counts_as_temporary(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.provider.answers.append(ZeroDivisionError("oops"))
        stored = await h.becomes(await h.send(), Status.SENT)
    assert [event.code for event in stored.summary.events if event.code] == ["provider_defect"]


async def test_a_provider_that_hangs_is_cut_off(tmp_path: Path) -> None:
    settings = PipelineSettings(retry=QUICK.retry, provider_timeout_seconds=0.02)

    async def hang(outbound: Outbound) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError

    async with house(tmp_path, settings=settings) as h:
        h.provider.answers.append(hang)
        stored = await h.becomes(await h.send(), Status.SENT)
    assert [event.code for event in stored.summary.events if event.code] == ["provider_timeout"]


async def test_an_outage_shows_in_the_log_and_in_the_timelines(tmp_path: Path) -> None:
    clock = RunningClock()
    settings = PipelineSettings(
        retry=RetryPolicy(attempts=50, floor_ms=1, first_ms=1, factor=1),
        breaker=BreakerPolicy(failures_to_open=2, open_ms=60_000),
    )
    with structlog.testing.capture_logs() as logs:
        async with house(tmp_path, clock=clock, settings=settings) as h:
            h.provider.always = TemporaryFailure("smtp_unreachable", "refused")
            await h.send()
            await eventually(lambda: h.circuits["scripted"] is CircuitState.OPEN)
            key = await h.send()

            async def waits() -> bool:
                return (await h.stored(key)).summary.events[-1].note is not None

            await eventually(waits)
            event = (await h.stored(key)).summary.events[-1]
            assert (event.status, event.note) == (Status.QUEUED, "waiting for scripted, left alone after failures")
            assert 50_000 < (event.next_at_ms or 0) - event.at_ms < 61_000
            await h.pipeline.cancel(key)
            other = await h.send()
            h.provider.always = None
            clock.advance(61_000)
            await h.becomes(other, Status.SENT)
            assert await h.status(key) is Status.CANCELLED
    told = [line for line in logs if line["event"].startswith("circuit")]
    assert [(line["event"], line["provider"]) for line in told] == [
        ("circuit_open", "scripted"),
        ("circuit_closed", "scripted"),
    ]
    assert (told[0]["code"], told[0]["open_ms"]) == ("smtp_unreachable", 60_000)


async def test_a_failing_provider_is_left_alone_and_tried_again_later(tmp_path: Path) -> None:
    clock = RunningClock()
    settings = PipelineSettings(
        retry=RetryPolicy(attempts=50, floor_ms=1, first_ms=1, factor=1),
        breaker=BreakerPolicy(failures_to_open=4, open_ms=60_000),
    )
    async with house(tmp_path, clock=clock, settings=settings) as h:
        h.provider.always = BUSY
        key = await h.send()
        await eventually(lambda: h.circuits["scripted"] is CircuitState.OPEN)
        await asyncio.sleep(0.1)
        assert len(h.provider.attempts) == 4
        assert await h.status(key) is Status.QUEUED
        h.provider.always = None
        clock.advance(61_000)
        await h.becomes(key, Status.SENT)
        assert h.circuits["scripted"] is CircuitState.CLOSED


async def test_a_wait_begins_with_the_failure_not_with_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full for a while must not add that time to the wait."""
    clock = RunningClock()
    settings = PipelineSettings(retry=RetryPolicy(attempts=3, floor_ms=5_000, first_ms=5_000))
    async with house(tmp_path, clock=clock, settings=settings) as h:
        advance, change_visibility = h.records.messages.advance, h.engine.change_visibility
        waits_ms: list[int] = []

        def recorded_late(transitions: Sequence[Transition], **how: Any) -> asyncio.Future[None]:
            if any(step.event.code for step in transitions):
                clock.advance(5_000)
            return advance(transitions, **how)

        def noted(queue: str, changes: Sequence[tuple[str, int]]) -> Awaitable[object]:
            waits_ms.extend(wait_ms for _, wait_ms in changes)
            return change_visibility(queue, changes)

        monkeypatch.setattr(h.records.messages, "advance", recorded_late)
        monkeypatch.setattr(h.engine, "change_visibility", noted)
        h.provider.answers.append(BUSY)
        await h.becomes(await h.send(), Status.SENT)
        assert 0 in waits_ms


async def test_nor_with_the_end_of_others_of_its_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = RunningClock()
    async with house(tmp_path, clock=clock) as h:
        waits_ms: list[int] = []

        async def deleted_late(queue: str, receipts: Sequence[str]) -> None:
            clock.advance(5_000)

        async def noted(queue: str, changes: Sequence[tuple[str, int]]) -> None:
            waits_ms.extend(wait_ms for _, wait_ms in changes)

        monkeypatch.setattr(h.engine, "delete", deleted_late)
        monkeypatch.setattr(h.engine, "change_visibility", noted)
        context = h.pipeline.context
        settler = Settler(context, LANE, context.pace(Purpose.TRANSACTIONAL), release=lambda keys: None)
        settler.settle(Settlement(1, "of one that was sent"))
        settler.settle(Settlement(2, "of one that waits", again_at_ms=clock() + 5_000))
        await settler.settled()
        assert waits_ms == [0]


async def test_while_one_circuit_is_open_the_other_provider_carries_on(tmp_path: Path) -> None:
    first, second = ScriptedProvider("first"), ScriptedProvider("second")
    first.always = BUSY
    settings = PipelineSettings(retry=QUICK.retry, breaker=BreakerPolicy(failures_to_open=2, open_ms=600_000))
    async with house(tmp_path, routes={Channel.EMAIL: [first, second]}, settings=settings) as h:
        keys = [await h.send() for _ in range(20)]
        for key in keys:
            await h.becomes(key, Status.SENT)
        assert h.circuits == {"first": CircuitState.OPEN, "second": CircuitState.CLOSED}
        count = len(first.attempts)
        await h.becomes(await h.send(), Status.SENT)
        assert len(first.attempts) == count
    assert len(second.taken) == 21


async def test_patience_with_unreachable_providers_ends(tmp_path: Path) -> None:
    clock = RunningClock()
    settings = PipelineSettings(
        retry=RetryPolicy(attempts=50, floor_ms=1, first_ms=1, factor=1, patience_ms=3_600_000),
        breaker=BreakerPolicy(failures_to_open=1, open_ms=60_000),
    )
    async with house(tmp_path, clock=clock, settings=settings) as h:
        h.provider.always = BUSY
        first = await h.send()
        await eventually(lambda: h.circuits["scripted"] is CircuitState.OPEN)
        waiting = [await h.send() for _ in range(2)]
        for key in waiting:
            await h.becomes(key, Status.QUEUED)
        clock.advance(3_700_000)
        attempts = []
        for key in (first, *waiting):
            stored = await h.becomes(key, Status.FAILED)
            assert "reachable" in (stored.summary.events[-1].note or "")
            attempts.append(stored.summary.attempts)
        assert min(attempts) == 0, "one was never tried"
        assert max(attempts) <= 2
        assert (await h.engine.counts(DEAD)).ready == 3

        h.provider.always = None
        clock.advance(300_000)
        assert await h.redrive(LANE) == 3
        for key in (first, *waiting):
            await h.becomes(key, Status.SENT)


async def test_webhooks_to_one_dead_host_do_not_hold_up_the_others(tmp_path: Path) -> None:
    settings = PipelineSettings(
        retry=RetryPolicy(attempts=50, floor_ms=1, first_ms=1, factor=1),
        breaker=BreakerPolicy(failures_to_open=2, open_ms=600_000),
    )

    async def answer(outbound: Outbound) -> Reply:
        if "dead" in (outbound.to.url or ""):
            raise BUSY
        return Reply("200")

    async with house(tmp_path, settings=settings) as h:
        h.provider.always = answer
        dead = [await h.send(to=Recipient(url=f"https://dead.example.com/{n}")) for n in range(10)]
        alive = [await h.send(to=Recipient(url=f"https://alive.example.com/{n}")) for n in range(10)]
        for key in alive:
            await h.becomes(key, Status.SENT)
        assert {await h.status(key) for key in dead} <= {Status.QUEUED, Status.SENDING, Status.ACCEPTED}
        attempts = [o for o in h.provider.attempts if "dead" in (o.to.url or "")]
        assert len(attempts) < 30


async def test_attempts_at_once_are_bounded(tmp_path: Path) -> None:
    settings = PipelineSettings(retry=QUICK.retry, max_concurrent={"scripted": 3})
    inside = most = 0
    full = asyncio.Event()

    async def count(outbound: Outbound) -> Reply:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0.001)
        inside -= 1
        return Reply("ok")

    async with house(tmp_path, settings=settings) as h:
        h.provider.always = count
        keys = [await h.send() for _ in range(30)]
        for key in keys:
            await h.becomes(key, Status.SENT)
    assert most == 3


async def test_the_code_does_not_wait_behind_the_newsletter(tmp_path: Path) -> None:
    """Slow promotional messages fill all slots they may have; a transactional one goes at once."""
    settings = PipelineSettings(retry=QUICK.retry, max_concurrent={"scripted": 4}, stop_grace_seconds=0.05)
    held = asyncio.Event()

    async def answer(outbound: Outbound) -> Reply:
        if outbound.purpose is Purpose.PROMOTIONAL:
            await held.wait()
        return Reply("ok")

    async with house(tmp_path, settings=settings) as h:
        h.provider.always = answer
        people = [Recipient(email=f"p{number}@example.com") for number in range(12)]
        for to in people:
            await h.consent(to)
            await h.send(to=to, purpose=Purpose.PROMOTIONAL)
        await eventually(lambda: len(h.provider.attempts) >= 3)
        await h.becomes(await h.send(), Status.SENT)
        assert len([o for o in h.provider.attempts if o.purpose is Purpose.PROMOTIONAL]) == 3
        held.set()


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_stopping_lets_attempts_end_and_records_them(tmp_path: Path, purpose: Purpose) -> None:
    begun = asyncio.Event()

    async def slow(outbound: Outbound) -> Reply:
        begun.set()
        await asyncio.sleep(0.05)
        return Reply("just in time")

    async with house(tmp_path) as h:
        await h.consent(Recipient(email="ana@example.com"))
        h.provider.always = slow
        key = await h.send(purpose=purpose)
        await begun.wait()
        await h.pipeline.stop()
        assert await h.status(key) is Status.SENT
