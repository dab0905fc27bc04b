"""Checks a list of people, in a process of its own: `python -m chappe.api.rest.people.lists.people`."""

from __future__ import annotations

from chappe.api.rest.people.lists.lines import told
from chappe.api.rest.people.lists.person_lines import PERSON_COLUMNS, person_line
from chappe.model.errors import InvalidInput
from chappe.records.lists.reading import CheckOrder, check
from chappe.records.profiles import PersonLine
from chappe.records.registries.reporting import Checked, Refused, Report, work


def carry_out(order: CheckOrder, report: Report) -> Checked | Refused:
    """Check a list of people."""

    def record_of(cells: dict[str, str]) -> PersonLine:
        try:
            return person_line(cells, order.now_ms)
        except InvalidInput as error:
            raise told(error) from None

    return check(order, report, PERSON_COLUMNS, record_of)


if __name__ == "__main__":
    work(CheckOrder, carry_out)
