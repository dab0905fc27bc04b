"""Codes of jurisdictions in documents, checked to stand for one."""

from __future__ import annotations

from chappe.compliance.places.jurisdictions import fault_of
from chappe.model.errors import InvalidInput


def check_place(jurisdiction: str, *, pointer: str) -> None:
    """Raise `InvalidInput` if a code of the right form stands for no jurisdiction: UK, US-ZZ."""
    fault = fault_of(jurisdiction)
    if fault is not None:
        raise InvalidInput(fault, pointer=pointer)
