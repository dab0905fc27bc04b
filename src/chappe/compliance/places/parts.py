"""Parts of countries: their time zones, and what the beginning of a phone number or postcode says of them.

The tables are `places/*.yaml`. They hold what makes a difference: the parts of countries that have several time zones
or laws of their own. Where a prefix may belong to several parts all of them are named, and where it may lie in several
zones all of those are: what follows is kept to in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated

import msgspec
import yaml

NORTH_AMERICA = ("US", "CA")
_OTHER_PARTS = "other"
_Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,3}-?$")]


class PostalArea(msgspec.Struct, frozen=True):
    """What a postcode says: the parts of the country it may be in (ISO 3166-2 codes without the country), and the
    zones if it tells more than they do. A part that ends in a hyphen is a country of its own.
    """

    part: _Code | tuple[_Code, ...] = ()
    zones: tuple[str, ...] = ()

    def places(self, country: str) -> tuple[str, ...]:
        """The jurisdictions it may be in."""
        parts = (self.part,) if isinstance(self.part, str) else self.part
        return tuple(part[:-1] if part.endswith("-") else f"{country}-{part}" for part in parts)


def zones_of_part(country: str, part: str) -> tuple[str, ...]:
    """The zones of a part of a country; empty if its parts are not told apart."""
    parts = _subdivisions().get(country, {})
    return parts.get(part) or parts.get(_OTHER_PARTS, ())


def parts_of(country: str) -> tuple[str, ...]:
    """The parts of a country (ISO 3166-2 codes without the country), if the tables name every one; else none."""
    parts = _subdivisions().get(country, {})
    return () if _OTHER_PARTS in parts else tuple(parts)


def places_of_area_code(area_code: str) -> tuple[str, ...]:
    """Where numbers of this area code of the United States or Canada belong; empty if it is for neither."""
    return _area_codes().get(area_code, ())


def zone_of_area_code(area_code: str) -> str | None:
    """The one zone of an area code, if it has one and its part of the country has several."""
    return _zones_of_area_codes().get(area_code)


@lru_cache(maxsize=16_384)
def postal_area(country: str, postcode: str) -> PostalArea | None:
    """What a postcode says, by the longest beginning that is known; None if it says nothing."""
    known = _postcodes().get(country)
    if known is None:
        return None
    written = "".join(character for character in postcode.upper() if character.isalnum())
    return next((known[written[:n]] for n in range(len(written), 0, -1) if written[:n] in known), None)


@cache
def _subdivisions() -> dict[str, dict[str, tuple[str, ...]]]:
    return msgspec.convert(_read("subdivisions.yaml"), dict[str, dict[str, tuple[str, ...]]])


@cache
def _area_codes() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    table = _area_code_table()
    for country in NORTH_AMERICA:
        for part, codes in table[country].items():
            for code in codes:
                found[code] = (*found.get(code, ()), f"{country}-{part}")
    return found


@cache
def _zones_of_area_codes() -> dict[str, str]:
    return {code: zone for zone, codes in _area_code_table()["zones"].items() for code in codes}


@cache
def _area_code_table() -> dict[str, dict[str, list[str]]]:
    return msgspec.convert(_read("area_codes.yaml"), dict[str, dict[str, list[str]]])


@cache
def _postcodes() -> dict[str, dict[str, PostalArea]]:
    table = msgspec.convert(_read("postcodes.yaml"), dict[str, dict[str, PostalArea]])
    return {
        country: {prefix: area for span, area in areas.items() for prefix in _prefixes(span)}
        for country, areas in table.items()
    }


def _prefixes(span: str) -> Iterator[str]:
    first, _, last = span.partition("-")
    if not last:
        yield first
        return
    for number in range(int(first), int(last) + 1):
        yield f"{number:0{len(first)}}"


def _read(name: str) -> object:
    # Scalars are read as they are written: 005 is a postcode, and ON a province.
    text = files("chappe.compliance.places").joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, yaml.BaseLoader)  # noqa: S506 (builds text, lists and mappings only)
