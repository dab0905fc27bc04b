"""Where a recipient may be: told by a profile, a postcode, a number or a mail address."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import timezone

from chappe.compliance.facts.recipient import Locale, locate
from chappe.compliance.places.jurisdictions import jurisdiction_of_domain, place_of, zones_of
from chappe.compliance.places.locating import Residence
from chappe.model.customer import Recipient
from chappe.model.jurisdictions import lineage

NEW_YORKER = Recipient(phone="+12125550123")


@pytest.mark.parametrize(
    ("phone", "jurisdiction", "zones"),
    [
        ("+12125550123", "US-NY", ("America/New_York",)),
        ("+13055550123", "US-FL", ("America/New_York",)),
        ("+19155550123", "US-TX", ("America/Denver",)),
        ("+16135550123", "CA-ON", ("America/Toronto",)),
        ("+17875550123", "PR", ("America/Puerto_Rico",)),
        ("+4915112345678", "DE", ("Europe/Berlin",)),
        ("+5511987654321", "BR", ("America/Sao_Paulo",)),
    ],
)
def test_a_phone_prefix_tells_place_and_zone(phone: str, jurisdiction: str, zones: tuple[str, ...]) -> None:
    assert locate(Recipient(phone=phone)) == Locale(jurisdiction, zones)


def test_an_area_code_that_spans_zones_gives_all_of_them() -> None:
    panhandle = locate(Recipient(phone="+18505550123"))
    assert panhandle == Locale("US-FL", ("America/New_York", "America/Chicago"))


def test_an_area_code_that_spans_provinces_gives_all_of_them() -> None:
    maritime = locate(Recipient(phone="+19025550123"))
    assert (maritime.jurisdiction, maritime.also_in) == ("CA", ("CA-NS", "CA-PE"))
    north = locate(Recipient(phone="+18675550123"))
    assert north.also_in == ("CA-NT", "CA-NU", "CA-YT")
    assert {"America/Iqaluit", "America/Whitehorse", "America/Edmonton"} <= set(north.zones)


def test_an_area_code_that_the_numbering_library_does_not_know_yet_is_known() -> None:
    assert locate(Recipient(phone="+16215550123")) == Locale("US-TX", ("America/Chicago",))


def test_a_number_that_is_for_no_place_has_its_country() -> None:
    assert locate(Recipient(phone="+18005551234")).jurisdiction == "US"


def test_a_prefix_that_spans_zones_gives_all_of_them() -> None:
    mobile = locate(Recipient(phone="+61412345678"))
    assert mobile.jurisdiction == "AU"
    assert {"Australia/Perth", "Australia/Sydney"} <= set(mobile.zones)


def test_a_number_reserved_for_examples_still_has_the_country_of_its_calling_code() -> None:
    ofcom_drama_number = locate(Recipient(phone="+447700900123"))
    assert ofcom_drama_number.jurisdiction == "GB"
    assert "Europe/London" in ofcom_drama_number.zones


@pytest.mark.parametrize("phone", ["+8835100123", "+999123456789", "not a number", "+"])
def test_a_number_of_no_country_is_nowhere(phone: str) -> None:
    assert locate(Recipient(phone=phone)) == Locale(None, ())


@pytest.mark.parametrize(
    ("email", "jurisdiction", "zone"),
    [
        ("ada@example.de", "DE", "Europe/Berlin"),
        ("ada@example.co.uk", "GB", "Europe/London"),
        ("ada@example.eu", "EU", "Europe/Lisbon"),
        ("ada@example.us", "US", "Pacific/Honolulu"),
        ("ada@agency.gov", "US", "America/New_York"),
        ("ada@example.IN", "IN", "Asia/Kolkata"),
    ],
)
def test_a_mail_domain_tells_its_country(email: str, jurisdiction: str, zone: str) -> None:
    found = locate(Recipient(email=email))
    assert found.jurisdiction == jurisdiction
    assert zone in found.zones


@pytest.mark.parametrize("email", ["ada@example.com", "ada@example.io", "ada@example.ai", "ada@localhost", "ada"])
def test_a_generic_or_branded_domain_tells_nothing(email: str) -> None:
    assert locate(Recipient(email=email)) == Locale(None, ())


@pytest.mark.parametrize("to", [Recipient(url="https://hooks.example.de/"), Recipient(user="user-1"), Recipient()])
def test_urls_and_user_ids_tell_nothing(to: Recipient) -> None:
    assert locate(to) == Locale(None, ())


@pytest.mark.parametrize(
    ("residence", "found"),
    [
        # What is stated outright goes before everything else.
        (Residence("DE"), Locale("DE", ("Europe/Berlin", "Europe/Busingen"))),
        (Residence("US", "TX"), Locale("US-TX", ("America/Chicago", "America/Denver"))),
        (Residence("US", "TX", "33101"), Locale("US-TX", ("America/Chicago", "America/Denver"))),
        (Residence("DE", zone="Asia/Tokyo"), Locale("DE", ("Asia/Tokyo",))),
        # A postcode goes before the number, and tells the zones of a part more closely.
        (Residence("US", postcode="32501"), Locale("US-FL", ("America/Chicago",))),
        (Residence("US", "TX", "79901"), Locale("US-TX", ("America/Denver",))),
        (Residence(postcode="94110"), Locale("US-CA", ("America/Los_Angeles",))),
        (Residence("AU", postcode="2898"), Locale("AU-NSW", ("Australia/Lord_Howe",))),
        (Residence("ID", postcode="80361"), Locale("ID", ("Asia/Makassar",))),
        # A country that the number is of as well leaves what the number tells.
        (Residence("US"), Locale("US-NY", ("America/New_York",))),
        (Residence(zone="America/Denver"), Locale("US-NY", ("America/Denver",))),
        (Residence("US", postcode="no such code"), Locale("US-NY", ("America/New_York",))),
        # A territory has a code of its own, however it is told.
        (Residence("US", "PR"), Locale("PR", ("America/Puerto_Rico",))),
        (Residence("US", postcode="00901-1234"), Locale("PR", ("America/Puerto_Rico",))),
        (Residence("FR", postcode="97400"), Locale("RE", ("Indian/Reunion",))),
    ],
)
def test_profile_then_postcode_then_number(residence: Residence, found: Locale) -> None:
    assert locate(NEW_YORKER, residence) == found


def test_a_postcode_without_a_country_counts_in_that_of_the_address() -> None:
    assert locate(Recipient(email="ada@example.es"), Residence(postcode="35001")).jurisdiction == "ES-CN"
    assert locate(Recipient(email="ada@example.com"), Residence(postcode="35001")) == Locale(None, ())


def test_a_postcode_that_spans_places_gives_all_of_them() -> None:
    found = locate(NEW_YORKER, Residence("CA", postcode="X9X 9X9"))
    assert (found.jurisdiction, found.also_in) == ("CA", ("CA-NT", "CA-NU"))


def test_a_zone_alone_is_known_even_where_the_country_is_not() -> None:
    found = locate(Recipient(email="ada@example.com"), Residence(zone="Asia/Kolkata"))
    assert found == Locale(None, ("Asia/Kolkata",))


TEXTS = st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["US", "CA", "BR", "12345", "K1A 0B1", "TX"]))


@settings(max_examples=200, deadline=None)
@given(country=st.sampled_from([None, "US", "CA", "BR", "MX", "XX"]), region=TEXTS, postcode=TEXTS)
def test_whatever_is_stated_the_zones_exist(country: str | None, region: str | None, postcode: str | None) -> None:
    found = locate(NEW_YORKER, Residence(country, region, postcode))
    for zone in found.zones:
        ZoneInfo(zone)
    if country is not None:
        assert found.jurisdiction is not None


def test_every_zone_of_every_country_exists() -> None:
    for country in ("US", "DE", "EU", "IN", "AU", "BR", "RU"):
        zones = zones_of(country)
        assert zones
        for zone in zones:
            ZoneInfo(zone)


def test_no_phone_prefix_gives_an_unknown_zone() -> None:
    assert timezone.UNKNOWN_TIMEZONE == "Etc/Unknown"
    for phone in ("+447700900123", "+18005551234", "+79161234567", "+870776000000"):
        assert "Etc/Unknown" not in locate(Recipient(phone=phone)).zones


@pytest.mark.parametrize(
    ("jurisdiction", "chain"),
    [
        (None, ("*",)),
        ("US", ("US", "*")),
        ("US-FL", ("US-FL", "US", "*")),
        ("DE", ("DE", "EU", "*")),
        ("NO", ("NO", "EU", "*")),
        ("GB", ("GB", "*")),
        ("EU", ("EU", "*")),
        ("PR", ("PR", "US", "*")),
        ("RE", ("RE", "FR", "EU", "*")),
        ("PM", ("PM", "FR", "*")),
        ("AX", ("AX", "FI", "EU", "*")),
    ],
)
def test_jurisdictions_nest(jurisdiction: str | None, chain: tuple[str, ...]) -> None:
    assert lineage(jurisdiction) == chain


def test_a_subdivision_has_zones_of_its_own() -> None:
    assert zones_of("US-FL") == ("America/New_York", "America/Chicago")
    assert zones_of("BR-SP") == ("America/Sao_Paulo",)
    assert zones_of("DE-BY") == zones_of("DE")
    assert zones_of("XX") == ()
    assert zones_of(None) == ()


def test_a_territory_told_as_a_part_is_a_place_of_its_own() -> None:
    assert place_of("US", "PR") == "PR"
    assert place_of("US", "TX") == "US-TX"
    assert place_of("CA", "YT") == "CA-YT"
    assert place_of("US", None) == "US"


def test_a_domain_without_a_label_is_nowhere() -> None:
    assert jurisdiction_of_domain("") is None
