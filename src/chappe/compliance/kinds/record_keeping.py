"""record_keeping: what has to be written down, what a record must hold, and what a complaint leads to."""

from __future__ import annotations

from typing import Literal

import msgspec

from chappe.compliance.calendar.periods import Period, end_of
from chappe.compliance.kinds.retention_min import FOR_GOOD_MS
from chappe.compliance.rule.base import DutyRule
from chappe.compliance.rule.duty_examples import DutyExample
from chappe.compliance.rule.record_kinds import History, RecordKind, Since

Reaction = Literal["suppress", "review"]


class RecordKeepingParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`records` have to be made, with these `fields`, and are kept for `keep`, counted from `since`. A `complaint` of
    this kind leads to `then`: the address is suppressed, and somebody looks into the sender.
    """

    records: tuple[RecordKind, ...] = ()
    fields: tuple[str, ...] = ()
    keep: Period | None = None
    since: Since = Since.MADE
    complaint: str | None = None
    then: tuple[Reaction, ...] = ()

    def __post_init__(self) -> None:
        if not self.records and self.complaint is None:
            raise ValueError("records: name the records to be kept, or the complaint to react to")
        if (self.complaint is None) != (not self.then):
            raise ValueError("then: goes with complaint")


class RecordKeepingRule(DutyRule, frozen=True, kw_only=True, tag_field="kind", tag="record_keeping"):
    """What to write down."""

    parameters: RecordKeepingParameters
    examples: tuple[DutyExample, ...] = ()  # type: ignore[assignment]

    def wants(self, record: RecordKind) -> bool:
        """Whether such records have to be made."""
        return record in self.parameters.records

    def keep_until_ms(self, record: RecordKind, history: History) -> int | None:
        """Until when the record must be kept; None where the rule does not say."""
        asked = self.parameters
        if not self.wants(record) or asked.keep is None:
            return None
        start_ms = history.moment_ms(asked.since)
        return FOR_GOOD_MS if start_ms is None else end_of(start_ms, asked.keep)

    def reactions(self, complaint: str) -> tuple[Reaction, ...]:
        """What a complaint of this kind leads to."""
        return self.parameters.then if complaint == self.parameters.complaint else ()
