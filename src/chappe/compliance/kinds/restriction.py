"""restriction: nothing goes to a person who has asked that the data be kept but not used."""

from __future__ import annotations

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.customer import CustomerMessage, RuleOutcome


class RestrictionParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


class RestrictionRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="restriction"):
    """Blocks every message while processing is restricted (Regulation (EU) 2016/679, art. 18)."""

    parameters: RestrictionParameters = RestrictionParameters()

    @property
    def swayed_by(self) -> Input:
        return Input.PERSON

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        if facts.person.restricted:
            return self.broken("the person's data may be kept but not used: processing is restricted on request")
        return self.kept("processing is not restricted")
