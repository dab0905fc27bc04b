"""Suppressions: added, listed, lifted."""

from __future__ import annotations

import msgspec
import structlog

from chappe.api.rest.answers import NO_CONTENT, Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.people.documents import SuppressionRequest, SuppressionsView
from chappe.api.rest.people.presenting import suppression_view
from chappe.api.rest.query import address_in
from chappe.model.errors import NotFound
from chappe.pipeline.acceptance.normalise import normalise_recipient
from chappe.records import ids
from chappe.records.people import SuppressionRecord
from chappe.records.recipients import recipient_text

_decoder = msgspec.json.Decoder(SuppressionRequest)
_log = structlog.get_logger("chappe.rest")


async def add_suppression(call: Call) -> Answer:
    """POST /v1/suppressions"""
    request = decode(_decoder, call.body)
    record = SuppressionRecord(
        key=call.server.records.keys.next(),
        to=normalise_recipient(request.to)[1],
        channel=request.channel,
        purpose=request.purpose,
        reason=request.reason,
        created_at_ms=call.server.now_ms(),
    )
    stored, new = await call.server.records.people.add_suppression(record)
    return json_answer(201 if new else 200, suppression_view(stored))


async def list_suppressions(call: Call) -> Answer:
    """GET /v1/suppressions"""
    limit = limit_of(call.query)
    to, before = address_in(call.query, "to"), cursor_of(call.query, ids.SUPPRESSION)
    found = await call.server.records.people.list_suppressions(to, before, limit + 1)
    if to is not None and before is None:
        erased = await call.server.records.erased.find(recipient_text(to))
        found = found if erased is None else [erased, *found]
    page = [suppression_view(record) for record in found[:limit]]
    return json_answer(200, SuppressionsView(page, page[-1].id if len(found) > limit else None))


async def remove_suppression(call: Call) -> Answer:
    """DELETE /v1/suppressions/{id}"""
    text = call.path["id"]
    key = ids.parse_key(ids.SUPPRESSION, text)
    if key is None:
        raise NotFound(f"{text!r} is not the id of a suppression; ids look like sup_0123456789abcdef.", id=text)
    await call.server.records.people.remove_suppression(key)
    _log.info("suppression_removed", id=text, client=call.client.key_id)
    return NO_CONTENT
