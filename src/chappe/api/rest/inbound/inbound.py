"""Texts from people, and their requests to stop."""

from __future__ import annotations

from typing import Literal

import msgspec
import structlog

from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.inbound.documents import (
    INBOUND_ENTRIES_MAX,
    AnswerView,
    DeadlineView,
    InboundBatchView,
    InboundResult,
    InboundsView,
    InboundView,
    OptOutsView,
    OptOutView,
    RawInboundBatch,
    ResolutionView,
    ResolveRequest,
)
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.presenting import as_stored, moment, moment_or_none
from chappe.api.rest.problems import problem_of
from chappe.api.rest.query import address_in, flag_of
from chappe.compliance.opt_out.reply import Evidence, Intent, Scope
from chappe.model.errors import ChappeError, InvalidInput, NotFound
from chappe.pipeline.inbound.receiving import Taking, Verdict
from chappe.pipeline.inbound.request import InboundRequest
from chappe.records import ids
from chappe.records.inbound import InboundRecord, Resolution, Review, Taken
from chappe.records.opt_outs import OptOutRecord

_CREATED, _REPEATED, _SOME_REFUSED = 201, 200, 207
_decoder = msgspec.json.Decoder(InboundRequest)
_batch_decoder = msgspec.json.Decoder(RawInboundBatch)
_resolve_decoder = msgspec.json.Decoder(ResolveRequest)
_evidence_decoder = msgspec.json.Decoder(list[Evidence])
_log = structlog.get_logger("chappe.rest")


async def take_inbound(call: Call) -> Answer:
    """POST /v1/inbound"""
    (taken,) = await call.server.pipeline.inbound.take([decode(_decoder, call.body)])
    if not isinstance(taken, Taken):
        raise taken
    return json_answer(_CREATED if taken.new else _REPEATED, _taken_view(taken))


async def take_inbound_batch(call: Call) -> Answer:
    """POST /v1/inbound:batch"""
    raw = decode(_batch_decoder, call.body).messages
    if not 1 <= len(raw) <= INBOUND_ENTRIES_MAX:
        raise InvalidInput(f"a batch has 1 to {INBOUND_ENTRIES_MAX} messages, not {len(raw)}", pointer="/messages")
    results = [_result(taking) for taking in await call.server.pipeline.inbound.take([_entry(part) for part in raw])]
    refused = sum(result.error is not None for result in results)
    view = InboundBatchView(len(results) - refused, refused, results)
    return json_answer(_SOME_REFUSED if refused else _CREATED, view)


async def list_inbound(call: Call) -> Answer:
    """GET /v1/inbound"""
    limit = limit_of(call.query)
    found = await call.server.records.inbound.page(
        address_in(call.query, "from"),
        cursor_of(call.query, ids.INBOUND),
        limit + 1,
        review_only=flag_of(call.query, "review", default=False),
    )
    page = [inbound_view(record) for record in found[:limit]]
    return json_answer(200, InboundsView(page, page[-1].id if len(found) > limit else None))


async def get_inbound(call: Call) -> Answer:
    """GET /v1/inbound/{id}"""
    return json_answer(200, inbound_view(await call.server.records.inbound.get(_key(call))))


async def resolve_inbound(call: Call) -> Answer:
    """POST /v1/inbound/{id}/resolve"""
    request = decode(_resolve_decoder, call.body)
    verdict = Verdict(Intent(request.intent), request.scope, call.client.key_id, request.note)
    record = await call.server.pipeline.inbound.resolve(_key(call), verdict)
    _log.info("inbound_resolved", id=call.path["id"], intent=request.intent, client=call.client.key_id)
    return json_answer(200, inbound_view(record))


async def list_opt_outs(call: Call) -> Answer:
    """GET /v1/opt-outs"""
    limit, now_ms = limit_of(call.query), call.server.now_ms()
    found = await call.server.records.opt_outs.page(
        address_in(call.query, "person"),
        cursor_of(call.query, ids.OPT_OUT),
        limit + 1,
        overdue_at_ms=now_ms if flag_of(call.query, "overdue", default=False) else None,
        open_only=flag_of(call.query, "open", default=False),
    )
    page = [opt_out_view(record, now_ms) for record in found[:limit]]
    return json_answer(200, OptOutsView(page, page[-1].id if len(found) > limit else None))


def inbound_view(record: InboundRecord, *, duplicate: bool = False) -> InboundView:
    """A text, how it was read and what followed. `duplicate` where it had been taken before."""
    return InboundView(
        id=ids.key_text(ids.INBOUND, record.key),
        to=record.sender,
        channel=record.channel,
        text=record.text,
        received_at=moment(record.received_at_ms),
        provider_message_id=record.provider_message_id,
        intent=Intent(record.intent),
        scope=Scope(record.scope),
        confidence=record.confidence,
        person=as_stored(record.to),
        provider=record.source or None,
        keyword=record.keyword,
        language=record.language,
        evidence=_evidence_decoder.decode(record.evidence),
        opt_out=_id_or_none(ids.OPT_OUT, record.opt_out),
        review=_review(record.review),
        resolution=_resolution_view(record.resolution),
        answer=_answer_view(record),
        duplicate=duplicate,
    )


def opt_out_view(record: OptOutRecord, now_ms: int) -> OptOutView:
    """A request to stop with its deadlines; whether it is overdue is told for `now_ms`."""
    return OptOutView(
        id=ids.key_text(ids.OPT_OUT, record.key),
        person=as_stored(record.to),
        scope=Scope(record.scope),
        means=record.means,
        received_at=moment(record.received_at_ms),
        overdue=record.is_overdue(now_ms),
        channel=record.channel,
        purpose=record.purpose,
        keyword=record.keyword,
        jurisdiction=record.jurisdiction,
        inbound=_id_or_none(ids.INBOUND, record.inbound),
        message=_id_or_none(ids.MESSAGE, record.message),
        due_at=moment_or_none(record.due_at_ms),
        deadlines=[DeadlineView(entry.rule, moment(entry.due_at_ms)) for entry in record.deadlines],
        honoured_at=moment_or_none(record.honoured_at_ms),
        lifted_at=moment_or_none(record.lifted_at_ms),
        suppressions=[ids.key_text(ids.SUPPRESSION, key) for key in record.suppressions],
        confirmation=_id_or_none(ids.MESSAGE, record.confirmation),
        confirmed_at=moment_or_none(record.confirmed_at_ms),
    )


def _entry(part: msgspec.Raw) -> InboundRequest | InvalidInput:
    try:
        return decode(_decoder, part)
    except InvalidInput as error:
        return error


def _result(taking: Taking) -> InboundResult:
    if isinstance(taking, ChappeError):
        return InboundResult(error=problem_of(taking))
    return InboundResult(_taken_view(taking))


def _taken_view(taken: Taken) -> InboundView:
    return inbound_view(taken.record, duplicate=not taken.new)


def _answer_view(record: InboundRecord) -> AnswerView | None:
    if not record.answer:
        return None
    message = _id_or_none(ids.MESSAGE, record.answer_message)
    return AnswerView(record.answer, record.answer_state, record.answer_text, message)


def _resolution_view(resolution: Resolution | None) -> ResolutionView | None:
    if resolution is None:
        return None
    return ResolutionView(
        Intent(resolution.intent), Scope(resolution.scope), moment(resolution.at_ms), resolution.by, resolution.note
    )


def _review(review: Review) -> Literal["open", "resolved"] | None:
    if review is Review.NONE:
        return None
    return "open" if review is Review.OPEN else "resolved"


def _id_or_none(prefix: str, key: int | None) -> str | None:
    return None if key is None else ids.key_text(prefix, key)


def _key(call: Call) -> int:
    text = call.path["id"]
    key = ids.parse_key(ids.INBOUND, text)
    if key is None:
        raise NotFound(f"{text!r} is not the id of an inbound message; ids look like inb_0123456789abcdef.", id=text)
    return key
