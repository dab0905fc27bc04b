"""What people have a right to: a copy of their data, erasure, restriction; and the list of who asked for what."""

from __future__ import annotations

import msgspec

from chappe.api.rest.answers import Answer, encoded_answer, json_answer
from chappe.api.rest.bodies import check_media_type, decode
from chappe.api.rest.call import Call
from chappe.api.rest.data_subjects.documents import DataRequestsView, ExtensionRequest, RightRequest, data_request_view
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.query import flag_of, kind_of, one_of
from chappe.model.customer import Recipient
from chappe.model.errors import DataRequestNotFound, InvalidInput
from chappe.pipeline.acceptance.normalise import moment_ms, normalise_recipient
from chappe.pipeline.rights.asked import About
from chappe.records import ids
from chappe.records.data_requests import RequestKind, RequestState
from chappe.records.recipients import KINDS

_decoder = msgspec.json.Decoder(RightRequest)
_extension_decoder = msgspec.json.Decoder(ExtensionRequest)
_NOTHING_SAID = RightRequest()


async def export_person(call: Call) -> Answer:
    """POST /v1/people/{id}/export"""
    return await _take(call, RequestKind.EXPORT)


async def erase_person(call: Call) -> Answer:
    """POST /v1/people/{id}/erase"""
    return await _take(call, RequestKind.ERASE)


async def restrict_person(call: Call) -> Answer:
    """POST /v1/people/{id}/restrict"""
    return await _take(call, RequestKind.RESTRICT)


async def unrestrict_person(call: Call) -> Answer:
    """POST /v1/people/{id}/unrestrict"""
    return await _take(call, RequestKind.UNRESTRICT)


async def list_data_requests(call: Call) -> Answer:
    """GET /v1/data-requests"""
    server, limit = call.server, limit_of(call.query)
    now_ms = server.now_ms()
    found = await server.records.data_requests.page(
        cursor_of(call.query, ids.DATA_REQUEST),
        limit + 1,
        kind=one_of(RequestKind, call.query, "right"),
        state=one_of(RequestState, call.query, "state"),
        overdue_at_ms=now_ms if flag_of(call.query, "overdue", default=False) else None,
    )
    page = [data_request_view(request, now_ms) for request in found[:limit]]
    return json_answer(200, DataRequestsView(page, page[-1].id if len(found) > limit else None))


async def get_data_request(call: Call) -> Answer:
    """GET /v1/data-requests/{id}"""
    request = await call.server.records.data_requests.get(_key(call))
    return json_answer(200, data_request_view(request, call.server.now_ms()))


async def get_receipt(call: Call) -> Answer:
    """GET /v1/data-requests/{id}/receipt"""
    request = await call.server.records.data_requests.get(_key(call))
    if request.receipt is None:
        raise DataRequestNotFound(f"{call.path['id']} has no receipt yet.", id=call.path["id"])
    return encoded_answer(200, request.receipt.encode())


async def get_package(call: Call) -> Answer:
    """GET /v1/data-requests/{id}/package"""
    request = await call.server.records.data_requests.get(_key(call))
    path = call.server.rights.package(request)
    name = f'attachment; filename="{path.name}"'.encode()
    return Answer(200, b"", ((b"content-type", b"application/zip"), (b"content-disposition", name)), path)


async def extend_data_request(call: Call) -> Answer:
    """POST /v1/data-requests/{id}/extend"""
    reason = decode(_extension_decoder, call.body).reason
    request = await call.server.rights.extend(_key(call), reason)
    return json_answer(200, data_request_view(request, call.server.now_ms()))


async def _take(call: Call, kind: RequestKind) -> Answer:
    asked = _NOTHING_SAID
    if call.body:
        check_media_type(call.headers)
        asked = decode(_decoder, call.body)
    now_ms = call.server.now_ms()
    received_at_ms = moment_ms(asked.received_at)
    if received_at_ms is not None and received_at_ms > now_ms:
        raise InvalidInput("received_at lies in the future", pointer="/received_at")
    request, new = await call.server.rights.take(
        kind, about(call.path["id"]), received_at_ms=received_at_ms, by=call.client.key_id, note=asked.note
    )
    request = await call.server.records.data_requests.get(request.key)
    return json_answer(202 if new else 200, data_request_view(request, now_ms))


def about(text: str) -> About:
    """Whom an id in a path means: an address, `email:ana@example.com` or what can be nothing else (`ana@example.com`,
    `+12025550143`); anything else is the caller's own id, in which such characters cannot occur.
    """
    kind, colon, address = text.partition(":")
    if not colon or kind not in KINDS:
        kind, address = kind_of(text), text
        if kind == "user":
            return About(person=text)
    return About(to=normalise_recipient(Recipient(**{kind: address}), pointer="")[1])


def _key(call: Call) -> int:
    text = call.path["id"]
    key = ids.parse_key(ids.DATA_REQUEST, text)
    if key is None:
        raise DataRequestNotFound(f"{text!r} is not the id of a request; ids look like dsr_0123456789abcdef.", id=text)
    return key
