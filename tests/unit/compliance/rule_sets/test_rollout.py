from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.compliance.conftest import Build, utc_ms

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule_sets.rollout import Rollout, Stage
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Recipient

NOON = utc_ms("2026-03-04T12:00")
OLD, NEW = RuleSet([], version=3), RuleSet([], version=4)
people = st.integers(0, 10**9).map(lambda number: Recipient(phone=f"+1{number:010}"))


def version_for(stage: Stage, to: Recipient, jurisdiction: str | None = None) -> int:
    return Rollout(OLD, NEW, stage).set_for(to, jurisdiction).version


@given(people, st.floats(0.01, 100), st.floats(0.01, 100))
def test_a_person_stays_on_the_new_side_when_the_percentage_grows(to: Recipient, one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    if version_for(Stage(4, percent=smaller), to) == 4:
        assert version_for(Stage(4, percent=larger), to) == 4


@pytest.mark.parametrize("percent", [1, 25, 60])
def test_the_percentage_is_about_that_of_the_people(percent: int) -> None:
    stage = Stage(4, percent=percent)
    new = sum(version_for(stage, Recipient(email=f"p{number}@example.com")) == 4 for number in range(20_000))
    assert new / 200 == pytest.approx(percent, abs=1.2)


def test_different_versions_begin_with_different_people() -> None:
    someone = [Recipient(user=str(number)) for number in range(2_000)]
    first, second = (
        {to.user for to in someone if Rollout(OLD, NEW, Stage(version, percent=10)).set_for(to, None) is NEW}
        for version in (4, 5)
    )
    assert len(first & second) < len(first) / 2


def test_how_an_address_is_written_makes_no_difference() -> None:
    stage = Stage(4, percent=50)
    for number in range(50):
        lower = Recipient(email=f"ana{number}@example.com")
        assert version_for(stage, lower) == version_for(stage, Recipient(email=f"Ana{number}@Example.com"))


@pytest.mark.parametrize(
    ("places", "jurisdiction", "version"),
    [
        (("US",), "US", 4),
        (("US",), "US-FL", 4),
        (("US-FL",), "US", 3),
        (("US-FL",), "US-TX", 3),
        (("EU",), "DE", 4),
        (("EU", "CA"), "CA", 4),
        (("EU",), "GB", 3),
        (("EU",), None, 3),
        (("*",), None, 4),
        ((), "JP", 4),
    ],
)
def test_a_stage_by_jurisdiction_includes_what_lies_in_it(
    places: tuple[str, ...], jurisdiction: str | None, version: int
) -> None:
    assert version_for(Stage(4, places), Recipient(user="a"), jurisdiction) == version


def test_the_decision_names_the_version_that_made_it(rule: Build, message: Build) -> None:
    strict = RuleSet([rule("consent_required", {"level": "express"})], version=4)
    rollout = Rollout(OLD, strict, Stage(4, ("US",)))
    asked = message()
    assert rollout.decide(asked, Facts("US-NY", ()), NOON).rule_set == 4
    assert rollout.decide(asked, Facts("FR", ()), NOON).rule_set == 3


def test_caps_are_looked_up_as_far_back_as_either_set_needs(rule: Build, message: Build) -> None:
    day, week = (RuleSet([rule("frequency_cap", {"caps": [{"limit": 1, "per": f"{hours}h"}]})]) for hours in (24, 168))
    for one, other in ((day, week), (week, day)):
        window_ms = Rollout(one, other, Stage(4, percent=50)).counting("US", message()).window_ms
        assert window_ms == 168 * 3_600_000


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_impossible_percentages_are_refused(percent: float) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"version": 1, "percent": percent}, Stage)
