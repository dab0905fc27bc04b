"""Jurisdictions that a text names: countries by their names in ISO 3166-1 (`iso3166.tab` of tzdata), some aliases, and
the states and provinces of federations that make such rules.

A subdivision stands for more than its country does, so that where both are named the subdivision is meant. The longest
name is taken where one contains another: New Mexico is not Mexico.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml

_QUALIFIED = re.compile(r"^(?P<name>[^(]+?) \((?P<rest>[^)]*)\)$")


def places_in(text: str) -> tuple[str, ...]:
    """The jurisdictions named, in the order of their first mention; no country beside a subdivision of its own."""
    found = tuple(dict.fromkeys(_names()[match.group()] for match in _pattern().finditer(text)))
    countries = {place.partition("-")[0] for place in found if "-" in place}
    return tuple(place for place in found if place not in countries)


def is_ambiguous(name: str) -> bool:
    """Whether a jurisdiction shares its name with another one."""
    return name in ("US-GA", "US-WA")


@cache
def _pattern() -> re.Pattern[str]:
    names = sorted(_names(), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])(?!,? D\.?C\b)")


@cache
def _names() -> dict[str, str]:
    """Each name as it stands in texts, in capitals as well where that is not another word."""
    found: dict[str, str] = {}
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            code, _, name = line.partition("\t")
            qualified = _QUALIFIED.match(name)
            found[qualified["name"] if qualified else name.replace("&", "and")] = code
    listed = yaml.safe_load(files(__package__).joinpath("places.yaml").read_text(encoding="utf-8"))
    found |= listed["aliases"]
    for country, subdivisions in listed["subdivisions"].items():
        found |= {name: f"{country}-{code}" for name, code in subdivisions.items()}
    return found | {name.upper(): code for name, code in found.items() if len(name) > 3}
