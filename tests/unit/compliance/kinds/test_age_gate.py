"""age_gate: ages to the day, what is needed under them, and ages of countries."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.compliance.facts.person import age_years
from chappe.compliance.facts.recipient import Consent, Facts, Person
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Decision, Outcome, Purpose

Build = Callable[..., Any]
At = Callable[[str], int]


@pytest.fixture
def decide(rule: Build, message: Build, at: At) -> Callable[..., Decision]:
    def run(parameters: dict[str, Any], born: str | None, now: str = "2026-03-05T15:00", **given: Any) -> Decision:
        birth_date = None if born is None else datetime.date.fromisoformat(born)
        person = Person(birth_date=birth_date, parental_consent=given.pop("parental_consent", None))
        built = rule("age_gate", parameters, action="block")
        facts = Facts(given.pop("jurisdiction", "US"), (), person=person, **given)
        return RuleSet([built]).decide(message(), facts, at(now))

    return run


def test_the_birthday_counts_where_the_day_begins_last(decide: Callable[..., Decision]) -> None:
    parameters = {"min_age": 13}
    assert decide(parameters, "2013-03-05", "2026-03-05T11:59").outcome is Outcome.BLOCK
    assert decide(parameters, "2013-03-05", "2026-03-05T12:00").outcome is Outcome.ALLOW
    # Who is born on a leap day is a year older on the first of March.
    assert decide(parameters, "2012-02-29", "2025-02-28T23:00").outcome is Outcome.BLOCK
    assert decide(parameters, "2012-02-29", "2025-03-01T12:00").outcome is Outcome.ALLOW


def test_a_parent_may_agree_unless_nothing_helps(decide: Callable[..., Decision]) -> None:
    assert decide({"min_age": 13}, "2015-01-01", parental_consent=True).outcome is Outcome.ALLOW
    assert decide({"min_age": 13}, "2015-01-01", parental_consent=False).outcome is Outcome.BLOCK
    adult = {"min_age": 18, "needs": "nothing_helps"}
    assert decide(adult, "2015-01-01", parental_consent=True).outcome is Outcome.BLOCK


def test_an_opt_in_of_their_own_may_do_from_some_age_on(decide: Callable[..., Decision]) -> None:
    parameters = {"min_age": 16, "needs": "opt_in", "younger": {"age": 13, "needs": "parental_consent"}}
    granted = (Consent(None, Purpose.PROMOTIONAL, True, 0),)
    assert decide(parameters, "2012-01-01").outcome is Outcome.BLOCK
    assert decide(parameters, "2012-01-01", consents=granted).outcome is Outcome.ALLOW
    assert decide(parameters, "2014-01-01", consents=granted).outcome is Outcome.BLOCK
    assert decide(parameters, "2014-01-01", parental_consent=True).outcome is Outcome.ALLOW


def test_countries_have_ages_of_their_own(decide: Callable[..., Decision]) -> None:
    parameters = {"min_age": 16, "floor": 13, "member_states": {"FR": 15}}
    assert decide(parameters, "2010-06-01", jurisdiction="FR").outcome is Outcome.ALLOW
    assert decide(parameters, "2010-06-01", jurisdiction="DE").outcome is Outcome.BLOCK
    assert decide(parameters, "2010-06-01", jurisdiction=None).outcome is Outcome.BLOCK


@pytest.mark.parametrize("if_unknown", ["allow", "annotate", "block"])
def test_who_is_not_known_to_be_a_child(decide: Callable[..., Decision], if_unknown: str) -> None:
    assert decide({"min_age": 13, "if_unknown": if_unknown}, None).rules[0].outcome.value == if_unknown


@pytest.mark.parametrize(
    "parameters",
    [
        {"min_age": 12, "floor": 13},
        {"min_age": 16, "floor": 13, "member_states": {"FR": 12}},
        {"min_age": 13, "younger": {"age": 13, "needs": "opt_in"}},
    ],
)
def test_ages_that_make_no_sense_are_refused(rule: Build, parameters: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        rule("age_gate", parameters, action="block")


@given(
    st.dates(datetime.date(1930, 1, 1), datetime.date(2020, 1, 1)), st.integers(1_600_000_000_000, 4_000_000_000_000)
)
def test_nobody_grows_younger(born: datetime.date, now_ms: int) -> None:
    person = Person(birth_date=born)
    now, later = age_years(person, now_ms), age_years(person, now_ms + 86_400_000)
    assert now is not None
    assert later is not None
    assert 0 <= later - now <= 1
