"""The operations on what people ask about their data."""

from __future__ import annotations

from chappe.api.rest.call import Handler
from chappe.api.rest.data_subjects import data_requests
from chappe.api.rest.data_subjects.documents import (
    DataRequestsView,
    DataRequestView,
    ExtensionRequest,
    ReceiptView,
    RightRequest,
)
from chappe.api.rest.operation import CURSOR, SMALL_BYTES_MAX, Operation, Parameter, limit_parameter, one_of_names
from chappe.records.data_requests import RequestKind, RequestState

_TAG = "Data subjects"
_FLAG: dict[str, object] = {"type": "boolean", "default": False}
_WHO = "`{id}` is your id of the person, or an address such as `email:ana@example.com`."


def _right(name: str, handler: Handler, summary: str) -> Operation:
    return Operation(
        "POST",
        f"/v1/people/{{id}}/{name}",
        handler,
        summary,
        _TAG,
        {
            202: (f"The request is recorded. {_WHO}", DataRequestView),
            200: ("It was asked for before, and is under way or in force.", DataRequestView),
        },
        request=RightRequest,
        body_optional=True,
        errors=(404, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    )


OPERATIONS: tuple[Operation, ...] = (
    _right("export", data_requests.export_person, "Make a copy of everything about a person"),
    _right("erase", data_requests.erase_person, "Erase a person; from the answer on nothing more is sent"),
    _right("restrict", data_requests.restrict_person, "Keep a person's data, but do not use them"),
    _right("unrestrict", data_requests.unrestrict_person, "Take a restriction back"),
    Operation(
        "GET",
        "/v1/data-requests",
        data_requests.list_data_requests,
        "List what people asked about their data, with deadlines, newest first",
        _TAG,
        {200: ("One page.", DataRequestsView)},
        parameters=(
            Parameter("right", "Only requests of this kind.", one_of_names(RequestKind)),
            Parameter("state", "Only requests in this state.", one_of_names(RequestState)),
            Parameter("overdue", "Only those that are not done although due.", _FLAG),
            limit_parameter(),
            CURSOR,
        ),
        errors=(503,),
    ),
    Operation(
        "GET",
        "/v1/data-requests/{id}",
        data_requests.get_data_request,
        "See how a request stands",
        _TAG,
        {200: ("The request.", DataRequestView)},
        errors=(404, 503),
    ),
    Operation(
        "GET",
        "/v1/data-requests/{id}/receipt",
        data_requests.get_receipt,
        "Get the signed receipt of what was done",
        _TAG,
        {200: ("The receipt.", ReceiptView)},
        errors=(404, 503),
    ),
    Operation(
        "GET",
        "/v1/data-requests/{id}/package",
        data_requests.get_package,
        "Fetch the copy that was made",
        _TAG,
        {200: ("A zip of JSON files with a manifest.", None)},
        errors=(404, 503),
        media_type="application/zip",
    ),
    Operation(
        "POST",
        "/v1/data-requests/{id}/extend",
        data_requests.extend_data_request,
        "Put the deadline off, the person having been told why",
        _TAG,
        {200: ("The request with its new deadline.", DataRequestView)},
        request=ExtensionRequest,
        errors=(404, 409, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
)
