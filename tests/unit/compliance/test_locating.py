"""Where a recipient may be, told by their address."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from phonenumbers import timezone

from chappe.compliance.facts import Locale, locate
from chappe.compliance.jurisdictions import jurisdiction_of_domain, lineage, zones_of
from chappe.model.customer import Recipient


@pytest.mark.parametrize(
    ("phone", "jurisdiction", "zones"),
    [
        ("+12125550123", "US", ("America/New_York",)),
        ("+16135550123", "CA", ("America/Toronto",)),
        ("+4915112345678", "DE", ("Europe/Berlin",)),
        ("+5511987654321", "BR", ("America/Sao_Paulo",)),
    ],
)
def test_a_phone_prefix_tells_country_and_zone(phone: str, jurisdiction: str, zones: tuple[str, ...]) -> None:
    assert locate(Recipient(phone=phone)) == Locale(jurisdiction, zones)


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
    ],
)
def test_jurisdictions_nest(jurisdiction: str | None, chain: tuple[str, ...]) -> None:
    assert lineage(jurisdiction) == chain


def test_a_subdivision_has_the_zones_of_its_country() -> None:
    assert zones_of("US-FL") == zones_of("US")
    assert zones_of("XX") == ()
    assert zones_of(None) == ()


def test_a_domain_without_a_label_is_nowhere() -> None:
    assert jurisdiction_of_domain("") is None
