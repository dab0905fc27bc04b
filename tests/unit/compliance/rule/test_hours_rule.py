"""What the rules about hours have in common: what lifts and limits them, and whom they bind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.calendar.local_time import AgreedHours, Day
from chappe.compliance.facts.recipient import Consent, ConsentDetails, ConsentLevel, Facts, Person
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Decision, Outcome, Purpose

Build = Callable[..., Any]
At = Callable[[str], int]
PARIS = ("Europe/Paris",)
FRANCE = Facts("FR", PARIS)
DAYTIME: dict[str, Any] = {"start": "08:00", "end": "20:00"}


def agreed(*hours: AgreedHours, **fields: Any) -> Facts:
    consent = Consent(None, Purpose.PROMOTIONAL, True, 0, details=ConsentDetails(hours=hours), **fields)
    return Facts("FR", PARIS, consents=(consent,))


@pytest.fixture
def decide(rule: Build, message: Build, at: At) -> Callable[..., Decision]:
    def decided(parameters: dict[str, Any], now: str, facts: Facts = FRANCE, **fields: Any) -> Decision:
        kind = "day_ban" if "days" in parameters else "quiet_hours"
        made = rule(kind, parameters, **fields.pop("rule", {"jurisdiction": "FR"}))
        return RuleSet([made]).decide(message(**fields), facts, at(now))

    return decided


NAMING = {"lifted_by": [{"consent": "express", "naming_hours": True}]}
EVENING = AgreedHours("20:00", "23:00")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-04T22:59+01:00", None),
        ("2026-03-04T23:00+01:00", "2026-03-05T08:00+01:00"),
        ("2026-03-04T12:00+01:00", None),
    ],
)
def test_a_consent_that_names_hours_opens_them(decide: Any, at: At, now: str, until: str | None) -> None:
    assert decide(DAYTIME | NAMING, now, agreed(EVENING)).until_ms == (until and at(until))


def test_agreed_hours_end_at_the_outer_limit(decide: Any, at: At) -> None:
    limited = DAYTIME | NAMING | {"outer_limit": "22:00"}
    assert decide(limited, "2026-03-04T21:59+01:00", agreed(EVENING)).outcome is Outcome.ALLOW
    assert decide(limited, "2026-03-04T22:00+01:00", agreed(EVENING)).until_ms == at("2026-03-05T08:00+01:00")


def test_a_release_that_names_no_hours_lifts_up_to_the_outer_limit(decide: Any) -> None:
    lifted = DAYTIME | {"lifted_by": [{"running_contract": True}], "outer_limit": "22:00"}
    customer = Facts("FR", PARIS, person=Person(has_contract=True))
    assert decide(lifted, "2026-03-04T03:00+01:00", customer).outcome is Outcome.ALLOW
    assert decide(lifted, "2026-03-04T22:00+01:00", customer).outcome is Outcome.DEFER
    assert decide(lifted, "2026-03-04T03:00+01:00").outcome is Outcome.DEFER


def test_banned_days_open_only_where_the_consent_names_them(decide: Any) -> None:
    week = DAYTIME | NAMING | {"banned_days": ["sun", "holiday"]}
    sunday, monday_holiday = "2026-03-08T12:00+01:00", "2026-04-06T12:00+02:00"
    assert decide(week, sunday, agreed(AgreedHours("10:00", "14:00"))).outcome is Outcome.DEFER
    assert decide(week, sunday, agreed(AgreedHours("10:00", "14:00", (Day.SUN,)))).outcome is Outcome.ALLOW
    assert decide(week, monday_holiday, agreed(AgreedHours("10:00", "14:00", (Day.MON,)))).outcome is Outcome.DEFER
    on_holidays = agreed(AgreedHours("10:00", "14:00", (Day.HOLIDAY,)))
    assert decide(week, monday_holiday, on_holidays).outcome is Outcome.ALLOW
    assert decide(week, "2026-03-04T21:00+01:00", agreed(AgreedHours("20:00", "22:00", (Day.HOLIDAY,)))).outcome is (
        Outcome.DEFER
    )


def test_a_consent_must_be_strong_enough_and_kept_with_proof_where_that_is_asked(decide: Any) -> None:
    asked = DAYTIME | {"lifted_by": [{"consent": "written", "with_proof": True}]}
    night = "2026-03-04T23:00+01:00"
    assert decide(asked, night, agreed(proof="letter")).outcome is Outcome.DEFER
    assert decide(asked, night, agreed(level=ConsentLevel.WRITTEN)).outcome is Outcome.DEFER
    assert decide(asked, night, agreed(level=ConsentLevel.WRITTEN, proof="letter")).outcome is Outcome.ALLOW


def test_what_a_rule_includes_and_leaves_alone(decide: Any) -> None:
    asked = DAYTIME | {"includes": ["awareness"], "exempt_categories": ["recall"], "exempt_channels": ["email"]}
    night = "2026-03-04T23:00+01:00"
    included = {"category": "awareness", "purpose": Purpose.TRANSACTIONAL}
    assert decide(asked, night, **included).outcome is Outcome.DEFER
    assert decide(asked, night, purpose=Purpose.TRANSACTIONAL).rules == ()
    assert decide(asked, night, category="recall").rules == ()
    assert decide(asked, night, channel=Channel.EMAIL).rules == ()
    assert decide(asked, night, category="other").outcome is Outcome.DEFER
    assert decide(asked, night, **included, rule={"enabled": False, "jurisdiction": "FR"}).rules == ()


def test_where_the_arrival_counts_windows_end_earlier(decide: Any, at: At) -> None:
    asked = DAYTIME | {"measured_at": "arrival", "margin_minutes": 10}
    assert decide(asked, "2026-03-04T19:49+01:00").outcome is Outcome.ALLOW
    assert decide(asked, "2026-03-04T19:50+01:00").until_ms == at("2026-03-05T08:00+01:00")
    dispatched = DAYTIME | {"measured_at": "dispatch"}
    assert decide(dispatched, "2026-03-04T19:50+01:00").outcome is Outcome.ALLOW


def test_days_that_were_declared_holidays(decide: Any, at: At) -> None:
    asked = {"days": ["holiday"], "declared_holidays": ["2026-03-05"]}
    assert decide(asked, "2026-03-05T12:00+01:00").until_ms == at("2026-03-06T00:00+01:00")
    assert decide({"days": ["holiday"]}, "2026-03-05T12:00+01:00").outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("days", "place", "outcome"),
    [
        (["holiday"], "FR-57", Outcome.DEFER),
        (["holiday"], "FR", Outcome.ALLOW),
        (["holiday"], "DE-BY", Outcome.ALLOW),
        (["national_holiday"], "FR-57", Outcome.ALLOW),
    ],
)
def test_holidays_of_the_part_where_the_recipient_is(
    decide: Any, days: list[str], place: str, outcome: Outcome
) -> None:
    # Good Friday, a holiday in Alsace and Moselle.
    assert (
        decide({"days": days, "calendar": "FR"}, "2026-04-03T12:00+02:00", Facts(place, PARIS), rule={}).outcome
        is outcome
    )


def test_windows_for_eves_take_the_place_of_the_others(decide: Any, at: At) -> None:
    asked = {
        "windows": [
            {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "20:00"},
            {"days": ["eve_of_holiday"], "start": "10:00", "end": "12:00"},
        ],
        "banned_days": ["holiday"],
    }
    assert decide(asked, "2026-07-13T09:30+02:00").until_ms == at("2026-07-13T10:00+02:00")
    assert decide(asked, "2026-07-13T12:00+02:00").until_ms == at("2026-07-15T09:00+02:00")
    assert decide(asked, "2026-07-15T09:30+02:00").outcome is Outcome.ALLOW
    # A Sunday has no window of its own, so being an eve gives it none.
    assert decide(asked, "2026-04-05T11:00+02:00").until_ms == at("2026-04-07T09:00+02:00")


@pytest.mark.parametrize(
    "parameters",
    [
        DAYTIME | {"outer_limit": "19:00"},
        DAYTIME | {"margin_minutes": 5},
        DAYTIME | {"banned_days": ["eve_of_holiday"]},
        DAYTIME | {"lifted_by": [{}]},
        DAYTIME | {"lifted_by": [{"with_proof": True}]},
        DAYTIME | {"lifted_by": [{"consent": "express", "after_listing": True}]},
        {"days": []},
        {"days": ["eve_of_holiday"]},
        {"days": ["sun"], "other_days": {"start": "08:00", "end": "21:00"}, "outer_limit": "20:00"},
    ],
)
def test_parameters_that_make_no_sense_are_refused(decide: Any, parameters: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decide(parameters, "2026-03-04T12:00+01:00")


def test_the_rules_of_every_place_where_the_recipient_may_be_bind(rule: Build, message: Build, at: At) -> None:
    early = rule("quiet_hours", {"start": "09:00", "end": "21:00"}, id="early", jurisdiction="CA-NS")
    late = rule("quiet_hours", {"start": "08:00", "end": "20:00"}, id="late", jurisdiction="CA-PE")
    rules = RuleSet([early, late])
    somewhere = Facts("CA", ("America/Halifax",), also_in=("CA-NS", "CA-PE"))
    assert rules.decide(message(), somewhere, at("2026-03-04T08:30-04:00")).until_ms == at("2026-03-04T09:00-04:00")
    assert rules.decide(message(), somewhere, at("2026-03-04T20:30-04:00")).until_ms == at("2026-03-05T09:00-04:00")
    assert [
        outcome.id for outcome in rules.decide(message(), Facts("CA-PE", ()), at("2026-03-04T12:00-04:00")).rules
    ] == ["late"]
