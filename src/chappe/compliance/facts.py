"""What is known about a recipient when a message is decided: plain values, gathered by the caller.

`locate` and `Locale` are offered here as well, because gathering facts begins with them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chappe.compliance.facts_registry import RegistryAnswer
from chappe.compliance.locating import Locale, locate
from chappe.compliance.person import Person
from chappe.compliance.sender import SenderProfile
from chappe.model.customer import Channel, Purpose

__all__ = ["Consent", "ConsentLevel", "Facts", "Locale", "Person", "SenderProfile", "Suppression", "locate"]


class ConsentLevel(StrEnum):
    """How strong a consent is. Each level satisfies every rule that asks for a weaker one."""

    IMPLIED = "implied"
    """Inferred from a relationship: a purchase, a contract, an inquiry."""
    EXPRESS = "express"
    """The person said yes to this, by an act of their own."""
    DOUBLE_OPT_IN = "double_opt_in"
    """Express, and confirmed from the address itself."""
    WRITTEN = "written"
    """Express, in an agreement that was kept (an electronic form counts), as 47 CFR 64.1200(f)(9) asks."""

    @property
    def rank(self) -> int:
        """0 for the weakest level."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(ConsentLevel)}


class Consent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a person's append-only consent record: granted, or withdrawn.

    `channel` None means every channel. `proof` is what was kept of the agreement (the form as shown, a signed
    text); `source` is where it was given. Without an explicit `level` a grant counts as express, whatever its proof:
    that an agreement meets the form which a law asks for must be said by someone who knows.
    """

    channel: Channel | None
    purpose: Purpose
    granted: bool
    recorded_at_ms: int
    expires_at_ms: int | None = None
    level: ConsentLevel | None = None
    proof: str | None = None
    source: str | None = None

    @property
    def strength(self) -> ConsentLevel:
        """The level, stated or by default."""
        return ConsentLevel.EXPRESS if self.level is None else self.level


class Suppression(msgspec.Struct, frozen=True, omit_defaults=True):
    """Never send to this address; `channel` or `purpose` None means every one."""

    address: str
    channel: Channel | None
    purpose: Purpose | None
    reason: str
    created_at_ms: int


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything the rules may ask about the recipient of one message.

    `jurisdiction` is an ISO 3166 code ("US", "US-FL"), "EU", or None when unknown. `zones` are the IANA time
    zones the recipient may be in: a window must be open in all of them. Empty means unknown: the zones of the
    jurisdiction are used, and without a jurisdiction each rule says what it does.

    `suppressions` and `consents` may hold any entries for the address, in any order; the rules pick those
    that match. `recent_sends_at_ms` are the moments of earlier promotional messages that were allowed to this
    recipient on this channel, oldest first, going back at least `RuleSet.longest_cap_window_ms`, without the
    message being decided. `person` and `sender` are what else is known of the two.
    `registries` has an answer for each of `RuleSet.registries`, also from those without data.
    """

    jurisdiction: str | None
    zones: tuple[str, ...]
    suppressions: tuple[Suppression, ...] = ()
    consents: tuple[Consent, ...] = ()
    recent_sends_at_ms: tuple[int, ...] = ()
    person: Person = Person()
    sender: SenderProfile = SenderProfile()
    registries: tuple[RegistryAnswer, ...] = ()
