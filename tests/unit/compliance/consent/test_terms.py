"""What is held against a grant, term by term: each turns a consent that counts into one that does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.consent.terms import ImpliedBasis, Terms, basis_ends_ms
from chappe.compliance.facts.consents import ConsentBasis
from chappe.compliance.facts.person import AddressSource
from chappe.compliance.facts.recipient import Consent, ConsentDetails, ConsentLevel, Facts, Person
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.sender.profile import SenderProfile
from chappe.model.customer import Channel, Outcome, Purpose

Build = Callable[..., Any]
DAY_MS = 86_400_000
NOW_MS = 20_000 * DAY_MS
GIVEN_MS = NOW_MS - 10 * DAY_MS
SENDER = SenderProfile(name="Shoe Shop")

CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # terms, details of a consent that counts, details of one that does not
    ({"per_seller": True}, {"seller": "shoe shop"}, {"seller": "Other"}),
    ({"transferable": False}, {"origin": "direct"}, {"origin": "affiliate"}),
    ({"forbid": ["purchased_list"]}, {"origin": "affiliate"}, {"origin": "purchased_list"}),
    ({"pre_ticked": False}, {"pre_ticked": False}, {"pre_ticked": True}),
    ({"conditional_on_purchase": False}, {}, {"conditional_on_purchase": True}),
    ({"given_by": ["app"]}, {"given_by": "app"}, {}),
    ({"not_by": ["sms"]}, {}, {"given_by": "sms"}),
    ({"form": "Form 4"}, {"form": "form 4"}, {"form": "Form 5"}),
    ({"notice": True}, {"notice_at_ms": GIVEN_MS}, {"notice_at_ms": GIVEN_MS + 1}),
    ({"notice_languages": ["en", "hi"]}, {"notice_language": "hi-IN"}, {"notice_language": "fr"}),
    (
        {"withdraw_as_easy": True},
        {"given_by": "web", "withdrawable_by": ["web"]},
        {"given_by": "web", "withdrawable_by": ["paper"]},
    ),
    ({"withdrawable_by": ["app"]}, {"withdrawable_by": ["app"]}, {"withdrawable_by": []}),
    ({"record": ["signature"]}, {"signature": "A. B."}, {}),
    ({"record": ["ip", "text"]}, {"ip": "192.0.2.1", "wording": "yes"}, {"ip": "192.0.2.1"}),
    ({"record": ["confirm_timestamp"]}, {"confirmed_at_ms": NOW_MS}, {"confirmed_at_ms": NOW_MS + 1}),
    ({"record": ["proof"]}, {"wording": "yes"}, {}),
    ({"express_for": "10d"}, {"reconfirmed_at_ms": NOW_MS}, {}),
    ({"reconfirm_every": "10d"}, {"reconfirmed_at_ms": GIVEN_MS + 1}, {"reconfirmed_at_ms": GIVEN_MS}),
]


def decided(rule: Build, message: Build, terms: dict[str, Any], consent: Consent, **facts: Any) -> Outcome:
    rules = RuleSet([rule("consent_required", {"level": "express"} | terms)])
    known = Facts("US", (), consents=(consent,), sender=SENDER, **facts)
    return rules.decide(message(), known, NOW_MS).outcome


def grant(details: dict[str, Any], **fields: Any) -> Consent:
    return Consent(
        Channel.SMS,
        Purpose.PROMOTIONAL,
        True,
        GIVEN_MS,
        details=msgspec.convert(details, ConsentDetails),
        **({"level": ConsentLevel.EXPRESS} | fields),
    )


@pytest.mark.parametrize(("terms", "counts", "does_not"), CASES, ids=lambda value: str(value)[:40])
def test_each_term_tells_a_good_grant_from_a_bad_one(
    rule: Build, message: Build, terms: dict[str, Any], counts: dict[str, Any], does_not: dict[str, Any]
) -> None:
    assert decided(rule, message, terms, grant(counts)) is Outcome.ALLOW
    assert decided(rule, message, terms, grant(does_not)) is Outcome.BLOCK
    assert decided(rule, message, {}, grant(does_not)) is Outcome.ALLOW, "without the term it counts"


def test_every_term_has_a_case() -> None:
    told = {name for terms, _, _ in CASES for name in terms} | {"level", "implied", "per_channel"}
    assert told == {field.name for field in msgspec.structs.fields(Terms)}


def test_a_consent_ends_at_the_moment(rule: Build, message: Build) -> None:
    implied = {"level": "implied", "implied": [{"basis": "inquiry", "within": "10d"}]}
    consent = grant({"basis": "inquiry"}, level=ConsentLevel.IMPLIED)
    rules = RuleSet([rule("consent_required", implied)])
    facts = Facts("US", (), consents=(consent,))
    assert rules.decide(message(), facts, NOW_MS - 1).outcome is Outcome.ALLOW
    assert rules.decide(message(), facts, NOW_MS).outcome is Outcome.BLOCK


def test_a_later_purchase_prolongs_an_implied_consent(rule: Build, message: Build) -> None:
    terms = {"level": "implied", "implied": [{"basis": "purchase", "within": "10d"}]}
    consent = grant({"basis": "purchase"}, level=ConsentLevel.IMPLIED)
    withdrawn = Consent(Channel.SMS, Purpose.PROMOTIONAL, False, NOW_MS - 1)
    assert decided(rule, message, terms, consent) is Outcome.BLOCK
    bought = Person(last_purchase_ms=NOW_MS - DAY_MS)
    assert decided(rule, message, terms, consent, person=bought) is Outcome.ALLOW
    assert decided(rule, message, terms, withdrawn, person=bought) is Outcome.BLOCK, "a withdrawal beats a purchase"
    in_future = Person(last_purchase_ms=NOW_MS + 1)
    assert decided(rule, message, terms, consent, person=in_future) is Outcome.BLOCK


def test_an_implied_consent_of_unknown_basis_has_the_shortest_time(rule: Build, message: Build) -> None:
    terms = {
        "level": "implied",
        "implied": [{"basis": "purchase", "within": "2y"}, {"basis": "inquiry", "within": "10d"}],
    }
    assert decided(rule, message, terms, grant({}, level=ConsentLevel.IMPLIED)) is Outcome.BLOCK
    assert decided(rule, message, terms, grant({"basis": "purchase"}, level=ConsentLevel.IMPLIED)) is Outcome.ALLOW
    assert decided(rule, message, terms, grant({"basis": "notice"}, level=ConsentLevel.IMPLIED)) is Outcome.BLOCK


@pytest.mark.parametrize(
    ("basis", "person", "holds"),
    [
        ("purchase", Person(last_purchase_ms=GIVEN_MS), True),
        ("inquiry", Person(last_inquiry_ms=GIVEN_MS), True),
        ("inquiry", Person(last_purchase_ms=GIVEN_MS), False),
        ("contract", Person(has_contract=True), True),
        ("contract", Person(has_contract=False), False),
        ("relationship", Person(customer_since_ms=1), True),
        ("gave_address", Person(address_source=AddressSource.HANDED_OVER), True),
        ("gave_address", Person(address_source=AddressSource.THIRD_PARTY), False),
        ("published_address", Person(address_source=AddressSource.PUBLISHED), True),
        ("legitimate_interest", Person(last_purchase_ms=GIVEN_MS), False),
        ("notice", Person(), False),
    ],
)
def test_what_is_known_of_a_person_may_be_a_basis(basis: str, person: Person, holds: bool) -> None:
    entry = ImpliedBasis(basis=ConsentBasis(basis))
    assert (basis_ends_ms(entry, person, NOW_MS) is not None) == holds
