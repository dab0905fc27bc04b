"""Where a recipient may be: by what is known of the person, the postcode, the number or the mail domain, in this order.

A phone number tells by its prefix (the numbering plans of the phonenumbers library, the area codes of North America),
a mail address by the country code its domain ends in. Both are proxies: people move and keep their numbers. A number
of Florida binds to the law of Florida whoever answers it, which is more than that law asks, and a person who moved to
Texas with it is protected by Texan law only once the profile or the postcode says so. Where a prefix spans several
places the rules of all of them bind, and where it spans several zones a window is kept in each.
"""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

import msgspec
import phonenumbers
from phonenumbers import timezone

from chappe.compliance.places.jurisdictions import jurisdiction_of_domain, place_of, zones_of
from chappe.compliance.places.parts import NORTH_AMERICA, places_of_area_code, postal_area, zone_of_area_code
from chappe.model.customer import Recipient

_WORLDWIDE_REGION = "001"
"""How phonenumbers calls satellite and other numbers that belong to no country."""
_AREA_CODE_DIGITS = 3


class Locale(msgspec.Struct, frozen=True):
    """`jurisdiction` as in `Facts`; `zones` are all possible ones, empty when nothing is known.

    `also_in` are parts of the jurisdiction of which the recipient is in one, it is not known in which.
    """

    jurisdiction: str | None
    zones: tuple[str, ...]
    also_in: tuple[str, ...] = ()


NOWHERE = Locale(None, ())


class Residence(msgspec.Struct, frozen=True):
    """Where a person lives, as far as that has been said.

    `country` is ISO 3166-1, `region` the rest of an ISO 3166-2 code, `zone` an IANA time zone.
    """

    country: str | None = None
    region: str | None = None
    postcode: str | None = None
    zone: str | None = None


UNSAID = Residence()


def locate(to: Recipient, residence: Residence = UNSAID) -> Locale:
    """Where this recipient may be. A URL or an application's own user id says nothing: `NOWHERE`.

    A country without anything closer leaves what the address tells of the same country: to say "US" of a New Yorker
    must not have them written to by the clock of Hawaii. A postcode counts in the country that is stated, or else in
    that of the address.
    """
    by_address = _by_address(to)
    if residence == UNSAID:
        return by_address
    own_country = None if by_address.jurisdiction is None else by_address.jurisdiction.partition("-")[0]
    country = residence.country or own_country
    found = by_address if country == own_country else _anywhere_in((country,)) if country else NOWHERE
    if country is not None and residence.postcode is not None:
        found = _by_postcode(country, residence.postcode) or found
    if country is not None and residence.region is not None:
        stated = place_of(country, residence.region)
        # A postcode of the same part tells its zones more closely.
        found = found if found.jurisdiction == stated else _anywhere_in((stated,))
    return msgspec.structs.replace(found, zones=(residence.zone,)) if residence.zone else found


def _by_address(to: Recipient) -> Locale:
    if to.phone:
        return _locate_phone(to.phone)
    if to.email:
        return _locate_label(to.email.rpartition(".")[2])
    return NOWHERE


@lru_cache(maxsize=16_384)
def _locate_phone(phone: str) -> Locale:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return NOWHERE
    # A number outside the known ranges (new, or reserved for examples) still has the country of its calling
    # code.
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
    if region in (_WORLDWIDE_REGION, "ZZ"):
        return NOWHERE
    area_code = str(number.national_number)[:_AREA_CODE_DIGITS] if region in NORTH_AMERICA else ""
    places = places_of_area_code(area_code)
    if places:
        # The library knows the zone of the exchange that a number was first issued at; a mobile one may be anywhere in
        # its area.
        zone = zone_of_area_code(area_code)
        return _anywhere_in(places, (zone,) if zone else ())
    return Locale(region, _zones_of_number(number) or zones_of(region))


def _by_postcode(country: str, postcode: str) -> Locale | None:
    area = postal_area(country, postcode)
    if area is None:
        return None
    return _anywhere_in(area.places(country) or (country,), area.zones)


def _anywhere_in(places: tuple[str, ...], zones: tuple[str, ...] = ()) -> Locale:
    """In one of these places, and in one of the zones if they are known more closely."""
    if len(places) == 1:
        return Locale(places[0], zones or zones_of(places[0]))
    every_zone = dict.fromkeys(zone for place in places for zone in zones_of(place))
    return Locale(places[0].partition("-")[0], zones or tuple(every_zone), places)


def _zones_of_number(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    zones = _known(tuple(timezone.time_zones_for_number(number)))
    return zones or _known(tuple(timezone.time_zones_for_geographical_number(number)))


@lru_cache(maxsize=4_096)
def _known(zones: tuple[str, ...]) -> tuple[str, ...]:
    """Only what the time zone database knows (phonenumbers says "Etc/Unknown" for the rest); equal tuples
    shared.
    """
    return tuple(zone for zone in zones if zone in _zone_names())


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=4_096)
def _locate_label(label: str) -> Locale:
    jurisdiction = jurisdiction_of_domain(label)
    return NOWHERE if jurisdiction is None else Locale(jurisdiction, zones_of(jurisdiction))
