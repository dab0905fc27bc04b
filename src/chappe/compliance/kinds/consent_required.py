"""consent_required: the recipient must have agreed, to this channel and purpose, strongly enough."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chappe.compliance.consents import day_of, standing_consent
from chappe.compliance.facts import ConsentLevel, Facts
from chappe.compliance.rule import StandingRule
from chappe.model.customer import CustomerMessage, RuleOutcome


class ConsentParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`level` is the weakest consent that will do.

    With `per_channel`, consent that names no channel does not count. `implied_for_days` ends an implied
    consent so many days after it was recorded.
    """

    level: ConsentLevel
    per_channel: bool = False
    implied_for_days: Annotated[int, msgspec.Meta(ge=1)] | None = None


class ConsentRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="consent_required"):
    """Blocks what the recipient has not agreed to."""

    parameters: ConsentParameters

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        wanted = self.parameters
        standing = standing_consent(
            facts.consents,
            message.channel,
            message.purpose,
            now_ms,
            per_channel=wanted.per_channel,
            implied_for_days=wanted.implied_for_days,
        )
        consent = standing.consent
        if consent is None:
            return self.broken(f"{_NAMES[wanted.level]} consent is required and {standing.why_none}")
        given = consent.strength
        on_record = f"{_NAMES[given]} consent was recorded on {day_of(consent.recorded_at_ms)}"
        if given.rank < wanted.level.rank:
            return self.broken(f"{_NAMES[wanted.level]} consent is required and only {on_record}")
        return self.kept(on_record)


_NAMES = {level: level.value.replace("_", " ") for level in ConsentLevel}
