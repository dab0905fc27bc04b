"""Rules whose requirements, where they cannot be met, are put on record instead of stopping the message."""

from __future__ import annotations

import msgspec

from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule.base import StandingRule


def leniently(rule: AnyRule) -> AnyRule:
    """The rule made so, unless it says itself what it does (`unmet`) or requires nothing that could be added."""
    if not isinstance(rule, StandingRule) or rule.unmet is not None or rule.action not in ("require", "redact"):
        return rule
    return msgspec.structs.replace(rule, unmet="annotate")
