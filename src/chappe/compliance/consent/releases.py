"""The cases in which a rule about hours or registries leaves a message alone: consents, relationships, contracts.

A `Release` is a set of conditions that must all hold; a rule lists those of which any one will do. What laws call an
established business relationship of n months is `purchase_within`; an inquiry counts for the time of `inquiry_within`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chappe.compliance.calendar.periods import Period, end_of, in_words
from chappe.compliance.consent.grants import day_of, standing_consent
from chappe.compliance.content.way_out import way_out
from chappe.compliance.facts.consents import Consent, ConsentLevel
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.facts.registries import RegistryKind, registry_id
from chappe.model.customer import CustomerMessage


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """All that is given must hold.

    `consent` is the weakest that will do; of it, `with_proof` asks that a proof was kept, `after_listing` that it was
    given after the address was put on the register, and `naming_hours` that it names hours (which are then the ones
    that are open). `purchase_within` and `inquiry_within` bound the time since the last of each; `customer` and
    `running_contract` ask for a relationship, and `with_way_out` that the message itself shows how to refuse more.
    `registered_in` is a register of consents that lists the address.
    """

    consent: ConsentLevel | None = None
    with_proof: bool = False
    after_listing: bool = False
    naming_hours: bool = False
    purchase_within: Period | None = None
    inquiry_within: Period | None = None
    customer: bool = False
    running_contract: bool = False
    with_way_out: bool = False
    registered_in: str | None = None

    def __post_init__(self) -> None:
        if (self.with_proof or self.after_listing or self.naming_hours) and self.consent is None:
            raise ValueError("consent: say which, since something is asked of it")
        if not any((self.consent, self.purchase_within, self.inquiry_within, self.customer)) and not (
            self.running_contract or self.registered_in
        ):
            raise ValueError("name at least one condition: consent, purchase_within, customer and so on")

    def why(self, message: CustomerMessage, facts: Facts, now_ms: int, listed_at_ms: int | None = None) -> str:
        """Why the message is released, or an empty text if it is not. `listed_at_ms` is for `after_listing`."""
        reasons = []
        if self.consent is not None:
            consent = self.agreed(message, facts, now_ms, listed_at_ms)
            if consent is None:
                return ""
            reasons.append(f"the recipient agreed on {day_of(consent.recorded_at_ms)}")
        person = facts.person
        for period, at_ms, what in (
            (self.purchase_within, person.last_purchase_ms, "purchase"),
            (self.inquiry_within, person.last_inquiry_ms, "inquiry"),
        ):
            if period is not None:
                if at_ms is None or not at_ms <= now_ms < end_of(at_ms, period):
                    return ""
                reasons.append(f"the last {what} was on {day_of(at_ms)}, within {in_words(period)}")
        if self.customer:
            if not (person.has_contract or person.customer_since_ms is not None or person.last_purchase_ms is not None):
                return ""
            reasons.append("the recipient is a customer")
        if self.running_contract:
            if not person.has_contract:
                return ""
            reasons.append("the recipient has a running contract")
        if self.with_way_out:
            out = way_out(message, facts)
            if out.lacks or out.amendments:
                return ""
        if self.registered_in is not None:
            if not self._is_registered(facts):
                return ""
            reasons.append(f"the consent is registered in {self.registered_in}")
        return " and ".join(reasons)

    def agreed(
        self, message: CustomerMessage, facts: Facts, now_ms: int, listed_at_ms: int | None = None
    ) -> Consent | None:
        """The strongest consent that meets what is asked of it."""
        wanted = self.consent
        assert wanted is not None

        def objection(consent: Consent) -> str:
            if consent.strength.rank < wanted.rank:
                return "it is not strong enough"
            if self.with_proof and not consent.proof:
                return "no proof was kept of it"
            if self.after_listing and (listed_at_ms is None or consent.recorded_at_ms <= listed_at_ms):
                return "it was not given after the listing"
            if self.naming_hours and not consent.details.hours:
                return "it names no hours"
            return ""

        return standing_consent(facts.consents, message.channel, message.purpose, now_ms, objection=objection).consent

    def _is_registered(self, facts: Facts) -> bool:
        name = registry_id(self.registered_in or "")
        return any(a.registry == name and a.listed and a.kind is RegistryKind.POSITIVE for a in facts.registries)


def registries_of(releases: Sequence[Release]) -> tuple[str, ...]:
    """The registries that are asked, by `registry_id`."""
    return tuple(registry_id(release.registered_in) for release in releases if release.registered_in)


def why_released(
    releases: Sequence[Release], message: CustomerMessage, facts: Facts, now_ms: int, listed_at_ms: int | None = None
) -> str:
    """Why the first of them that holds does, or an empty text."""
    for release in releases:
        why = release.why(message, facts, now_ms, listed_at_ms)
        if why:
            return why
    return ""
