"""Checks a list of consents, in a process of its own: `python -m chappe.api.rest.people.lists.consents`."""

from __future__ import annotations

from chappe.api.rest.people.consents import consent_record
from chappe.api.rest.people.lists.lines import CONSENT_COLUMNS, consent_request, told
from chappe.model.errors import InvalidInput
from chappe.records.lists.reading import CheckOrder, check
from chappe.records.people import ConsentRecord
from chappe.records.registries.reporting import Checked, Refused, Report, work


def carry_out(order: CheckOrder, report: Report) -> Checked | Refused:
    """Check a list of consents."""

    def record_of(cells: dict[str, str]) -> ConsentRecord:
        try:
            return consent_record(consent_request(cells), 0, order.now_ms)
        except InvalidInput as error:
            raise told(error) from None

    return check(order, report, CONSENT_COLUMNS, record_of)


if __name__ == "__main__":
    work(CheckOrder, carry_out)
