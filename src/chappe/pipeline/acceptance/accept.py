"""Acceptance: a request becomes a record and a queue message, and only then an answer.

Record and queue message are committed at the same time, to save a wait for the disk. What a crash between the two
leaves behind is dealt with by `reconcile` (a record alone) and by intake (a queue message alone).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec
import structlog

from chappe.compliance.places.locating import locate
from chappe.engine.base import NewMessage
from chappe.model.categories import ANSWERS
from chappe.model.customer import CustomerMessage, Decision, Status
from chappe.model.errors import ChappeError, Closed, InvalidInput, NoRoute, QueueNotFound
from chappe.pipeline.acceptance.arrivals import Arrival
from chappe.pipeline.acceptance.normalise import normalise
from chappe.pipeline.acceptance.request import AnswerRequest, MessageRequest
from chappe.pipeline.background import Pace
from chappe.pipeline.content.checking import SecondVerdict
from chappe.pipeline.content.second_opinion import second_verdicts
from chappe.pipeline.context import Context, is_urgent
from chappe.pipeline.envelope import Envelope, to_body
from chappe.pipeline.names import create_queues
from chappe.pipeline.verdicts.judging import decided
from chappe.pipeline.verdicts.known import facts_of
from chappe.pipeline.verdicts.looking_up import look_up
from chappe.records import ids
from chappe.records.commit import Rows
from chappe.records.idempotency import Answer, IdempotencyRecords
from chappe.records.messages import NewMessages
from chappe.records.timeline import Event

URGENT_BATCH_MAX = 20
"""A larger batch is worked on in slices, whatever its purpose."""
_PART = 100
_REMOVE_AGAIN_SECONDS = 1.0
_log = structlog.get_logger("chappe.pipeline")


class Accepted(msgspec.Struct, frozen=True):
    """A message that was taken, and what the rules say of it as things stand.

    The verdict that counts is the one at intake: until then a consent or a cap may have changed.
    """

    key: int
    message: CustomerMessage
    decision: Decision
    jurisdiction: str | None = None


Accepting: TypeAlias = Accepted | InvalidInput
"""What became of one request."""
AnswerWith: TypeAlias = Callable[[Sequence[Accepting]], Awaitable[Sequence[Answer]]]
"""Makes the answers to be kept in the same commit as the messages they speak of."""


class Acceptance:
    """Takes requests."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._removing: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Let go of what was refused and could not be removed."""
        for task in self._removing:
            task.cancel()
        await asyncio.gather(*self._removing, return_exceptions=True)

    async def accept(
        self, requests: Sequence[MessageRequest | InvalidInput], answer_with: AnswerWith | None = None
    ) -> list[Accepting]:
        """Take all requests that are valid, in one go; per request what was made of it or what is wrong with it.

        A request may be an error already, which is passed on in its place. Raises `StorageFull`, `StorageFailed` and
        `Closed`, and then none was taken.
        """
        urgent = len(requests) <= URGENT_BATCH_MAX and all(_is_urgent(request) for request in requests)
        pace = Pace(self._context.background, urgent=urgent)
        seconds = await second_verdicts(self._context, requests, pace)
        first_key = self._context.records.keys.next()
        with pace.under_way(), self._context.arrivals.arriving(first_key, in_order=urgent) as arrival:
            await pace.begin()
            outcomes = await self._preview(requests, seconds, pace, arrival)
            taken = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
            if taken:
                answers = () if answer_with is None else await answer_with(outcomes)
                await self._store(taken, answers, pace)
            return outcomes

    async def _preview(
        self,
        requests: Sequence[MessageRequest | InvalidInput],
        seconds: Mapping[int, SecondVerdict],
        pace: Pace,
        arrival: Arrival,
    ) -> list[Accepting]:
        context = self._context
        messages: list[tuple[int, CustomerMessage] | InvalidInput] = []
        for place, request in enumerate(requests):
            await pace.pause()
            messages.append(self._message(request, arrival, seconds.get(place)))
        valid = [entry for entry in messages if not isinstance(entry, InvalidInput)]
        now_ms, rules, mark = context.now_ms(), context.rules, context.fresh.mark()
        asked = [(message, None) for _, message in valid]
        found = iter(await look_up(context.records, asked, rules, now_ms, urgent=pace.urgent) if asked else ())
        await pace.begin()
        outcomes: list[Accepting] = []
        for entry in messages:
            await pace.pause()
            if isinstance(entry, InvalidInput):
                outcomes.append(entry)
                continue
            key, message = entry
            at_ms = max(now_ms, message.send_at_ms or 0)
            facts = facts_of(message, next(found), senders=context.senders)
            try:
                context.pipelines.at(facts.jurisdiction).routes.of(message.channel)
            except NoRoute as error:
                outcomes.append(error)
                continue
            decision = decided(rules, message, facts, at_ms)
            context.fresh.keep(key, facts, rules, mark, now_ms)
            outcomes.append(Accepted(key, message, decision, facts.jurisdiction))
        return outcomes

    def _message(
        self, request: MessageRequest | InvalidInput, arrival: Arrival, second: SecondVerdict | None
    ) -> tuple[int, CustomerMessage] | InvalidInput:
        if isinstance(request, InvalidInput):
            return request
        if request.category in ANSWERS and not isinstance(request, AnswerRequest):
            return InvalidInput(f"the category {request.category} is for the server's own answers", pointer="/category")
        key = self._context.records.keys.next()
        try:
            message = normalise(request, message_id=ids.key_text(ids.MESSAGE, key), now_ms=ids.created_at_ms(key))
        except InvalidInput as error:
            return error
        arrival.add(key)
        content = self._context.content
        return key, message if content is None else content.classified(message, second=second)

    async def _store(self, taken: Sequence[Accepted], answers: Sequence[Answer], pace: Pace) -> None:
        records = self._context.records
        # Kept answers must be committed with all that they speak of. Otherwise a large batch goes in parts, so that no
        # urgent commit waits for the whole of it.
        part_size = len(taken) if answers else _PART
        along: Rows | None = IdempotencyRecords.rows(answers) if answers else None
        writes: list[Awaitable[object]] = []
        for start in range(0, len(taken), part_size):
            new, queued = await self._written_out(taken[start : start + part_size], pace)
            writes.append(records.messages.add(new, urgent=pace.urgent, along=along))
            writes += [asyncio.create_task(self._send(queue, found, pace)) for queue, found in queued.items()]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failures:
            await self._take_back(taken, answers)
            raise failures[0]

    async def _written_out(
        self, taken: Sequence[Accepted], pace: Pace
    ) -> tuple[NewMessages, dict[str, list[NewMessage]]]:
        new = NewMessages()
        queued: dict[str, list[NewMessage]] = {}
        for accepted in taken:
            await pace.pause()
            message = accepted.message
            event = Event(at_ms=message.created_at_ms, status=Status.ACCEPTED, next_at_ms=_scheduled_at_ms(message))
            new.append(accepted.key, message, event)
            queue = self._context.pipelines.at(accepted.jurisdiction).names.intake(message.purpose)
            queued.setdefault(queue, []).append(intake_message(Envelope(message), self._context.now_ms()))
        return new, queued

    async def _take_back(self, taken: Sequence[Accepted], answers: Sequence[Answer]) -> None:
        """Leave nothing half-done. Queue messages without a record are dropped at intake."""
        context = self._context
        context.fresh.forget()
        keys = [accepted.key for accepted in taken]
        try:
            await self._remove(keys, answers)
        except ChappeError as error:  # the disk may be as full for this as for what was refused
            _log.error("refused_messages_not_removed", count=len(keys), code=error.code, reason=error.message)
            context.arrivals.refused.update(keys)
            task = asyncio.create_task(self._remove_later(keys, answers), name="removing refused messages")
            self._removing.add(task)
            task.add_done_callback(self._removing.discard)

    async def _remove(self, keys: Sequence[int], answers: Sequence[Answer]) -> None:
        await self._context.records.messages.remove(keys)
        await self._context.records.idempotency.forget(answers)

    async def _remove_later(self, keys: Sequence[int], answers: Sequence[Answer]) -> None:
        while True:
            await asyncio.sleep(_REMOVE_AGAIN_SECONDS)
            try:
                await self._remove(keys, answers)
            except Closed:
                return
            except ChappeError:
                continue
            self._context.arrivals.refused.difference_update(keys)
            _log.info("refused_messages_removed", count=len(keys))
            return

    async def _send(self, queue: str, messages: list[NewMessage], pace: Pace) -> None:
        context = self._context
        for start in range(0, len(messages), _PART):
            await pace.begin()
            part = messages[start : start + _PART]
            try:
                await context.engine.send(queue, part)
            except QueueNotFound:  # somebody deleted it
                for pipeline in context.pipelines:
                    await create_queues(context.engine, pipeline.names, pipeline.routes.channels)
                await context.engine.send(queue, part)


def intake_message(envelope: Envelope, now_ms: int, not_before_ms: int | None = None) -> NewMessage:
    """The queue message that brings a message to intake, once its time has come."""
    not_before_ms = max(not_before_ms or 0, envelope.message.send_at_ms or 0)
    return NewMessage(body=to_body(envelope), delay_ms=max(0, not_before_ms - now_ms))


def intake_of(context: Context, message: CustomerMessage) -> str:
    """The intake queue for a message, as far as the address tells where the recipient is."""
    return context.pipelines.at(locate(message.to).jurisdiction).names.intake(message.purpose)


def _scheduled_at_ms(message: CustomerMessage) -> int | None:
    later = message.send_at_ms is not None and message.send_at_ms > message.created_at_ms
    return message.send_at_ms if later else None


def _is_urgent(request: MessageRequest | InvalidInput) -> bool:
    return isinstance(request, InvalidInput) or is_urgent(request.purpose)
