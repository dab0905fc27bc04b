"""Suppressions and consents."""

from __future__ import annotations

import msgspec
import structlog

from chappe.api.rest.answers import NO_CONTENT, Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.consent_details import stored_details
from chappe.api.rest.messages import address_in
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.presenting import consent_view, suppression_view
from chappe.api.rest.requests import ConsentRequest, SuppressionRequest
from chappe.api.rest.views import ConsentsView, SuppressionsView
from chappe.model.errors import InvalidInput, NotFound
from chappe.pipeline.normalise import moment_ms, normalise_recipient
from chappe.records import ids
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.recipients import recipient_text

_suppression_decoder = msgspec.json.Decoder(SuppressionRequest)
_consent_decoder = msgspec.json.Decoder(ConsentRequest)
_log = structlog.get_logger("chappe.rest")


async def add_suppression(call: Call) -> Answer:
    """POST /v1/suppressions"""
    request = decode(_suppression_decoder, call.body)
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


async def add_consent(call: Call) -> Answer:
    """POST /v1/consents"""
    record = _consent_record(call, decode(_consent_decoder, call.body))
    await call.server.records.people.add_consents([record])
    return json_answer(201, consent_view(record))


async def list_consents(call: Call) -> Answer:
    """GET /v1/consents"""
    limit = limit_of(call.query)
    found = await call.server.records.people.list_consents(
        address_in(call.query, "person"), cursor_of(call.query, ids.CONSENT), limit + 1
    )
    page = [consent_view(record) for record in found[:limit]]
    return json_answer(200, ConsentsView(page, page[-1].id if len(found) > limit else None))


def _consent_record(call: Call, request: ConsentRequest) -> ConsentRecord:
    return consent_record(request, call.server.records.keys.next(), call.server.now_ms())


def consent_record(request: ConsentRequest, key: int, now_ms: int) -> ConsentRecord:
    """What a request asks to be recorded. Raises `InvalidInput`."""
    recorded_at_ms = moment_ms(request.recorded_at)
    if recorded_at_ms is None:
        recorded_at_ms = now_ms
    elif recorded_at_ms > now_ms:
        raise InvalidInput("recorded_at lies in the future", pointer="/recorded_at")
    expires_at_ms = moment_ms(request.expires_at)
    if expires_at_ms is not None and expires_at_ms <= recorded_at_ms:
        raise InvalidInput("expires_at must be later than recorded_at", pointer="/expires_at")
    return ConsentRecord(
        key=key,
        to=normalise_recipient(request.person, pointer="/person")[1],
        channel=request.channel,
        purpose=request.purpose,
        granted=request.granted,
        recorded_at_ms=recorded_at_ms,
        level=request.level.value if request.level else None,
        proof=request.proof,
        source=request.source,
        expires_at_ms=expires_at_ms,
        details=stored_details(request.details, now_ms),
    )
