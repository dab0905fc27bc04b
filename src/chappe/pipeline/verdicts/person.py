"""From a person's record to what rules are told about the person, and about where a message to them arrives."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from chappe.compliance.facts.person import AddressSource, Person, Preference
from chappe.compliance.places.locating import Locale, Residence, locate
from chappe.model.customer import Recipient
from chappe.records.profiles import KnownPerson, Profile

NOBODY = Person()
_RESTRICTED = Person(restricted=True)
_SAME_NAME = [
    field
    for field in Person.__struct_fields__
    if field in Profile.__struct_fields__ and field not in ("address_source", "preferences")
]


def whereabouts(to: Recipient, known: KnownPerson | None) -> Locale:
    """The place and zones by which messages to this address are judged."""
    if known is None or known.profile is None:
        return locate(to)
    told = known.profile
    return locate(to, Residence(told.country, told.region, told.postcode, told.zone))


def person_of(known: KnownPerson | None) -> Person:
    """The facts about the person."""
    if known is None:
        return NOBODY
    if known.profile is None:
        return _RESTRICTED if known.restricted else NOBODY
    return _person(known.profile, known.restricted)


@lru_cache(maxsize=4_096)
def _person(told: Profile, restricted: bool) -> Person:
    facts = {name: getattr(told, name) for name in _SAME_NAME}
    return Person(
        **facts,
        address_source=AddressSource(told.address_source) if told.address_source else None,
        preferences=tuple(Preference(**msgspec.structs.asdict(wish)) for wish in told.preferences),
        restricted=restricted,
    )
