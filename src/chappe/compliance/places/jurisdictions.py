"""The codes of jurisdictions (see `model.jurisdictions`), and the time zones and mail domains of each country.

Zones per country come from the time zone database itself (`zone.tab` in the tzdata package).
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from chappe.compliance.places.parts import parts_of, zones_of_part
from chappe.model.jurisdictions import EU_LAW_COUNTRIES, EUROPEAN_UNION, TERRITORIES, WORLD

_COUNTRY_OF_TLD = {"uk": "GB", "eu": EUROPEAN_UNION, "gov": "US", "mil": "US", "edu": "US"}
_TLDS_SOLD_WORLDWIDE = frozenset(
    {"ac", "ad", "ai", "as", "bz", "cc", "cd", "co", "cx", "dj", "fm", "gg", "gs", "im", "io", "la", "ly"}
    | {"me", "ms", "nu", "pw", "sc", "sh", "st", "tk", "to", "tv", "vc", "ws"}
)
"""Country codes that are sold as brands, so that they say nothing of where the recipient is."""

_USERS_OWN = re.compile(r"AA|Q[M-Z]|X[A-Z]|ZZ")
"""Codes that ISO 3166-1 leaves to its users; Kosovo goes by one of them."""
_MISTAKEN = {"UK": "the United Kingdom is GB", "EL": "Greece is GR"}


def fault_of(jurisdiction: str) -> str | None:
    """Why a code of the right form stands for no jurisdiction; None if it does.

    No rule binds at a place that there isn't, so that a slip in a code would pass for a place without laws.
    """
    country, _, part = jurisdiction.partition("-")
    if country not in _countries() and country not in (WORLD, EUROPEAN_UNION) and not _USERS_OWN.fullmatch(country):
        hint = _MISTAKEN.get(country)
        return f"{country} is no country of ISO 3166-1" + (f"; {hint}" if hint else "")
    parts = parts_of(country)
    if part and parts and part not in parts and TERRITORIES.get(part) != country:
        return f"{part} is no part of {country}; there are: {', '.join(parts)}"
    return None


@cache
def _countries() -> frozenset[str]:
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in table.splitlines() if line and not line.startswith("#"))


def place_of(country: str, part: str | None) -> str:
    """The jurisdiction of a part of a country. A territory that is told as a part (US and PR) has a code of its own."""
    if part is None:
        return country
    return part if TERRITORIES.get(part) == country else f"{country}-{part}"


@cache
def zones_by_country() -> dict[str, tuple[str, ...]]:
    """The IANA zones in use in each country, by ISO 3166-1 code."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    zones: dict[str, list[str]] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            zones.setdefault(country, []).append(zone)
    return {country: tuple(names) for country, names in zones.items()}


@cache
def european_zones() -> tuple[str, ...]:
    """Every zone of the countries under EU law."""
    return tuple(zone for country in sorted(EU_LAW_COUNTRIES) for zone in zones_by_country()[country])


def zones_of(jurisdiction: str | None) -> tuple[str, ...]:
    """Every zone a person in this jurisdiction may be in; empty where that is unknown."""
    if jurisdiction is None:
        return ()
    if jurisdiction == EUROPEAN_UNION:
        return european_zones()
    country, _, part = jurisdiction.partition("-")
    zones = zones_of_part(country, part) if part else ()
    return zones or zones_by_country().get(country, ())


def jurisdiction_of_domain(domain: str) -> str | None:
    """The jurisdiction a mail domain points to by its last label, or None: generic names, brands and unknown
    labels.
    """
    label = domain.rpartition(".")[2].lower()
    if label in _TLDS_SOLD_WORLDWIDE:
        return None
    known = _COUNTRY_OF_TLD.get(label)
    if known is not None:
        return known
    country = label.upper()
    return country if country in zones_by_country() else None
