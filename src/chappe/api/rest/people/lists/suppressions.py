"""Checks a list of suppressions, in a process of its own: `python -m chappe.api.rest.people.lists.suppressions`."""

from __future__ import annotations

from chappe.api.rest.people.lists.lines import SUPPRESSION_COLUMNS, suppression_request, told
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.normalise import normalise_recipient
from chappe.records.lists.reading import CheckOrder, check
from chappe.records.people import SuppressionRecord
from chappe.records.registries.reporting import Checked, Refused, Report, work


def carry_out(order: CheckOrder, report: Report) -> Checked | Refused:
    """Check a list of suppressions."""

    def record_of(cells: dict[str, str]) -> SuppressionRecord:
        request = suppression_request(cells)
        try:
            to = normalise_recipient(request.to)[1]
        except InvalidInput as error:
            raise told(error) from None
        return SuppressionRecord(0, to, request.channel, request.purpose, request.reason, order.now_ms)

    return check(order, report, SUPPRESSION_COLUMNS, record_of)


if __name__ == "__main__":
    work(CheckOrder, carry_out)
