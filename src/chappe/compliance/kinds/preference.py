"""preference: a message that the person has switched off does not go."""

from __future__ import annotations

import msgspec

from chappe.compliance.facts.person import Preference
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.categories import ANSWERS
from chappe.model.customer import CustomerMessage, RuleOutcome

_NOTHING_OFF = "the person has not switched this off"


class PreferenceParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None: the person's own wishes say what they are about."""


class PreferenceRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="preference"):
    """Blocks what the closest of the person's wishes is against.

    The closest one names the message's category, or else its purpose, or else its channel; of two that are equally
    close the refusal counts. Answers of the server itself to what a person has just sent are no matter of taste.
    """

    parameters: PreferenceParameters = PreferenceParameters()

    @property
    def swayed_by(self) -> Input:
        return Input.PERSON | Input.CATEGORY

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        if not facts.person.preferences:
            return self.kept(_NOTHING_OFF)
        wishes = [wish for wish in facts.person.preferences if wish.is_about(message)]
        if not wishes or message.category in ANSWERS:
            return self.kept(_NOTHING_OFF)
        closest = max(wish.closeness for wish in wishes)
        refused = next((wish for wish in wishes if wish.closeness == closest and not wish.allowed), None)
        if refused is None:
            return self.kept("the person wants such messages")
        return self.broken(f"the person has switched off {_named(refused)}")


def _named(wish: Preference) -> str:
    kind = " ".join(part for part in (wish.purpose, wish.category) if part)
    about = f"{kind} messages" if kind else "messages"
    return f"{about} by {wish.channel}" if wish.channel else f"{about} on every channel"
