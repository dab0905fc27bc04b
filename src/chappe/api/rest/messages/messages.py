"""One message: send, decide, look at, cancel. And the list of all."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from chappe.api.rest.answers import Answer, encode, encoded_answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.claims import REPLAYED, check_same, digest_of, key_of
from chappe.api.rest.messages.documents import EvaluationRequest, MessagesView
from chappe.api.rest.messages.presenting import (
    accepted_view,
    evaluation_view,
    message_view,
    summary_view,
    timeline_view,
)
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.query import address_in, moment_in, one_of
from chappe.model.customer import Channel, Purpose, Status
from chappe.model.errors import InvalidInput, MessageNotFound
from chappe.pipeline.acceptance.accept import Accepting
from chappe.pipeline.acceptance.normalise import moment_ms
from chappe.pipeline.acceptance.request import MessageRequest
from chappe.records import ids
from chappe.records.idempotency import Answer as KeptAnswer
from chappe.records.messages import Filter
from chappe.records.recipients import recipient_text

ACCEPTED = 202
_request_decoder = msgspec.json.Decoder(MessageRequest)
_evaluation_decoder = msgspec.json.Decoder(EvaluationRequest)
_sorted_encoder = msgspec.json.Encoder(order="sorted")
_Name = TypeVar("_Name", bound=StrEnum)


async def send_message(call: Call) -> Answer:
    """POST /v1/messages"""
    request = decode(_request_decoder, call.body)
    key = _idempotency_key(call, request)
    if key is None:
        (outcome,) = await call.server.pipeline.accept([request])
        return encoded_answer(ACCEPTED, accepted_body(outcome))
    return await _send_once(call, request, key)


def _idempotency_key(call: Call, request: MessageRequest) -> str | None:
    header, told = key_of(call.headers), request.idempotency_key
    if header is not None and told not in (None, header):
        raise InvalidInput(
            "idempotency_key differs from the header Idempotency-Key; give one of them, or the same in both.",
            pointer="/idempotency_key",
        )
    return header or told


async def _send_once(call: Call, request: MessageRequest, key: str) -> Answer:
    claims, scope, digest = call.server.claims, call.client.key_id, request_digest(request)
    async with claims.holding(scope, [key]) as kept:
        if key in kept:
            check_same(kept[key], digest)
            return encoded_answer(kept[key].http_status, kept[key].response.encode(), headers=(REPLAYED,))
        bodies: list[bytes] = []

        async def answer_with(outcomes: Sequence[Accepting]) -> Sequence[KeptAnswer]:
            bodies.append(accepted_body(outcomes[0]))
            return [claims.answer(scope, key, digest, ACCEPTED, bodies[0])]

        (outcome,) = await call.server.pipeline.accept([request], answer_with)
        return encoded_answer(ACCEPTED, bodies[0] if bodies else accepted_body(outcome))


def accepted_body(outcome: Accepting) -> bytes:
    """The answer to a message that was taken; raises the error of one that was not."""
    if isinstance(outcome, InvalidInput):
        raise outcome
    return encode(accepted_view(outcome))


def request_digest(request: MessageRequest) -> str:
    """The same for requests that ask for the same, however they are written."""
    return digest_of(b"message", _sorted_encoder.encode(msgspec.structs.replace(request, idempotency_key=None)))


async def evaluate_message(call: Call) -> Answer:
    """POST /v1/messages:evaluate"""
    request = decode(_evaluation_decoder, call.body)
    evaluation = await call.server.pipeline.evaluate(request, moment_ms(request.at))
    return json_answer(200, evaluation_view(evaluation))


async def get_message(call: Call) -> Answer:
    """GET /v1/messages/{id}"""
    return json_answer(
        200, message_view(await call.server.records.messages.get(_key(call)), call.server.pipeline.context.links)
    )


async def timeline_message(call: Call) -> Answer:
    """GET /v1/messages/{id}/timeline"""
    return json_answer(200, timeline_view(await call.server.records.messages.get(_key(call))))


async def cancel_message(call: Call) -> Answer:
    """POST /v1/messages/{id}/cancel"""
    key = _key(call)
    await call.server.pipeline.cancel(key)
    return json_answer(
        200, message_view(await call.server.records.messages.get(key), call.server.pipeline.context.links)
    )


async def list_messages(call: Call) -> Answer:
    """GET /v1/messages"""
    query = call.query
    limit = limit_of(query)
    to = address_in(query, "to")
    wanted = Filter(
        status=one_of(Status, query, "status"),
        purpose=one_of(Purpose, query, "purpose"),
        channel=one_of(Channel, query, "channel"),
        recipient=None if to is None else recipient_text(to),
        since_ms=moment_in(query, "since"),
        until_ms=moment_in(query, "until"),
        before_key=cursor_of(query, ids.MESSAGE),
    )
    found = await call.server.records.messages.find(wanted, limit + 1)
    page = [summary_view(summary) for summary in found[:limit]]
    return json_answer(200, MessagesView(page, page[-1].id if len(found) > limit else None))


def _key(call: Call) -> int:
    text = call.path["id"]
    key = ids.parse_key(ids.MESSAGE, text)
    if key is None:
        raise MessageNotFound(f"{text!r} is not the id of a message; ids look like msg_0123456789abcdef.", id=text)
    return key
