"""Where a recipient may be, as far as the address itself tells.

A phone number tells by its prefix (the numbering plans of the phonenumbers library), a mail address by the
country code its domain ends in. Both are proxies: people move and keep their numbers. Where a prefix spans
several zones all of them are given, so that a window is kept in each.
"""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

import msgspec
import phonenumbers
from phonenumbers import timezone

from chappe.compliance.jurisdictions import jurisdiction_of_domain, zones_of
from chappe.model.customer import Recipient

_WORLDWIDE_REGION = "001"
"""How phonenumbers calls satellite and other numbers that belong to no country."""


class Locale(msgspec.Struct, frozen=True):
    """`jurisdiction` as in `Facts`; `zones` are all possible ones, empty when nothing is known."""

    jurisdiction: str | None
    zones: tuple[str, ...]


NOWHERE = Locale(None, ())


def locate(to: Recipient) -> Locale:
    """Where this recipient may be. A URL or an application's own user id says nothing: `NOWHERE`."""
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
    return Locale(region, _zones_of_number(number) or zones_of(region))


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
