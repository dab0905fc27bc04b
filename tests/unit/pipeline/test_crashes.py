"""What is left when the process ends at a bad moment, or the disk fails, and what becomes of it."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.clocks import RunningClock
from tests.model.reference import ReferenceEngine
from tests.unit.pipeline.house import NAMES, House, eventually, house, request

from chappe.channels.base import Outbound, Reply, TemporaryFailure
from chappe.engine.base import NewMessage, SentMessage
from chappe.model.customer import Channel, Purpose, Recipient, Status
from chappe.model.errors import MessageNotFound, StorageFull
from chappe.pipeline.acceptance.accept import Accepted
from chappe.pipeline.context import PipelineSettings
from chappe.pipeline.envelope import Envelope, to_body
from chappe.pipeline.intake.reconcile import MARK
from chappe.pipeline.providers.breaker import BreakerPolicy
from chappe.pipeline.verdicts.deciding import UNRECORDED_GRACE_MS
from chappe.records.messages import Filter

INTAKE = NAMES.intake(Purpose.TRANSACTIONAL)
LANE = NAMES.lane(Purpose.TRANSACTIONAL, Channel.EMAIL)


class FailingEngine(ReferenceEngine):
    """Refuses to send into some queues, as with a full disk."""

    def __init__(self, clock: RunningClock) -> None:
        super().__init__(clock)
        self.full: set[str] = set()

    async def send(self, name: str, messages: Sequence[NewMessage]) -> list[SentMessage]:
        if name in self.full:
            raise StorageFull("the disk is full")
        return await super().send(name, messages)


async def die(h: House) -> None:
    """End the pipeline's tasks on the spot, as a kill would."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        if not (task.get_name().startswith("records")):
            task.cancel()
    await asyncio.gather(*(t for t in tasks if not t.get_name().startswith("records")), return_exceptions=True)


async def test_a_record_without_its_queue_message_is_queued_again(tmp_path: Path) -> None:
    clock = RunningClock()
    engine = FailingEngine(clock)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        sending = asyncio.Event()

        async def never(name: str, messages: Sequence[NewMessage]) -> list[SentMessage]:
            sending.set()
            await asyncio.Event().wait()
            raise AssertionError

        h.pipeline.context.engine.send = never  # type: ignore[method-assign]
        accepting = asyncio.create_task(h.pipeline.accept([request()]))
        await sending.wait()
        await eventually(lambda: _count(h, Status.ACCEPTED, 1))
        accepting.cancel()
        await die(h)
    del engine.send  # type: ignore[method-assign]
    async with house(tmp_path, clock=clock, engine=engine) as h:
        (found,) = await h.records.messages.find(Filter(), 10)
        await h.becomes(found.key, Status.SENT)
        assert len(h.provider.attempts) == 1


async def test_what_was_queued_is_not_sent_twice_because_the_mark_lags(tmp_path: Path) -> None:
    clock = RunningClock()
    engine = ReferenceEngine(clock)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        outcomes = await h.pipeline.accept([request() for _ in range(50)])
        await die(h)
        await h.records.marks.set(MARK, 0)
        done = len(h.provider.attempts)
    clock.advance(31_000)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        for outcome in outcomes:
            assert isinstance(outcome, Accepted)
            await h.becomes(outcome.key, Status.SENT)
        await h.empties(INTAKE)
        await h.empties(LANE)
        taken = [outbound.message_id for outbound in h.provider.attempts]
        assert len(taken) == len(set(taken))
        assert done + len(taken) >= 50


async def test_a_queue_message_without_a_record_is_dropped_after_a_while(tmp_path: Path) -> None:
    clock = RunningClock()
    engine = ReferenceEngine(clock)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        (accepted,) = await h.pipeline.accept([request()])
        assert isinstance(accepted, Accepted)
        await h.becomes(accepted.key, Status.SENT)
        await h.empties(LANE)
        await h.records.messages.remove([accepted.key])
        await engine.send(INTAKE, [NewMessage(to_body(Envelope(accepted.message)))])
        await eventually(lambda: _in_flight(h, 1))
        clock.advance(UNRECORDED_GRACE_MS)
        await h.empties(INTAKE)
        assert len(h.provider.attempts) == 1


async def test_killed_between_the_provider_and_the_record_it_is_sent_again(tmp_path: Path) -> None:
    """At least once: nobody can know whether the first attempt arrived."""
    clock = RunningClock()
    engine = ReferenceEngine(clock)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        begun = asyncio.Event()

        async def hang(outbound: Outbound) -> Reply:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        h.provider.always = hang
        key = await h.send()
        await begun.wait()
        await h.becomes(key, Status.SENDING)
        await die(h)
    clock.advance(31_000)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        stored = await h.becomes(key, Status.SENT)
        assert [outbound.attempt for outbound in h.provider.attempts] == [2]
    assert [e.status for e in stored.summary.events] == [
        Status.ACCEPTED,
        Status.QUEUED,
        Status.SENDING,
        Status.SENDING,
        Status.SENT,
    ]
    assert [e.note for e in stored.summary.events if e.status is Status.SENDING] == [
        None,
        "the outcome of attempt 1 is unknown: the server stopped",
    ]


async def test_a_message_that_keeps_killing_the_process_is_given_up(tmp_path: Path) -> None:
    clock = RunningClock()
    engine = ReferenceEngine(clock)
    key = 0
    for life in range(4):
        async with house(tmp_path, clock=clock, engine=engine) as h:
            begun = asyncio.Event()

            async def hang(outbound: Outbound, begun: asyncio.Event = begun) -> Reply:
                begun.set()
                await asyncio.Event().wait()
                raise AssertionError

            h.provider.always = hang
            key = key or await h.send()
            if life < 3:
                await begun.wait()
                await eventually(lambda h=h, key=key, life=life: _attempts(h, key, life + 1))
                await die(h)
                clock.advance(31_000)
            else:
                stored = await h.becomes(key, Status.FAILED)
                assert "cut off" in (stored.summary.events[-1].note or "")


async def test_a_full_disk_refuses_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    clock = RunningClock()
    engine = FailingEngine(clock)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        engine.full.add(INTAKE)
        with pytest.raises(StorageFull):
            await h.pipeline.accept([request()])
        people = [Recipient(email=f"p{n}@example.com") for n in range(200)]
        purposes = [Purpose.TRANSACTIONAL, Purpose.PROMOTIONAL]
        with pytest.raises(StorageFull):
            await h.pipeline.accept([request(to=to, purpose=purposes[n % 2]) for n, to in enumerate(people)])
        assert await h.records.messages.counts() == {}
        engine.full.clear()
        await h.becomes(await h.send(), Status.SENT)
        assert len(h.provider.attempts) == 1


@pytest.mark.parametrize("queue", [INTAKE, NAMES.intake(Purpose.PROMOTIONAL)])
@pytest.mark.parametrize("count", [2, 200], ids=["urgent", "in parts"])
async def test_what_was_refused_is_not_sent_though_its_record_cannot_be_removed_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: str, count: int
) -> None:
    monkeypatch.setattr("chappe.pipeline.acceptance.accept._REMOVE_AGAIN_SECONDS", 0.01)
    clock = RunningClock()
    engine = FailingEngine(clock)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        remove, full = h.records.messages.remove, True

        async def refusing(keys: Sequence[int]) -> None:
            if full:
                raise StorageFull("the disk is full")
            await remove(keys)

        monkeypatch.setattr(h.records.messages, "remove", refusing)
        engine.full.add(queue)
        purposes = [Purpose.TRANSACTIONAL, Purpose.PROMOTIONAL]
        people = [Recipient(email=f"p{n}@example.com") for n in range(count)]
        for to in people:
            await h.consent(to)
        with pytest.raises(StorageFull):
            await h.pipeline.accept([request(to=to, purpose=purposes[n % 2]) for n, to in enumerate(people)])
        engine.full.clear()
        for purpose in purposes:
            await h.empties(NAMES.intake(purpose))
            await h.empties(NAMES.lane(purpose, Channel.EMAIL))
        assert await h.records.messages.open_count() == count
        full = False
        await eventually(lambda: _nothing_stored(h))
        await h.becomes(await h.send(), Status.SENT)
        assert len(h.provider.attempts) == 1


async def _nothing_stored(h: House) -> bool:
    return await h.records.messages.counts() == {}


async def test_a_lane_that_cannot_take_more_delays_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chappe.pipeline.failures.FIRST_PAUSE_SECONDS", 0.01)
    clock = RunningClock()
    engine = FailingEngine(clock)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        engine.full.add(LANE)
        keys = [await h.send() for _ in range(5)]
        await asyncio.sleep(0.05)
        assert h.provider.attempts == []
        engine.full.clear()
        clock.advance(31_000)
        for key in keys:
            await h.becomes(key, Status.SENT)


async def test_a_result_that_cannot_be_recorded_is_kept_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chappe.pipeline.delivery.settling._PAUSE_AFTER_FAILURE_SECONDS", 0.01)
    async with house(tmp_path) as h:
        records, refused = h.records.messages, 0
        advance = records.advance

        def refusing(transitions: Sequence[Any], **how: Any) -> asyncio.Future[None]:
            nonlocal refused
            if refused < 5 and any(step.event.status is Status.SENT for step in transitions):
                refused += 1
                failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                failed.set_exception(StorageFull("full"))
                return failed
            return advance(transitions, **how)

        monkeypatch.setattr(records, "advance", refusing)
        key = await h.send()
        await h.becomes(key, Status.SENT)
        await h.empties(LANE)
        assert refused == 5
        assert len(h.provider.attempts) == 1


async def test_deleted_queues_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anyone with keys may delete the pipeline's queues by SQS."""
    monkeypatch.setattr("chappe.pipeline.failures.FIRST_PAUSE_SECONDS", 0.01)
    async with house(tmp_path) as h:
        for queue in (INTAKE, LANE):
            await h.engine.delete_queue(queue)
            key = await h.send()
            clock = h.clock
            await eventually(lambda queue=queue: _exists(h, queue))
            clock.advance(31_000)
            await h.becomes(key, Status.SENT)


@pytest.mark.parametrize("how", ["purge", "delete"])
async def test_messages_whose_queue_was_purged_or_deleted_come_back_at_the_start(tmp_path: Path, how: str) -> None:
    clock = RunningClock()
    engine = ReferenceEngine(clock)
    patient = PipelineSettings(breaker=BreakerPolicy(failures_to_open=1, open_ms=3_600_000))
    async with house(tmp_path, clock=clock, engine=engine, settings=patient) as h:
        soon = datetime.datetime.fromtimestamp(clock() / 1000 + 3_600, datetime.UTC)
        scheduled = await h.send(send_at=soon)
        h.provider.answers.append(TemporaryFailure("smtp_unreachable", "refused"))
        waiting = await h.send()
        await h.becomes(await h.send(to=Recipient(email="bea@example.com")), Status.QUEUED)
        await eventually(lambda: len(h.provider.attempts) == 1)
        await h.becomes(waiting, Status.QUEUED)
    for queue in (INTAKE, LANE):
        await (engine.purge(queue) if how == "purge" else engine.delete_queue(queue))
    async with house(tmp_path, clock=clock, engine=engine) as h:
        await h.becomes(waiting, Status.SENT)
        await asyncio.sleep(0.02)
        assert await h.status(scheduled) is Status.ACCEPTED
        clock.advance(3_600_000)
        await h.becomes(scheduled, Status.SENT)
        sent = [outbound.message_id for outbound in h.provider.taken]
        assert len(sent) == len(set(sent)) == 3


async def test_nothing_is_queued_twice_at_an_ordinary_start(tmp_path: Path) -> None:
    clock = RunningClock()
    engine = ReferenceEngine(clock)
    soon = datetime.datetime.fromtimestamp(clock() / 1000 + 3_600, datetime.UTC)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        await h.pipeline.accept([request(send_at=soon) for _ in range(5)])
        await h.records.marks.set(MARK, h.records.keys.next())
    async with house(tmp_path, clock=clock, engine=engine) as h:
        await eventually(lambda: _delayed(h, 5))


async def test_a_refused_request_is_not_found(tmp_path: Path) -> None:
    clock = RunningClock()
    engine = FailingEngine(clock)
    async with house(tmp_path, clock=clock, engine=engine) as h:
        engine.full.add(INTAKE)
        key = h.records.keys.next()
        with pytest.raises(StorageFull):
            await h.pipeline.accept([request()])
        for later in range(1, 5):
            with pytest.raises(MessageNotFound):
                await h.records.messages.get(key + later)


async def _in_flight(h: House, count: int) -> bool:
    return (await h.engine.counts(INTAKE)).in_flight == count


async def _delayed(h: House, count: int) -> bool:
    return (await h.engine.counts(INTAKE)).delayed == count


async def _exists(h: House, queue: str) -> bool:
    return any(info.name == queue for info in await h.engine.list_queues())


async def _count(h: House, status: Status, count: int) -> bool:
    return (await h.records.messages.counts()).get(status) == count


async def _attempts(h: House, key: int, attempts: int) -> bool:
    return (await h.stored(key)).summary.attempts == attempts
