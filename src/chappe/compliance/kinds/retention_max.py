"""retention_max: personal data may be kept no longer than so long."""

from __future__ import annotations

import msgspec

from chappe.compliance.calendar.periods import Period, end_of
from chappe.compliance.rule.base import DutyRule
from chappe.compliance.rule.duty_examples import DutyExample
from chappe.compliance.rule.record_kinds import History, Since, Subject

_DAY_MS = 86_400_000


class RetentionMaxParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Data about `subject` are kept for at most `keep`, counted from `since`, and for no longer than the sender's own
    policy says (`retention_days` of its profile). Without `keep` that policy alone counts. With `policy_required`,
    data may not be kept at all where there is none.

    `age_under` (who counts as a child) is for readers only: whoever asks says whether it is one.
    """

    subject: Subject = Subject.ANYONE
    keep: Period | None = None
    since: Since = Since.MADE
    policy_required: bool = False
    age_under: int | None = None

    def __post_init__(self) -> None:
        if self.keep is None and not self.policy_required:
            raise ValueError("keep: give a period, or ask for a policy with policy_required")


class RetentionMaxRule(DutyRule, frozen=True, kw_only=True, tag_field="kind", tag="retention_max"):
    """How long at most."""

    parameters: RetentionMaxParameters
    examples: tuple[DutyExample, ...] = ()  # type: ignore[assignment]

    def is_about(self, subject: Subject) -> bool:
        """Whether the rule has anything to say of data about such a person."""
        return self.parameters.subject in (Subject.ANYONE, subject)

    def lacks_policy(self, retention_days: int | None) -> bool:
        """Whether data may not be kept because no period is set."""
        return self.parameters.policy_required and retention_days is None

    def delete_by_ms(self, history: History, retention_days: int | None) -> int | None:
        """By when data must be gone; None while no period has begun, or where none is set."""
        asked = self.parameters
        start_ms = history.moment_ms(asked.since)
        if start_ms is None:
            return None
        ends = [end_of(start_ms, asked.keep)] if asked.keep else []
        if retention_days is not None:
            ends.append(start_ms + retention_days * _DAY_MS)
        return min(ends, default=None)
