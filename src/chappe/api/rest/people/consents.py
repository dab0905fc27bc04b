"""Consents: recorded and listed."""

from __future__ import annotations

import msgspec

from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.people.consent_details import stored_details
from chappe.api.rest.people.documents import ConsentRequest, ConsentsView
from chappe.api.rest.people.presenting import consent_view
from chappe.api.rest.query import address_in
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.normalise import moment_ms, normalise_recipient
from chappe.records import ids
from chappe.records.people import ConsentRecord

_decoder = msgspec.json.Decoder(ConsentRequest)


async def add_consent(call: Call) -> Answer:
    """POST /v1/consents"""
    record = consent_record(decode(_decoder, call.body), call.server.records.keys.next(), call.server.now_ms())
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
