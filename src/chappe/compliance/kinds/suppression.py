"""suppression: nothing goes to an address on the suppression list."""

from __future__ import annotations

import msgspec

from chappe.compliance.consent.grants import day_of
from chappe.compliance.facts.recipient import Facts, Suppression
from chappe.compliance.opt_out.reasons import OWN_REQUESTS
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.categories import ANSWERS
from chappe.model.customer import CustomerMessage, RuleOutcome


class SuppressionParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None: the list itself says which channels and purposes an entry covers."""


class SuppressionRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="suppression"):
    """Blocks what an entry of the suppression list covers.

    Answers of the server itself (the confirmation of an opt-out, help that was asked for) pass entries that the person
    asked for: those of 47 CFR 64.1200(a)(12) and the CTIA's principles have to reach who has opted out.
    """

    parameters: SuppressionParameters = SuppressionParameters()

    @property
    def swayed_by(self) -> Input:
        return Input.SUPPRESSIONS | Input.CATEGORY

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        for entry in facts.suppressions:
            if _covers(entry, message) and not (message.category in ANSWERS and entry.reason in OWN_REQUESTS):
                return self.broken(f"the address is suppressed since {day_of(entry.created_at_ms)}: {entry.reason}")
        return self.kept("the address is not suppressed")


def _covers(entry: Suppression, message: CustomerMessage) -> bool:
    return (
        (entry.channel is None or entry.channel is message.channel)
        and (entry.purpose is None or entry.purpose is message.purpose)
        and entry.address == message.to.address
    )
