"""Held messages: listed, looked at, approved and rejected."""

from __future__ import annotations

import msgspec

from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.classification.classify import author_of, explanation_view, feedback_record
from chappe.api.rest.classification.documents import (
    ApproveRequest,
    RejectRequest,
    ReviewDetailView,
    ReviewsView,
    ReviewView,
)
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.presenting import moment, moment_or_none
from chappe.api.rest.query import one_of
from chappe.classify.labels import Label
from chappe.model.classification import Resolution
from chappe.model.errors import ReviewNotFound
from chappe.pipeline.content.checking import readable_texts
from chappe.records import ids
from chappe.records.reviews import ReviewRecord, ReviewState

_approve_decoder = msgspec.json.Decoder(ApproveRequest)
_reject_decoder = msgspec.json.Decoder(RejectRequest)


async def list_reviews(call: Call) -> Answer:
    """GET /v1/reviews"""
    limit = limit_of(call.query)
    state = one_of(ReviewState, call.query, "state")
    after = cursor_of(call.query, ids.REVIEW) or 0
    found = await call.server.records.reviews.find(state, after, limit + 1)
    page = [review_view(record) for record in found[:limit]]
    return json_answer(200, ReviewsView(page, page[-1].id if len(found) > limit else None))


async def get_review(call: Call) -> Answer:
    """GET /v1/reviews/{id}"""
    key = _key(call)
    record = await call.server.records.reviews.get(key)
    message = (await call.server.records.messages.get(key)).message
    check = call.server.pipeline.context.content
    texts = readable_texts(message.content)
    explanation = None if check is None or not texts else explanation_view(check.serving.model, texts[0])
    assert message.classification is not None, "only what was classified is held"
    return json_answer(
        200,
        ReviewDetailView(
            review_view(record), message.declared_purpose, message.content, message.classification, explanation
        ),
    )


async def approve_review(call: Call) -> Answer:
    """POST /v1/reviews/{id}/approve"""
    request = decode(_approve_decoder, call.body)
    label = request.label or Label(request.purpose.value)
    return await _resolve(call, Resolution(request.purpose.value), request.note, label)


async def reject_review(call: Call) -> Answer:
    """POST /v1/reviews/{id}/reject"""
    request = decode(_reject_decoder, call.body)
    return await _resolve(call, Resolution.REJECTED, request.note, request.label)


async def _resolve(call: Call, resolution: Resolution, note: str, label: Label | None) -> Answer:
    key = _key(call)
    record = await call.server.pipeline.reviewing.resolve(key, resolution, author_of(call, note))
    feedback = feedback_record(call, label or Label(record.label), None, note, message=key)
    await call.server.records.feedback.add([feedback])
    return json_answer(200, review_view(record))


def review_view(record: ReviewRecord) -> ReviewView:
    """A held message without its content."""
    return ReviewView(
        id=ids.key_text(ids.REVIEW, record.key),
        state=record.state,
        message=ids.key_text(ids.MESSAGE, record.key),
        label=Label(record.label),
        probability=record.probability,
        checks=record.checks,
        channel=record.channel,
        opened_at=moment(record.opened_at_ms),
        due_at=moment(record.due_at_ms),
        sender=record.sender,
        resolution=record.resolution,
        resolved_at=moment_or_none(record.resolved_at_ms),
        by=None if record.author is None else record.author.name or None,
        note=None if record.author is None else record.author.reason or None,
    )


def _key(call: Call) -> int:
    text = call.path["id"]
    key = ids.parse_key(ids.REVIEW, text)
    if key is None:
        key = ids.parse_key(ids.MESSAGE, text)  # there is one review of a message, and people have its id at hand
    if key is None:
        raise ReviewNotFound(f"{text!r} is not the id of a review; ids look like rev_0123456789abcdef.", id=text)
    return key
