"""The tables of places: complete, without contradictions, and in agreement with a numbering plan."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers import timezone

from chappe.compliance.places import parts as places
from chappe.compliance.places.jurisdictions import zones_by_country, zones_of
from chappe.compliance.places.parts import (
    PostalArea,
    places_of_area_code,
    postal_area,
    zone_of_area_code,
    zones_of_part,
)
from chappe.model.jurisdictions import TERRITORIES


def test_every_zone_named_is_one_of_its_country_or_has_its_clock() -> None:
    for country, parts in places._subdivisions().items():
        clocks = {_clock(zone) for zone in zones_by_country()[country]}
        for part, zones in parts.items():
            assert zones, (country, part)
            assert {_clock(zone) for zone in zones} <= clocks, (country, part)


def test_the_parts_of_a_country_have_all_of_its_clocks() -> None:
    for country, parts in places._subdivisions().items():
        named = {_clock(zone) for zones in parts.values() for zone in zones}
        overseas = {"Antarctica/Macquarie", "Asia/Dili"}
        missing = {zone for zone in zones_by_country()[country] if _clock(zone) not in named} - overseas
        # Simferopol keeps the clock of Moscow; whose it is depends on whom one asks.
        assert missing <= {"Europe/Simferopol"}, country


def _clock(zone: str) -> tuple[object, ...]:
    moments = [datetime.datetime(2026, month, 15, tzinfo=datetime.UTC) for month in (1, 4, 7, 10)]
    return tuple(moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in moments)


def test_every_state_and_province_has_area_codes_and_postcodes() -> None:
    for country in places.NORTH_AMERICA:
        parts = {f"{country}-{part}" for part in places._subdivisions()[country]}
        by_number = {place for found in places._area_codes().values() for place in found if place.startswith(country)}
        by_postcode = {
            place for area in places._postcodes()[country].values() for place in area.places(country) if "-" in place
        }
        assert by_number == parts
        assert by_postcode == parts


def test_area_codes_agree_with_the_numbering_plan_on_the_country() -> None:
    for code, found in places._area_codes().items():
        region = phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{code}2345678"))
        assert region in (None, found[0][:2]), code


WRONG_IN_THE_NUMBERING_PLAN = {
    "474",  # all of Saskatchewan, which has no summer time, is said to keep the clock of Winnipeg
    "689",  # an overlay of Orlando is said to be in Central time
    "879",  # Newfoundland is said to be in Puerto Rico as well
}


def test_area_codes_have_every_zone_that_the_numbering_plan_gives_them() -> None:
    for code, found in places._area_codes().items():
        zone = zone_of_area_code(code)
        zones = {zone} if zone else {each for place in found for each in zones_of(place)}
        told = timezone.time_zones_for_number(phonenumbers.parse(f"+1{code}2345678"))
        if len(told) <= 3 and "Etc/Unknown" not in told and code not in WRONG_IN_THE_NUMBERING_PLAN:
            assert {_clock(each) for each in told} <= {_clock(each) for each in zones}, code


def test_no_area_code_of_the_numbering_plan_is_missing() -> None:
    unplaced = {500, 600, 622, 633, 700, 710, 800, 822, 833, 844, 855, 866, 877, 880, 881, 882, 883, 888, 889, 900}
    for code in range(200, 1000):
        number = phonenumbers.parse(f"+1{code}2345678")
        region = phonenumbers.region_code_for_number(number)
        if region in places.NORTH_AMERICA and code not in unplaced and not 521 <= code <= 588:
            assert places_of_area_code(str(code)), code


def test_a_narrowed_area_code_is_in_a_zone_of_its_part() -> None:
    for code, zone in places._zones_of_area_codes().items():
        assert any(zone in zones_of(place) for place in places_of_area_code(code)), code


def test_the_zones_of_postcodes_are_those_of_their_part() -> None:
    for country, areas in places._postcodes().items():
        for prefix, area in areas.items():
            known = {zone for place in area.places(country) or (country,) for zone in zones_of(place)}
            assert set(area.zones) <= known, (country, prefix)


def test_a_part_that_is_a_country_of_its_own_is_a_territory() -> None:
    for country, areas in places._postcodes().items():
        for area in areas.values():
            for place in area.places(country):
                if "-" not in place and place not in ("WF", "PF", "NC"):
                    assert TERRITORIES[place] == country


@pytest.mark.parametrize(
    ("country", "postcode", "area"),
    [
        ("US", "10001", PostalArea("NY")),
        ("US", "06390", PostalArea("NY")),
        ("US", "06391-1234", PostalArea("CT")),
        ("US", "79901", PostalArea("TX", ("America/Denver",))),
        ("US", "09012", None),
        ("CA", "k1a 0b1", PostalArea("ON", ("America/Toronto",))),
        ("CA", "X0A 0H0", PostalArea("NU")),
        ("AU", "2880", PostalArea("NSW", ("Australia/Broken_Hill", "Australia/Sydney"))),
        ("AU", "0800", PostalArea("NT")),
        ("BR", "53990-000", PostalArea("PE", ("America/Noronha",))),
        ("MX", "77500", PostalArea("ROO")),
        ("RU", "236022", PostalArea("KGD")),
        ("ES", "08001", PostalArea("CT")),
        ("PT", "9500-000", PostalArea("20")),
        ("DE", "10115", None),
        ("US", "", None),
    ],
)
def test_postcodes(country: str, postcode: str, area: PostalArea | None) -> None:
    assert postal_area(country, postcode) == area


def test_parts_that_are_not_told_apart() -> None:
    assert zones_of_part("DE", "BY") == ()
    assert zones_of_part("BR", "SP") == ("America/Sao_Paulo",)
    assert zones_of_part("US", "XX") == ()
