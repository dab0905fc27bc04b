"""Intake: messages are classified and decided, and go to their lane, back until later, or to their end.

One intake queue per purpose. Promotional messages are decided by one worker, because caps count what was decided
before; transactional ones by several, which take turns at those that a cap binds, with that one where it binds both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from time import perf_counter

import msgspec
import structlog

from chappe.engine.base import NewMessage, ReceivedMessage
from chappe.model.customer import Purpose, Status
from chappe.model.errors import Closed
from chappe.model.sends import RecentSend
from chappe.observe.audit.record import Stage
from chappe.pipeline.acceptance.accept import intake_message
from chappe.pipeline.context import Context, is_urgent
from chappe.pipeline.envelope import from_body
from chappe.pipeline.failures import Failures
from chappe.pipeline.intake.outcome import Arrived, Decided, Outcome, awaits_review
from chappe.pipeline.verdicts.accounts import verdict_of
from chappe.pipeline.verdicts.deciding import Next, decide_at_intake, was_moved_back
from chappe.pipeline.verdicts.gathering import gather
from chappe.pipeline.verdicts.known import counts, without_counted
from chappe.records.recipients import recipient_text

WAIT_MS = 20_000
_log = structlog.get_logger("chappe.pipeline")


class IntakeWorker:
    """Decides the messages of one purpose, batch after batch, until cancelled."""

    def __init__(self, context: Context, purpose: Purpose) -> None:
        self._context = context
        self._purpose = purpose
        self._queue = context.names.intake(purpose)
        self._pace = context.pace(purpose)
        self._urgent = is_urgent(purpose)
        self._failures = Failures(context, self._queue)
        self._finishing: asyncio.Task[None] | None = None
        self._unfinished: Exception | None = None

    async def run(self) -> None:
        """Receive and decide."""
        engine = self._context.engine
        while True:
            try:
                batch = await engine.receive(
                    self._queue, max_messages=self._context.settings.receive_batch, wait_ms=WAIT_MS
                )
                if batch:
                    await self._pace.begin()
                    await self.process(batch)
                self._failures.over()
            except Closed:
                return
            except Exception as error:  # noqa: BLE001 (a defect met by one batch must not end the worker)
                # What was not finished is received again when its visibility timeout ends.
                await self._failures.pause(error)

    async def process(self, batch: Sequence[ReceivedMessage]) -> None:
        """Decide one batch and make it durable."""
        outcome = Outcome(self._context.names, self._context.routes)
        with self._pace.under_way():
            arrived = self._read(batch, outcome)
            arriving = await self._context.arrivals.in_order(entry.key for entry in arrived)
            async with self._turn(arrived):
                await self._decide(arrived, arriving, outcome)
                await self._write(outcome)

    def _turn(self, arrived: Sequence[Arrived]) -> AbstractAsyncContextManager[object]:
        """Held while messages are decided that count against caps: two batches at once would not see each other's.

        Promotional messages have one worker, which has to take turns only where transactional ones count as well.
        """
        context = self._context
        counted = any(context.rules.caps(entry.envelope.message, Purpose.TRANSACTIONAL) for entry in arrived)
        return context.counting if counted else contextlib.nullcontext()

    async def drained(self) -> None:
        """Wait for what is being finished."""
        if self._finishing is not None:
            await asyncio.wait([self._finishing])

    def _read(self, batch: Sequence[ReceivedMessage], outcome: Outcome) -> list[Arrived]:
        arrived: dict[int, Arrived] = {}
        for received in batch:
            envelope = from_body(received.body)
            if envelope is None:
                _log.warning("intake_unreadable", queue=self._queue, message=received.id)
                copy = NewMessage(received.body, dead_letter_source=self._queue)
                outcome.moved(received, self._context.names.dead_letters(self._queue), copy)
            elif (key := envelope.key) in arrived:
                outcome.superfluous(received)
            else:
                arrived[key] = Arrived(key, envelope, received)
        return list(arrived.values())

    async def _decide(self, arrived: Sequence[Arrived], arriving: set[int], outcome: Outcome) -> None:
        context = self._context
        now_ms, rules = context.now_ms(), context.rules
        asked = [(entry.envelope.message, entry.key) for entry in arrived]
        recipients = [recipient_text(message.to) for message, _ in asked]
        found, persons = await asyncio.gather(
            gather(context, asked, recipients, rules, now_ms, stage=Status.ACCEPTED, urgent=self._urgent),
            context.audit.persons(recipients),
        )
        held = await self._held_before([entry for entry in arrived if awaits_review(entry.envelope.message)])
        await self._pace.begin()
        counted: dict[str, tuple[RecentSend, ...]] = {}
        for entry, recipient, (known, facts, mark) in zip(arrived, recipients, found, strict=True):
            await self._pace.pause()
            if entry.key in held or entry.key in context.arrivals.refused:
                outcome.superfluous(entry.received)
                continue
            if known.status is None and entry.key in arriving:
                # Its record is being committed. The lane waits for that; if it fails, the message goes no further.
                known = msgspec.structs.replace(known, status=Status.ACCEPTED)
            step = decide_at_intake(
                entry.envelope,
                known,
                rules,
                now_ms,
                sent_at_ms=entry.received.sent_at_ms,
                counted=counted.get(recipient, ()),
                senders=self._context.senders,
                facts=facts,
            )
            verdict = verdict_of(step, now_ms, Stage.INTAKE, persons[recipient])
            message = entry.envelope.message
            place = None if step.facts is None else step.facts.jurisdiction
            if step.facts is not None and (there := context.pipelines.at(place)) is not context:
                copy = intake_message(entry.envelope, now_ms)
                outcome.moved(entry.received, there.names.intake(self._purpose), copy)
                continue
            if step.decision is not None:
                context.metrics.decided(Stage.INTAKE.value, message, step.decision, place)
            sent = RecentSend.of(message, now_ms) if counts(message, rules) else None
            outcome.note(Decided(entry, step, verdict, sent, was_moved_back(entry.envelope, known)), now_ms)
            if step.next is Next.GO and step.facts is not None and mark is not None:
                context.fresh.keep(entry.key, without_counted(step.facts), rules, mark, now_ms)
            if step.next is Next.GO and sent is not None:
                counted[recipient] = (*counted.get(recipient, ()), sent)

    async def _held_before(self, arrived: Sequence[Arrived]) -> set[int]:
        """Those of these that have a review already: it brings them back, and this copy is superfluous."""
        return await self._context.records.reviews.known([entry.key for entry in arrived]) if arrived else set()

    async def _write(self, outcome: Outcome) -> None:
        """Wait only for what the next batch has to see; the rest goes on beside it, one batch at a time."""
        context = self._context
        along = context.records.reviews.rows(outcome.reviews) if outcome.reviews else None
        recorded = context.records.messages.advance(outcome.transitions, urgent=self._urgent, along=along)
        await self.drained()
        self._finishing = asyncio.create_task(self._finish(outcome, recorded), name="intake finishing")
        if self._urgent:
            await self.drained()
        await recorded
        unfinished, self._unfinished = self._unfinished, None
        if unfinished is not None:
            raise unfinished

    async def _finish(self, outcome: Outcome, recorded: asyncio.Future[None]) -> None:
        """Hand on, and only then take the batch out of intake: a crash brings it back, and what is done is dropped."""
        engine = self._context.engine
        try:
            if outcome.sends:
                begun = perf_counter()
                await asyncio.gather(*(engine.send(queue, messages) for queue, messages in outcome.sends.items()))
                self._context.metrics.queue_sends.add(perf_counter() - begun)
            await asyncio.wait([recorded])
            if recorded.exception() is None and outcome.finished:
                await engine.delete(self._queue, outcome.finished)
        except Exception as error:  # noqa: BLE001 (raised by the next write, which pauses the worker)
            self._unfinished = error
