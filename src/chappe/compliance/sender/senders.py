"""Which sender profile a message has: the one among whose addresses, numbers and names its `from` is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from chappe.compliance.sender.profile import SenderProfile
from chappe.model.customer import CustomerMessage
from chappe.model.jurisdictions import lineage

DEFAULT = "default"
"""The profile of messages whose `from` is nobody's."""
_BARE = re.compile(r"<([^<>\s]+@[^<>\s]+)>\s*$")


class Senders:
    """The profiles by name. `unsubscribe_links` says that the server can make links. Never changes once built.

    `handled_in` names, by the jurisdictions of regions, the countries in which the providers there handle what they are
    given, in place of what the profiles say; none named leaves it to the profiles.
    """

    def __init__(
        self,
        profiles: Mapping[str, SenderProfile] | None = None,
        *,
        unsubscribe_links: bool = False,
        handled_in: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        """Raises `ValueError` if two profiles claim the same address, number or name."""
        self.unsubscribe_links = unsubscribe_links
        self._in_region = {
            place: Senders({name: _handled_in(profile, countries) for name, profile in (profiles or {}).items()})
            for place, countries in handled_in.items()
        }
        profiles = profiles or {}
        self._default = profiles.get(DEFAULT, SenderProfile())
        self._by_identity: dict[str, SenderProfile] = {}
        owners: dict[str, str] = {}
        for name, profile in profiles.items():
            for identity in dict.fromkeys(map(bare_sender, profile.identities)):
                if identity in owners:
                    raise ValueError(f"{identity} belongs to both {owners[identity]} and {name}")
                owners[identity] = name
                self._by_identity[identity] = profile

    def of(self, message: CustomerMessage, jurisdiction: str | None = None) -> SenderProfile:
        """The profile of whoever sends a message to somebody there."""
        if not self._in_region:
            return self.known_as(message.sender)
        there = next((self._in_region[place] for place in lineage(jurisdiction) if place in self._in_region), self)
        return there.known_as(message.sender)

    def known_as(self, name: str | None) -> SenderProfile:
        """The profile of a sender that is known by an address, a number or a name."""
        if name is None:
            return self._default
        sender = bare_sender(name)
        found = self._by_identity.get(sender)
        domain = sender.rpartition("@")[2] if "@" in sender else ""
        while found is None and domain:
            found = self._by_identity.get(domain)
            domain = domain.partition(".")[2]
        return found or self._default


def _handled_in(profile: SenderProfile, countries: tuple[str, ...]) -> SenderProfile:
    return msgspec.structs.replace(profile, provider_regions=countries) if countries else profile


def bare_sender(sender: str) -> str:
    """An address without the name before it, a number or name as it is, for comparing."""
    found = _BARE.search(sender)
    return (found.group(1) if found else sender.strip()).casefold()


NOBODY = Senders()
"""No profiles at all."""
