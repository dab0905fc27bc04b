"""Grounds besides consent: the customer exception, condition by condition, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.facts.person import AddressSource
from chappe.compliance.facts.recipient import Consent, Facts, Person
from chappe.compliance.facts.registries import Listing, RegistryAnswer, RegistryKind
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.sender.profile import MeansKind, OptOutMeans, SenderProfile
from chappe.model.customer import Amendment, Channel, Content, Decision, Outcome, Place, Purpose

Build = Callable[..., Any]
NOW_MS = 20_000 * 86_400_000
ALL = ["address_from_sale", "own_similar_products", "opt_out_at_collection", "opt_out_in_each_message"]
CUSTOMER = Person(
    address_source=AddressSource.SALE,
    could_refuse_at_collection=True,
    similar_products=True,
    last_purchase_ms=NOW_MS - 86_400_000,
)
SENDER = SenderProfile(unsubscribe=(OptOutMeans(kind=MeansKind.REPLY, value="STOP"),))
TEXT = Content(text="New shoes. Reply STOP to opt out.")


@pytest.fixture
def decide(rule: Build, message: Build) -> Callable[..., Decision]:
    def run(parameters: dict[str, Any], person: Person = CUSTOMER, **given: Any) -> Decision:
        fields = {"content": TEXT} | {k: v for k, v in given.items() if k in ("content", "category", "metadata")}
        facts = {"sender": SENDER} | {k: v for k, v in given.items() if k not in fields}
        rules = RuleSet([rule("consent_required", {"level": "express"} | parameters)])
        return rules.decide(message(**fields), Facts("FR", (), person=person, **facts), NOW_MS)

    return run


def test_the_exception_carries_a_customer(decide: Callable[..., Decision]) -> None:
    assert decide({"soft_opt_in": [{"conditions": ALL}]}).outcome is Outcome.ALLOW
    assert decide({}).outcome is Outcome.BLOCK


@pytest.mark.parametrize(
    "change",
    [
        {"address_source": AddressSource.ACCOUNT},
        {"address_source": None},
        {"could_refuse_at_collection": False},
        {"could_refuse_at_collection": None},
        {"similar_products": False},
        {"similar_products": None},
    ],
)
def test_every_condition_must_be_known_to_hold(decide: Callable[..., Decision], change: dict[str, Any]) -> None:
    person = msgspec.structs.replace(CUSTOMER, **change)
    assert decide({"soft_opt_in": [{"conditions": ALL}]}, person).outcome is Outcome.BLOCK


def test_a_message_may_say_of_itself_that_it_is_about_similar_products(decide: Callable[..., Decision]) -> None:
    person = msgspec.structs.replace(CUSTOMER, similar_products=None)
    decision = decide({"soft_opt_in": [{"conditions": ALL}]}, person, category="similar_products")
    assert decision.outcome is Outcome.ALLOW


def test_the_way_out_is_added_where_it_is_missing(decide: Callable[..., Decision]) -> None:
    offer = {"soft_opt_in": [{"conditions": ALL}]}
    bare = decide(offer, content=Content(text="New shoes."))
    assert bare.amendments == (Amendment(Place.TEXT_END, "Reply STOP to opt out."),)
    assert decide(offer, content=Content(text="New shoes."), sender=SenderProfile()).outcome is Outcome.BLOCK


def test_an_objection_ends_every_ground(decide: Callable[..., Decision]) -> None:
    withdrawn = (Consent(None, Purpose.PROMOTIONAL, False, 1),)
    grounds: list[dict[str, Any]] = [
        {"soft_opt_in": [{"conditions": ALL}]},
        {"relationship": {"within": "1y"}},
        {"exceptions": ["gave_own_address"]},
        {"exceptions": ["business_relationship"]},
        {"level": "implied", "implied": [{"basis": "purchase"}]},
    ]
    for ground in grounds:
        assert decide(ground).outcome is Outcome.ALLOW
        assert decide(ground, consents=withdrawn).outcome is Outcome.BLOCK


def test_the_relation_ends_to_the_moment(decide: Callable[..., Decision]) -> None:
    offer = {"soft_opt_in": [{"conditions": ["own_similar_products"], "within": "1d"}]}
    assert decide(offer).outcome is Outcome.BLOCK
    later = msgspec.structs.replace(CUSTOMER, last_purchase_ms=NOW_MS - 86_400_000 + 1)
    assert decide(offer, later).outcome is Outcome.ALLOW
    asked = Person(similar_products=True, last_inquiry_ms=NOW_MS)
    assert decide(offer, asked).outcome is Outcome.ALLOW
    assert decide({"soft_opt_in": [{"conditions": ALL, "within": "1d"}]}, asked).outcome is Outcome.BLOCK


def test_an_exception_may_be_for_some_channels_senders_and_purposes(decide: Callable[..., Decision]) -> None:
    assert decide({"soft_opt_in": [{"conditions": ALL, "channels": ["email"]}]}).outcome is Outcome.BLOCK
    charity = {"soft_opt_in": [{"conditions": [], "entity": "charity", "sole_purpose": "charitable"}]}
    assert decide(charity, category="charitable").outcome is Outcome.BLOCK
    sender = SenderProfile(sectors=("charity",))
    assert decide(charity, category="charitable", sender=sender).outcome is Outcome.ALLOW
    assert decide(charity, sender=sender).outcome is Outcome.BLOCK


def test_a_positive_register_holds_a_consent(decide: Callable[..., Decision]) -> None:
    def listed(yes: bool | None) -> tuple[RegistryAnswer, ...]:
        entries = (Listing(),) if yes else ()
        return (RegistryAnswer("iys", yes, RegistryKind.POSITIVE if yes is not None else None, 1, entries),)

    assert decide({"registers": ["IYS"]}, registries=listed(True)).outcome is Outcome.ALLOW
    assert decide({"registers": ["IYS"]}, registries=listed(False)).outcome is Outcome.BLOCK
    assert decide({"registers": ["IYS"]}, registries=listed(None)).outcome is Outcome.BLOCK


def test_a_rule_names_the_registries_it_asks(rule: Build) -> None:
    built = rule("consent_required", {"registers": ["IYS"], "address_on": {"registry": "FCC list"}})
    assert built.registries == ("iys", "fcc-list")


@pytest.mark.parametrize(("if_unknown", "outcome"), [("block", "block"), ("annotate", "annotate"), ("allow", "allow")])
def test_a_rule_says_what_it_does_where_its_list_is_unknown(
    decide: Callable[..., Decision], if_unknown: str, outcome: str
) -> None:
    decision = decide({"address_on": {"registry": "a list", "if_unknown": if_unknown}})
    assert decision.rules[0].outcome.value == outcome


def test_a_person_is_asked_for_consent_only_so_often(decide: Callable[..., Decision]) -> None:
    parameters = {"request": {"times": 2, "must_state": ["type"]}}
    stated = {"category": "consent_request", "metadata": {"states": "type, price"}}

    def asked(*moments: int) -> Person:
        return Person(asked_for_consent_at_ms=moments)

    assert decide(parameters, asked(1), **stated).outcome is Outcome.ALLOW
    assert decide(parameters, asked(1, 2), **stated).outcome is Outcome.BLOCK
    assert decide(parameters, asked(1), category="consent_request").outcome is Outcome.BLOCK
    withdrawn = (Consent(None, Purpose.PROMOTIONAL, False, 1),)
    assert decide(parameters, asked(), consents=withdrawn, **stated).outcome is Outcome.BLOCK
    assert decide({}, asked(), **stated).outcome is Outcome.BLOCK, "without `request` nobody is asked without consent"


def test_silence_may_be_a_refusal(decide: Callable[..., Decision]) -> None:
    person = msgspec.structs.replace(CUSTOMER, asked_for_consent_at_ms=(5,))
    ground = {"exceptions": ["business_relationship"]}
    assert decide(ground | {"request": {}}, person).outcome is Outcome.ALLOW
    assert decide(ground | {"request": {"silence_is_refusal": True}}, person).outcome is Outcome.BLOCK
    agreed = (Consent(Channel.SMS, Purpose.PROMOTIONAL, True, 6),)
    assert decide({"request": {"silence_is_refusal": True}}, person, consents=agreed).outcome is Outcome.ALLOW


def test_bases_of_implied_consent_make_no_sense_for_a_stronger_one(rule: Build) -> None:
    with pytest.raises(msgspec.ValidationError, match="implied"):
        rule("consent_required", {"level": "express", "implied": [{"basis": "purchase"}]})
