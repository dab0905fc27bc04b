"""What is known about a recipient when a message is decided: plain values, gathered by the caller.

`locate` and `Locale` are offered here as well, because gathering facts begins with them.
"""

from __future__ import annotations

import msgspec

from chappe.compliance.facts.consents import Consent, ConsentDetails, ConsentLevel
from chappe.compliance.facts.opt_outs import OptOutRequest
from chappe.compliance.facts.person import Person
from chappe.compliance.facts.registries import RegistryAnswer
from chappe.compliance.places.locating import Locale, locate
from chappe.compliance.sender.profile import SenderProfile
from chappe.model.customer import Channel, Purpose
from chappe.model.sends import Rate, RecentSend

__all__ = [
    "Consent",
    "ConsentDetails",
    "ConsentLevel",
    "Facts",
    "Locale",
    "OptOutRequest",
    "Person",
    "Rate",
    "RecentSend",
    "RegistryAnswer",
    "SenderProfile",
    "Suppression",
    "locate",
]


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
    jurisdiction are used, and without a jurisdiction each rule says what it does. `also_in` are further places the
    recipient may be in, one of them, nobody knows which: the rules of all of them bind.

    `suppressions` and `consents` may hold any entries for the address, in any order; the rules pick those
    that match. `recent_sends` are the earlier messages that were let through to this recipient, as far as
    `RuleSet.counting` asks for them, without the message being decided, in any order. `rates` are measurements of how
    messages of the sender fare. `person` and `sender` are what else is known of the two. `unsubscribe_links` says that
    the server can make links by which promotional messages are refused with one click.
    `registries` has an answer for each of `RuleSet.registries`, also from those without data. `opt_outs` are the
    requests to stop that the person has made, for this address or another, however old, in any order.
    """

    jurisdiction: str | None
    zones: tuple[str, ...]
    suppressions: tuple[Suppression, ...] = ()
    consents: tuple[Consent, ...] = ()
    recent_sends: tuple[RecentSend, ...] = ()
    person: Person = Person()
    sender: SenderProfile = SenderProfile()
    unsubscribe_links: bool = False
    registries: tuple[RegistryAnswer, ...] = ()
    opt_outs: tuple[OptOutRequest, ...] = ()
    rates: tuple[Rate, ...] = ()
    also_in: tuple[str, ...] = ()
