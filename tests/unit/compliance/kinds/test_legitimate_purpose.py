"""legitimate_purpose: what is called transactional has something that makes it so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.facts.recipient import Consent, ConsentLevel, Facts, Person
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Decision, Outcome, Purpose

Build = Callable[..., Any]
DAY_MS = 86_400_000
NOW_MS = 20_000 * DAY_MS


@pytest.fixture
def decide(rule: Build, message: Build) -> Callable[..., Decision]:
    def run(parameters: dict[str, Any], action: str = "block", **given: Any) -> Decision:
        fields = {"purpose": Purpose.TRANSACTIONAL} | {k: given.pop(k) for k in ("category", "purpose") if k in given}
        built = rule("legitimate_purpose", parameters, applies_to="both", action=action)
        return RuleSet([built]).decide(message(**fields), Facts("US", (), **given), NOW_MS)

    return run


def test_it_notes_or_stops_as_the_operator_likes(decide: Callable[..., Decision]) -> None:
    assert decide({}).outcome is Outcome.BLOCK
    noted = decide({}, "annotate")
    assert (noted.outcome, noted.rules[0].outcome) == (Outcome.ALLOW, Outcome.ANNOTATE)


def test_advertising_is_not_its_matter(decide: Callable[..., Decision]) -> None:
    assert decide({}, purpose=Purpose.PROMOTIONAL).outcome is Outcome.ALLOW


def test_a_category_makes_it_so(decide: Callable[..., Decision]) -> None:
    assert decide({"categories": ["delivery"]}, category="delivery").outcome is Outcome.ALLOW
    assert decide({"categories": ["delivery"]}, category="newsletter").outcome is Outcome.BLOCK


def test_a_relationship_makes_it_so_while_it_lasts(decide: Callable[..., Decision]) -> None:
    bought = Person(last_purchase_ms=NOW_MS - DAY_MS)
    assert decide({}, person=bought).outcome is Outcome.ALLOW
    assert decide({"within": "1d"}, person=bought).outcome is Outcome.BLOCK
    assert decide({"within": "1d"}, person=Person(last_inquiry_ms=NOW_MS - DAY_MS + 1)).outcome is Outcome.ALLOW
    assert decide({"within": "1d"}, person=Person(has_contract=True)).outcome is Outcome.ALLOW
    assert decide({}, person=Person(customer_since_ms=1)).outcome is Outcome.ALLOW
    assert decide({"within": "1d"}, person=Person(customer_since_ms=1)).outcome is Outcome.BLOCK
    assert decide({"relationship": False}, person=bought).outcome is Outcome.BLOCK
    assert decide({}, person=Person(last_purchase_ms=NOW_MS + 1)).outcome is Outcome.BLOCK


def test_a_consent_makes_it_so(decide: Callable[..., Decision]) -> None:
    implied = Consent(None, Purpose.TRANSACTIONAL, True, 1, level=ConsentLevel.IMPLIED)
    withdrawn = Consent(None, Purpose.TRANSACTIONAL, False, 2)
    assert decide({}, consents=(implied,)).outcome is Outcome.ALLOW
    assert decide({}, consents=(implied, withdrawn)).outcome is Outcome.BLOCK
    assert decide({"consent": "express"}, consents=(implied,)).outcome is Outcome.BLOCK
    assert decide({"consent": None}, consents=(implied,)).outcome is Outcome.BLOCK


def test_a_rule_leaves_some_way(rule: Build) -> None:
    with pytest.raises(msgspec.ValidationError, match="categories"):
        rule("legitimate_purpose", {"relationship": False, "consent": None}, action="annotate")
