"""The operations about texts from people and their requests to stop."""

from __future__ import annotations

from chappe.api.rest.inbound import inbound
from chappe.api.rest.inbound.documents import (
    InboundBatchRequest,
    InboundBatchView,
    InboundsView,
    InboundView,
    OptOutsView,
    ResolveRequest,
)
from chappe.api.rest.operation import (
    CURSOR,
    MESSAGE_BYTES_MAX,
    SMALL_BYTES_MAX,
    TEXT,
    TO,
    Operation,
    Parameter,
    limit_parameter,
)
from chappe.pipeline.inbound.request import InboundRequest

_TAG = "Inbound"
_FLAG: dict[str, object] = {"type": "boolean", "default": False}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/inbound",
        inbound.take_inbound,
        "Hand in a text that a person sent: STOP, HELP, START and whatever else",
        _TAG,
        {
            201: ("It is stored, and an opt-out in it is in force.", InboundView),
            200: ("It was taken before.", InboundView),
        },
        request=InboundRequest,
        errors=(409, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX * 2,
    ),
    Operation(
        "POST",
        "/v1/inbound:batch",
        inbound.take_inbound_batch,
        "Hand in up to 500 texts",
        _TAG,
        {
            201: ("All were taken.", InboundBatchView),
            207: ("Some were refused: their results have an `error`.", InboundBatchView),
        },
        request=InboundBatchRequest,
        errors=(503, 507),
        body_bytes_max=4 * MESSAGE_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/inbound",
        inbound.list_inbound,
        "List texts from people, newest first",
        _TAG,
        {200: ("One page.", InboundsView)},
        parameters=(
            Parameter("from", TO.description, TEXT),
            Parameter("review", "Only those that a person has to look at.", _FLAG),
            limit_parameter(),
            CURSOR,
        ),
        errors=(503,),
    ),
    Operation(
        "GET",
        "/v1/inbound/{id}",
        inbound.get_inbound,
        "Look at a text, how it was read and why",
        _TAG,
        {200: ("The text.", InboundView)},
        errors=(404, 503),
    ),
    Operation(
        "POST",
        "/v1/inbound/{id}/resolve",
        inbound.resolve_inbound,
        "Say what an uncertain text means",
        _TAG,
        {200: ("It is settled.", InboundView)},
        request=ResolveRequest,
        errors=(404, 409, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/opt-outs",
        inbound.list_opt_outs,
        "List requests to stop with their deadlines, newest first",
        _TAG,
        {200: ("One page.", OptOutsView)},
        parameters=(
            Parameter("person", TO.description, TEXT),
            Parameter("overdue", "Only those met late, or not met although due.", _FLAG),
            Parameter("open", "Only those that are not met yet.", _FLAG),
            limit_parameter(),
            CURSOR,
        ),
        errors=(503,),
    ),
)
