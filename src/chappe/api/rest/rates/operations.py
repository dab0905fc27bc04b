"""The operations on measurements of how messages fare, and their documents."""

from __future__ import annotations

from chappe.api.rest.operation import CURSOR, SMALL_BYTES_MAX, TEXT, Operation, Parameter, limit_parameter
from chappe.api.rest.rates import rates
from chappe.api.rest.rates.documents import RateRequest, RatesView, RateView

_TAG = "Rates"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/rates",
        rates.add_rate,
        "Record how messages fare, such as the part that mailbox providers see reported as spam",
        _TAG,
        {201: ("It is recorded, in place of one of the same moment, and every later decision knows it.", RateView)},
        request=RateRequest,
        errors=(503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/rates",
        rates.list_rates,
        "List measurements, those recorded last first",
        _TAG,
        {200: ("One page.", RatesView)},
        parameters=(Parameter("metric", "Only measurements of this.", TEXT), limit_parameter(), CURSOR),
        errors=(503,),
    ),
    Operation(
        "DELETE",
        "/v1/rates/{id}",
        rates.remove_rate,
        "Forget a measurement that was wrong",
        _TAG,
        {204: ("It is forgotten.", None)},
        errors=(404, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
)
