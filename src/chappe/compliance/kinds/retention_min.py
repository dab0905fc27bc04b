"""retention_min: records that have to be kept for so long."""

from __future__ import annotations

import msgspec

from chappe.compliance.calendar.periods import Period, end_of
from chappe.compliance.rule.base import DutyRule
from chappe.compliance.rule.duty_examples import DutyExample
from chappe.compliance.rule.record_kinds import History, RecordKind, Since


class RetentionMinParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`records` are kept for `keep`, counted from `since`; a period that has not begun has not ended either.

    `form` (how a record must look) and `fields` (what it must hold) are for readers only.
    """

    records: tuple[RecordKind, ...]
    keep: Period
    since: Since = Since.MADE
    form: str | None = None
    fields: tuple[str, ...] = ()


class RetentionMinRule(DutyRule, frozen=True, kw_only=True, tag_field="kind", tag="retention_min"):
    """How long at least."""

    parameters: RetentionMinParameters
    examples: tuple[DutyExample, ...] = ()  # type: ignore[assignment]

    def keep_until_ms(self, record: RecordKind, history: History) -> int | None:
        """Until when the record must be kept; None for records that the rule is not about."""
        asked = self.parameters
        if record not in asked.records:
            return None
        start_ms = history.moment_ms(asked.since)
        return FOR_GOOD_MS if start_ms is None else end_of(start_ms, asked.keep)


FOR_GOOD_MS = 2**62
"""The end of a period that has not begun."""
