"""quiet_hours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chappe.compliance.facts.recipient import Consent, ConsentLevel, Facts
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Outcome, Purpose

Build = Callable[..., Any]
At = Callable[[str], int]
BY_DAY = {"start": "08:00", "end": "21:00"}
NEW_YORK = Facts("US", ("America/New_York",))


@pytest.mark.parametrize(
    ("local", "opens"),
    [
        ("2026-01-14T07:59-05:00", "2026-01-14T08:00-05:00"),
        ("2026-01-14T08:00-05:00", None),
        ("2026-01-14T20:59:59-05:00", None),
        ("2026-01-14T21:00-05:00", "2026-01-15T08:00-05:00"),
        ("2026-03-07T22:00-05:00", "2026-03-08T08:00-04:00"),  # the clock goes forward in between
        ("2026-10-31T22:00-04:00", "2026-11-01T08:00-05:00"),  # and back
        ("2028-02-28T23:00-05:00", "2028-02-29T08:00-05:00"),  # a leap day
    ],
)
def test_a_message_waits_for_the_recipients_day(
    rule: Build, message: Build, at: At, local: str, opens: str | None
) -> None:
    decision = RuleSet([rule("quiet_hours", BY_DAY)]).decide(message(), NEW_YORK, at(local))
    if opens is None:
        assert decision.outcome is Outcome.ALLOW
    else:
        assert decision.outcome is Outcome.DEFER
        assert decision.until_ms == at(opens)


def test_the_reason_gives_the_local_time_and_the_hours(rule: Build, message: Build, at: At) -> None:
    now_ms = at("2026-01-14T03:07-05:00")
    decision = RuleSet([rule("quiet_hours", BY_DAY)]).decide(message(), NEW_YORK, now_ms)
    assert decision.rules[0].reason == (
        "it is 03:07 on Wednesday 2026-01-14 in America/New_York; the allowed hours are 08:00 to 21:00"
    )


def test_every_possible_zone_must_be_open(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", BY_DAY)])
    somewhere_in_australia = Facts("AU", ("Australia/Perth", "Australia/Sydney"))
    morning_in_sydney_only = at("2026-01-14T09:00+11:00")
    decision = rules.decide(message(), somewhere_in_australia, morning_in_sydney_only)
    assert decision.until_ms == at("2026-01-14T08:00+08:00")
    assert "Australia/Perth" in decision.rules[0].reason
    assert "any of 2 time zones" in decision.rules[0].reason


def test_a_rule_with_a_zone_of_its_own_keeps_to_it(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", {"start": "10:00", "end": "21:00", "tz": "Asia/Kolkata"})])
    decision = rules.decide(message(), NEW_YORK, at("2026-01-14T09:59+05:30"))
    assert decision.until_ms == at("2026-01-14T10:00+05:30")


def test_windows_by_weekday_with_a_break_and_banned_days(rule: Build, message: Build, at: At) -> None:
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    parameters = {
        "windows": [
            {"days": weekdays, "start": "10:00", "end": "13:00"},
            {"days": weekdays, "start": "14:00", "end": "20:00"},
        ],
        "banned_days": ["holiday"],
        "calendar": "FR",
    }
    rules, paris = RuleSet([rule("quiet_hours", parameters)]), Facts("FR", ("Europe/Paris",))
    lunch = rules.decide(message(), paris, at("2026-07-13T13:30+02:00"))
    assert lunch.until_ms == at("2026-07-13T14:00+02:00")
    assert "10:00 to 13:00 and 14:00 to 20:00" in lunch.rules[0].reason
    bastille_day = rules.decide(message(), paris, at("2026-07-14T11:00+02:00"))
    assert bastille_day.until_ms == at("2026-07-15T10:00+02:00")
    assert "a public holiday" in bastille_day.rules[0].reason
    saturday = rules.decide(message(), paris, at("2026-07-18T11:00+02:00"))
    assert saturday.until_ms == at("2026-07-20T10:00+02:00")
    assert "nothing may be sent on a Saturday" in saturday.rules[0].reason


def test_with_the_zone_unknown_it_keeps_to_day_in_america_and_europe(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", BY_DAY)])
    decision = rules.decide(message(), Facts(None, ()), at("2026-01-14T10:00+01:00"))
    assert decision.until_ms == at("2026-01-14T08:00-08:00")
    assert "time zone is unknown" in decision.rules[0].reason


def test_a_rule_may_exempt_recipients_whose_zone_is_unknown(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", BY_DAY | {"unknown_zones": []})])
    decision = rules.decide(message(), Facts(None, ()), at("2026-01-14T03:00"))
    assert decision.outcome is Outcome.ALLOW
    assert "exempts" in decision.rules[0].reason


def test_without_zones_the_whole_jurisdiction_counts(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", BY_DAY)])
    decision = rules.decide(message(), Facts("US", ()), at("2026-01-14T12:00-05:00"))
    assert decision.until_ms == at("2026-01-14T08:00-10:00"), "Hawaii and the Aleutians wake last"


def test_consent_lifts_a_rule_that_says_so(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", BY_DAY | {"lifted_by": [{"consent": "written"}]})])
    night = at("2026-01-14T03:00-05:00")
    express = Consent(Channel.SMS, Purpose.PROMOTIONAL, True, 0)
    written = Consent(Channel.SMS, Purpose.PROMOTIONAL, True, 0, level=ConsentLevel.WRITTEN)

    def outcome(*consents: Consent) -> Outcome:
        return rules.decide(message(), Facts("US", NEW_YORK.zones, consents=consents), night).outcome

    assert outcome() is Outcome.DEFER
    assert outcome(express) is Outcome.DEFER
    assert outcome(written) is Outcome.ALLOW


def test_a_rule_may_block_instead(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", BY_DAY, action="block")])
    assert rules.decide(message(), NEW_YORK, at("2026-01-14T03:00-05:00")).outcome is Outcome.BLOCK
    assert rules.decide(message(), NEW_YORK, at("2026-01-14T12:00-05:00")).outcome is Outcome.ALLOW
