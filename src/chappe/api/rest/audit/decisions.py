"""Decisions on record, and the legal holds that keep them."""

from __future__ import annotations

import msgspec
import structlog

from chappe.api.rest.answers import NO_CONTENT, Answer, json_answer
from chappe.api.rest.audit.documents import (
    DecisionDetailsView,
    EvidenceView,
    HoldRequest,
    HoldsView,
    HoldView,
    ProofView,
    RecordedDecisionsView,
    RecordedDecisionView,
)
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.errors import InvalidParameter
from chappe.api.rest.messages.presenting import decision_view
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.places import check_place
from chappe.api.rest.presenting import moment, moment_or_none
from chappe.api.rest.query import address_in, moment_in, one_of
from chappe.model.customer import Channel, Outcome, Purpose
from chappe.model.errors import NotFound, Unavailable
from chappe.observe.audit.finding import DecisionFilter, FoundDecision
from chappe.observe.audit.proofs import Proof
from chappe.observe.audit.record import PersonalPart
from chappe.records import ids
from chappe.records.audit import LegalHold
from chappe.records.recipients import recipient_text

_hold_decoder = msgspec.json.Decoder(HoldRequest)
_log = structlog.get_logger("chappe.rest")


async def list_decisions(call: Call) -> Answer:
    """GET /v1/decisions"""
    query = call.query
    to, outcome = address_in(query, "to"), one_of(Outcome, query, "outcome")
    wanted = DecisionFilter(
        message=_message_in(query.get("message")),
        recipient=None if to is None else recipient_text(to),
        outcome=None if outcome is None else outcome.value,
        rule=query.get("rule"),
        since_ms=moment_in(query, "since"),
        until_ms=moment_in(query, "until"),
        before_number=cursor_of(query, ids.DECISION),
    )
    found = await call.server.audit.find(wanted, limit_of(query))
    after = None if found.next_before is None else ids.key_text(ids.DECISION, found.next_before)
    return json_answer(200, RecordedDecisionsView([_view(decision) for decision in found.decisions], after))


async def get_decision(call: Call) -> Answer:
    """GET /v1/decisions/{id}"""
    text = call.path["id"]
    number = ids.parse_key(ids.DECISION, text)
    if number is None:
        raise NotFound(f"{text!r} is not the id of a decision; ids look like dec_0123456789abcdef.", id=text)
    audit = call.server.audit
    found = await audit.get(number)
    try:
        proof = await audit.prove(number)
    except Unavailable:  # not signed yet
        proof = None
    personal = await audit.personal(found)
    return json_answer(200, DecisionDetailsView(_view(found), _evidence(personal), _proof(proof)))


async def add_legal_hold(call: Call) -> Answer:
    """POST /v1/legal-holds"""
    request = decode(_hold_decoder, call.body)
    check_place(request.jurisdiction, pointer="/jurisdiction")
    hold = await call.server.audit.hold(request.jurisdiction, request.reason)
    _log.info("legal_hold_added", id=ids.key_text(ids.HOLD, hold.key), client=call.client.key_id)
    return json_answer(201, _hold_view(hold))


async def list_legal_holds(call: Call) -> Answer:
    """GET /v1/legal-holds"""
    return json_answer(200, HoldsView([_hold_view(hold) for hold in await call.server.audit.holds(released=True)]))


async def release_legal_hold(call: Call) -> Answer:
    """DELETE /v1/legal-holds/{id}"""
    text = call.path["id"]
    key = ids.parse_key(ids.HOLD, text)
    if key is None:
        raise NotFound(f"{text!r} is not the id of a legal hold; ids look like hld_0123456789abcdef.", id=text)
    await call.server.audit.release(key)
    _log.info("legal_hold_released", id=text, client=call.client.key_id)
    return NO_CONTENT


def _message_in(given: str | None) -> int | None:
    if given is None:
        return None
    key = ids.parse_key(ids.MESSAGE, given)
    if key is None:
        raise InvalidParameter(
            "message must be the id of a message, such as msg_0123456789abcdef.", parameter="message"
        )
    return key


def _view(found: FoundDecision) -> RecordedDecisionView:
    record = found.record
    return RecordedDecisionView(
        id=ids.key_text(ids.DECISION, found.number),
        message=record.message,
        at=moment(record.at_ms),
        stage=record.stage,
        channel=Channel(record.channel),
        purpose=Purpose(record.purpose),
        declared_purpose=Purpose(record.declared or record.purpose),
        decision=decision_view(record.decision),
        hash=found.hash.hex(),
        jurisdiction=record.jurisdiction,
        category=record.category,
    )


def _evidence(personal: PersonalPart | None) -> EvidenceView | None:
    if personal is None:
        return None
    return EvidenceView(personal.to, personal.message, personal.facts, personal.content_left_out)


def _proof(proof: Proof | None) -> ProofView | None:
    if proof is None:
        return None
    return ProofView(
        proof.number,
        proof.open_part,
        proof.personal_part,
        proof.previous,
        proof.hash,
        list(proof.path),
        proof.checkpoint,
    )


def _hold_view(hold: LegalHold) -> HoldView:
    return HoldView(
        ids.key_text(ids.HOLD, hold.key),
        hold.jurisdiction,
        hold.reason,
        moment(hold.created_at_ms),
        moment_or_none(hold.released_at_ms),
    )
