"""Answers owed to people: sent through the ordinary pipeline, once, and in time or not at all.

That an answer is owed is committed with the text it answers, so a crash loses none. The note that it was taken is
committed with the message itself (as the kept answer of a request is), so a crash repeats none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import structlog

from chappe.model.customer import Channel, Content, Purpose
from chappe.model.errors import ChappeError, InvalidInput
from chappe.pipeline.acceptance.accept import Accepting, AnswerWith
from chappe.pipeline.acceptance.request import AnswerRequest, MessageRequest
from chappe.pipeline.context import Context
from chappe.records import ids
from chappe.records.idempotency import KEPT_MS, Answer
from chappe.records.inbound import AnswerState, InboundRecord

Accept = Callable[[Sequence[MessageRequest], AnswerWith], Awaitable[list[Accepting]]]
_SCOPE = "chappe/inbound"
_BATCH = 100
_AGAIN_SECONDS = 5.0
_log = structlog.get_logger("chappe.pipeline")


class Answering:
    """Sends what is owed, as soon as `wake` is called and now and then."""

    def __init__(self, context: Context, accept: Accept) -> None:
        self._context = context
        self._accept = accept
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something owed."""
        self._woken.set()

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            self._woken.clear()
            try:
                while await self._round() == _BATCH:
                    pass
            except ChappeError as error:
                _log.warning("answers_not_sent", code=error.code, reason=error.message)
            except Exception:  # noqa: BLE001 (a defect must not end the worker)
                _log.exception("answers_not_sent", code="defect")
            try:
                async with asyncio.timeout(_AGAIN_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _round(self) -> int:
        owed = await self._context.records.inbound.owed(_BATCH)
        for record in owed:
            await self._answer(record)
        return len(owed)

    async def _answer(self, record: InboundRecord) -> None:
        context, now_ms = self._context, self._context.now_ms()
        key = ids.key_text(ids.INBOUND, record.key)
        kept = await context.records.idempotency.find(_SCOPE, [key], now_ms)
        if key in kept:  # taken, and then the process ended
            await self._settle(record, AnswerState.SENT, ids.parse_key(ids.MESSAGE, kept[key].response))
            return
        if record.answer_until_ms is None or record.answer_until_ms <= now_ms:
            await self._settle(record, AnswerState.LATE, None)
            return

        async def note(outcomes: Sequence[Accepting]) -> Sequence[Answer]:
            (taken,) = outcomes
            assert not isinstance(taken, InvalidInput)
            return [Answer(_SCOPE, key, "", 202, taken.message.id, now_ms + KEPT_MS)]

        (outcome,) = await self._accept([_request(record, record.answer_until_ms)], note)
        if isinstance(outcome, InvalidInput):
            _log.warning("answer_refused", inbound=key, reason=outcome.message)
            await self._settle(record, AnswerState.REFUSED, None)
        else:
            await self._settle(record, AnswerState.SENT, outcome.key)

    async def _settle(self, record: InboundRecord, state: AnswerState, message: int | None) -> None:
        await self._context.records.inbound.answered(record.key, state, message, self._context.now_ms())


def _request(record: InboundRecord, until_ms: int) -> AnswerRequest:
    text = record.answer_text or ""
    subject = text.partition(":")[0] if record.channel is Channel.EMAIL else None
    return AnswerRequest(
        to=record.to,
        channel=record.channel,
        purpose=Purpose.TRANSACTIONAL,
        content=Content(subject=subject, text=text),
        sender=record.sender,
        category=record.answer,
        expires_at=datetime.fromtimestamp(until_ms / 1000, UTC),
        metadata={"inbound": ids.key_text(ids.INBOUND, record.key)},
    )
