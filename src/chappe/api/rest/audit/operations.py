"""The operations on decisions on record and on legal holds."""

from __future__ import annotations

from chappe.api.rest.audit import decisions
from chappe.api.rest.audit.documents import DecisionDetailsView, HoldRequest, HoldsView, HoldView, RecordedDecisionsView
from chappe.api.rest.operation import CURSOR, MOMENT, SMALL_BYTES_MAX, TEXT, TO, Operation, Parameter, limit_parameter
from chappe.model.customer import Outcome

_TAG = "Audit"
_OUTCOMES: dict[str, object] = {
    "type": "string",
    "enum": [Outcome.ALLOW.value, Outcome.DEFER.value, Outcome.BLOCK.value],
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        "/v1/decisions",
        decisions.list_decisions,
        "List decisions on record, newest first",
        _TAG,
        {200: ("One page.", RecordedDecisionsView)},
        parameters=(
            Parameter("message", "Only decisions about this message (its id).", TEXT),
            TO,
            Parameter("outcome", "Only decisions with this outcome.", _OUTCOMES),
            Parameter("rule", "Only decisions in which this rule applied (its id).", TEXT),
            Parameter("since", "Only decisions made at this moment or later.", MOMENT),
            Parameter("until", "Only decisions made before this moment.", MOMENT),
            limit_parameter(),
            CURSOR,
        ),
        errors=(503,),
    ),
    Operation(
        "GET",
        "/v1/decisions/{id}",
        decisions.get_decision,
        "Look at a decision, what it was made from, and the proof that it is in the audit log",
        _TAG,
        {200: ("The decision.", DecisionDetailsView)},
        errors=(404, 503),
    ),
    Operation(
        "POST",
        "/v1/legal-holds",
        decisions.add_legal_hold,
        "Keep what was decided under a jurisdiction, whatever its retention",
        _TAG,
        {201: ("It is kept from now on.", HoldView)},
        request=HoldRequest,
        errors=(503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/legal-holds",
        decisions.list_legal_holds,
        "List legal holds, those that are over included",
        _TAG,
        {200: ("All of them.", HoldsView)},
        errors=(503,),
    ),
    Operation(
        "DELETE",
        "/v1/legal-holds/{id}",
        decisions.release_legal_hold,
        "Release a legal hold",
        _TAG,
        {204: ("It is released.", None)},
        errors=(404, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
)
