"""age_gate: what a child may get only if a parent agrees, or only if it asked for it.

Ages are counted in complete years, on the day as it is where days begin last. Who is not known to be a child is not
taken for one, unless `if_unknown` says otherwise.

Only informing, with no part in a verdict: `informs`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from chappe.compliance.consent.grants import standing_consent
from chappe.compliance.facts.consents import ConsentLevel
from chappe.compliance.facts.person import age_years
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.customer import CustomerMessage, Outcome, RuleOutcome

Age = Annotated[int, msgspec.Meta(ge=1, le=30)]


class Needed(StrEnum):
    """What is needed for somebody younger."""

    PARENTAL_CONSENT = "parental_consent"
    OPT_IN = "opt_in"
    """An express consent of their own; a parent's does as well."""
    NOTHING_HELPS = "nothing_helps"


class Younger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is needed for people under a lower age."""

    age: Age
    needs: Needed


class AgeParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """People under `min_age` need what `needs` says, and those under the age of `younger` what that says.

    `member_states` are the ages of countries that have set their own (ISO 3166-1), none below `floor`. `if_unknown` is
    what becomes of a message to somebody whose birthday is not known.
    """

    min_age: Age
    needs: Needed = Needed.PARENTAL_CONSENT
    younger: Younger | None = None
    member_states: dict[Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")], Age] = {}
    floor: Age = 1
    if_unknown: Literal["allow", "annotate", "block"] = "allow"
    informs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.min_age < self.floor:
            raise ValueError("min_age: must not be below the floor")
        below = sorted(country for country, age in self.member_states.items() if age < self.floor)
        if below:
            raise ValueError(f"member_states: below the floor of {self.floor}: {', '.join(below)}")
        if self.younger is not None and self.younger.age >= self.min_age:
            raise ValueError("younger.age: must be below min_age")


class AgeRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="age_gate"):
    """Blocks what a child may not get without what is needed for it."""

    parameters: AgeParameters

    @property
    def swayed_by(self) -> Input:
        return Input.PERSON

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        age = age_years(facts.person, now_ms)
        if age is None:
            return self._of_unknown()
        country = (facts.jurisdiction or "").partition("-")[0]
        limit = asked.member_states.get(country, asked.min_age)
        if age >= limit:
            return self.kept(f"the person is not under {limit}")
        needs = asked.needs
        if asked.younger is not None and age < asked.younger.age:
            limit, needs = asked.younger.age, asked.younger.needs
        if needs is not Needed.NOTHING_HELPS and facts.person.parental_consent:
            return self.kept(f"the person is under {limit}, and a parent has agreed")
        if needs is Needed.OPT_IN and _opted_in(message, facts, now_ms):
            return self.kept(f"the person is under {limit} and has opted in")
        return self.broken(f"the person is under {limit}, {_MISSING[needs]}")

    def _of_unknown(self) -> RuleOutcome:
        reason = "the person's age is not known"
        if self.parameters.if_unknown == "block":
            return self.broken(f"{reason}: record the date of birth")
        if self.parameters.if_unknown == "annotate":
            return RuleOutcome(self.id, Outcome.ANNOTATE, reason)
        return self.kept(reason)


_MISSING = {
    Needed.PARENTAL_CONSENT: "and the consent of a parent is not on record",
    Needed.OPT_IN: "and has not opted in",
    Needed.NOTHING_HELPS: "and such messages are for older people",
}


def _opted_in(message: CustomerMessage, facts: Facts, now_ms: int) -> bool:
    consent = standing_consent(facts.consents, message.channel, message.purpose, now_ms).consent
    return consent is not None and consent.strength.rank >= ConsentLevel.EXPRESS.rank
