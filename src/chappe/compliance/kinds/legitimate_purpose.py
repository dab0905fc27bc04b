"""legitimate_purpose: a message that is called transactional must have something that makes it so.

That is a category of messages which people expect, a relationship with the person, or a consent. It is a house kind: no
single law asks it in these words, but every law that frees transactional messages means it, and what is sent as
transactional to skip the rules on advertising is advertising.
"""

from __future__ import annotations

import msgspec

from chappe.compliance.calendar.periods import Period, end_of
from chappe.compliance.consent.grants import day_of, standing_consent
from chappe.compliance.facts.consents import ConsentLevel
from chappe.compliance.facts.person import Person
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import Category, StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.customer import CustomerMessage, Purpose, RuleOutcome


class PurposeParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Any one of these will do: one of the `categories`; with `relationship`, a running contract, or that the person is
    a customer (with `within`, one whose last purchase or inquiry is no older); a consent to transactional messages of
    the level `consent` (without it, none will do).
    """

    categories: tuple[Category, ...] = ()
    relationship: bool = True
    within: Period | None = None
    consent: ConsentLevel | None = ConsentLevel.IMPLIED

    def __post_init__(self) -> None:
        if not self.categories and not self.relationship and self.consent is None:
            raise ValueError("categories: name some, or let a relationship or a consent do")


class PurposeRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="legitimate_purpose"):
    """Notes (or blocks) transactional messages that nothing shows to be transactional."""

    parameters: PurposeParameters

    @property
    def swayed_by(self) -> Input:
        return Input.CATEGORY | Input.PERSON | Input.CONSENTS

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        if message.purpose is not Purpose.TRANSACTIONAL:
            return self.kept("the message is not called transactional")
        if message.category is not None and message.category in asked.categories:
            return self.kept(f"messages of the category {message.category} are transactional")
        if asked.relationship:
            relation = _relation(facts.person, asked.within, now_ms)
            if relation:
                return self.kept(relation)
        if asked.consent is not None:
            consent = standing_consent(facts.consents, message.channel, message.purpose, now_ms).consent
            if consent is not None and consent.strength.rank >= asked.consent.rank:
                return self.kept(f"the person agreed to such messages on {day_of(consent.recorded_at_ms)}")
        return self.broken(
            "nothing shows that the message is transactional: declare its category, or record the relationship "
            "or a consent"
        )


def _relation(person: Person, within: Period | None, now_ms: int) -> str:
    """How the person is related to the sender, or an empty text."""
    if person.has_contract:
        return "the person has a running contract"
    moments = [person.last_purchase_ms, person.last_inquiry_ms]
    if within is None:
        moments.append(person.customer_since_ms)
    known = [at_ms for at_ms in moments if at_ms is not None and at_ms <= now_ms]
    if not known or (within is not None and now_ms >= end_of(max(known), within)):
        return ""
    return f"the person has dealt with the sender, on {day_of(max(known))}"
