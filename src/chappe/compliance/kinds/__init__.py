"""The kinds of rule, one module each. A rule file's `kind` chooses among `AnyRule`; a kind not listed here is
refused.

To add a kind: write its parameters and its pure function in a module of its own, on `StandingRule` or
`HoursRule`, add it to `AnyRule`, and give it examples in the tests.
"""

from __future__ import annotations

from chappe.compliance.kinds.consent_required import ConsentRule
from chappe.compliance.kinds.day_ban import DayBanRule
from chappe.compliance.kinds.frequency_cap import FrequencyCapRule
from chappe.compliance.kinds.quiet_hours import QuietHoursRule
from chappe.compliance.kinds.suppression import SuppressionRule

AnyRule = SuppressionRule | ConsentRule | QuietHoursRule | DayBanRule | FrequencyCapRule
"""Every kind that can be written in a rule file."""

__all__ = [
    "AnyRule",
    "ConsentRule",
    "DayBanRule",
    "FrequencyCapRule",
    "QuietHoursRule",
    "SuppressionRule",
]
