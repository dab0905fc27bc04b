"""Whose message it is, and what it comes from."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.compliance.conftest import Build

from chappe.compliance.sender.originator import SenderType, originator, sender_type
from chappe.compliance.sender.profile import Registration, SenderProfile
from chappe.compliance.sender.senders import Senders
from chappe.model.customer import Channel, Purpose

ACME = SenderProfile(name="Acme", email_from="Acme <no-reply@acme.example>", also_from=("acme.example", "ACME"))
OTHER = SenderProfile(name="Other", sms_from="+12025550187")


@pytest.fixture
def senders() -> Senders:
    return Senders({"default": ACME, "other": OTHER})


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        (None, "Acme"),
        ("News <news@mail.acme.example>", "Acme"),
        ("+12025550187", "Other"),
        ("acme", "Acme"),
        ("nobody@else.example", "Acme"),
    ],
)
def test_the_profile_is_found_by_what_the_message_comes_from(
    senders: Senders, message: Build, sender: str | None, name: str
) -> None:
    assert senders.of(message(sender=sender)).name == name


def test_without_profiles_nothing_is_known(message: Build) -> None:
    assert Senders().of(message()) == SenderProfile()


def test_two_profiles_cannot_claim_the_same_sender() -> None:
    with pytest.raises(ValueError, match=r"acme\.example belongs to both default and again"):
        Senders({"default": ACME, "again": SenderProfile(also_from=("Acme.Example",))})


def test_the_providers_of_a_region_handle_what_goes_there(message: Build) -> None:
    acme = SenderProfile(name="Acme", also_from=("acme.example",), provider_regions=("US",))
    senders = Senders({"default": acme}, handled_in={"EU": ("DE",), "US-CA": (), "US": ("CA",)})
    where = {place: senders.of(message(), place).provider_regions for place in ("FR", "US-CA", "US-TX", "BR", None)}
    assert where == {"FR": ("DE",), "US-CA": ("US",), "US-TX": ("CA",), "BR": ("US",), None: ("US",)}
    assert senders.of(message(sender="news@acme.example"), "FR").name == "Acme"


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("ACME", SenderType.ALPHANUMERIC),
        ("36123", SenderType.SHORT_CODE),
        ("+12175550100", SenderType.LONG_CODE),
        ("+1 888 555 0100", SenderType.TOLL_FREE),
        ("+447700900987", SenderType.LONG_CODE),
    ],
)
def test_sorts_of_senders(sender: str, kind: SenderType) -> None:
    assert sender_type(sender) is kind


def registered(**fields: Any) -> SenderProfile:
    entry = {"register": "TDRA", "country": "AE", "id": "AD-ACME", "purposes": (Purpose.PROMOTIONAL,)} | fields
    return SenderProfile(sms_from="ACME", registrations=(Registration(**entry),))


def test_what_is_registered_where_the_recipient_is_comes_first(message: Build) -> None:
    assert originator(message(), registered(), "AE", 0) == "AD-ACME"
    assert originator(message(sender="MINE"), registered(), "AE", 0) == "MINE"
    assert originator(message(), registered(), "SA", 0) == "ACME"
    assert originator(message(purpose=Purpose.TRANSACTIONAL), registered(), "AE", 0) == "ACME"
    assert originator(message(channel=Channel.EMAIL), registered(), "AE", 0) is None
