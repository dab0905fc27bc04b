"""How rules are chosen and how their verdicts combine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import pytest

from chappe.compliance.facts.recipient import Facts, RecentSend, Suppression
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Decision, Outcome
from chappe.model.errors import InvalidInput

Build = Callable[..., Any]
At = Callable[[str], int]
HOUR_MS = 3_600_000
NEW_YORK = ("America/New_York",)


def test_without_rules_everything_is_allowed(message: Build) -> None:
    assert RuleSet([], version=7).decide(message(), Facts("US", ()), 0) == Decision(Outcome.ALLOW, 7)


@pytest.mark.parametrize(
    ("of_rule", "of_recipient", "binds"),
    [
        ("*", None, True),
        ("*", "US", True),
        ("US", "US", True),
        ("US", "US-FL", True),
        ("US-FL", "US", False),
        ("EU", "DE", True),
        ("DE", "EU", False),
        ("EU", "GB", False),
        ("US", None, False),
        ("US", "anything else", False),
    ],
)
def test_rules_bind_within_their_jurisdiction(
    rule: Build, message: Build, of_rule: str, of_recipient: str | None, binds: bool
) -> None:
    rules = RuleSet([rule("consent_required", {"level": "express"}, jurisdiction=of_rule)])
    decision = rules.decide(message(), Facts(of_recipient, ()), 0)
    assert (decision.outcome is Outcome.BLOCK) == binds
    assert len(decision.rules) == binds


def test_rules_bind_their_channels(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("consent_required", {"level": "express"}, channels=["sms", "voice"])])
    assert rules.decide(message(), Facts(None, ()), 0).outcome is Outcome.BLOCK
    assert rules.decide(message(channel=Channel.EMAIL), Facts(None, ()), 0).outcome is Outcome.ALLOW


def test_a_verdict_lists_every_rule_strictest_first(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet(
        [
            rule("frequency_cap", {"caps": [{"limit": 9, "per": "1h"}]}, id="cap"),
            rule("quiet_hours", {"start": "08:00", "end": "21:00"}, id="night"),
            rule("suppression", id="list"),
            rule("consent_required", {"level": "express"}, id="consent"),
        ]
    )
    decision = rules.decide(message(), Facts("US", NEW_YORK), at("2026-01-14T03:00-05:00"))
    assert decision.outcome is Outcome.BLOCK
    assert decision.until_ms is None
    assert [(outcome.id, outcome.outcome) for outcome in decision.rules] == [
        ("consent", Outcome.BLOCK),
        ("night", Outcome.DEFER),
        ("list", Outcome.ALLOW),
        ("cap", Outcome.ALLOW),
    ]


def test_deferring_windows_intersect(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet(
        [
            rule("quiet_hours", {"start": "08:00", "end": "12:00"}, id="mornings"),
            rule("quiet_hours", {"start": "16:00", "end": "20:00", "tz": "Europe/Paris"}, id="paris"),
            rule("day_ban", {"days": ["thu"]}, id="not-thursday"),
        ]
    )
    wednesday_evening = at("2026-01-14T21:00-05:00")
    decision = rules.decide(message(), Facts("US", NEW_YORK), wednesday_evening)
    assert decision.until_ms == at("2026-01-16T16:00+01:00")
    assert {outcome.id for outcome in decision.rules} == {"mornings", "paris", "not-thursday"}


def test_a_cap_that_frees_at_night_waits_for_the_morning(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet(
        [
            rule("quiet_hours", {"start": "08:00", "end": "21:00"}, id="night"),
            rule("frequency_cap", {"caps": [{"limit": 1, "per": "12h"}]}, id="cap"),
        ]
    )
    noon, eleven = at("2026-01-14T12:00-05:00"), at("2026-01-14T11:00-05:00")
    decision = rules.decide(message(), Facts("US", NEW_YORK, recent_sends=(RecentSend(eleven, Channel.SMS),)), noon)
    assert [(outcome.id, outcome.outcome) for outcome in decision.rules] == [
        ("cap", Outcome.DEFER),
        ("night", Outcome.ALLOW),
    ]
    assert decision.until_ms == at("2026-01-15T08:00-05:00")


def test_the_cap_that_frees_last_counts_whatever_the_order(rule: Build, message: Build) -> None:
    tight = rule("frequency_cap", {"caps": [{"limit": 1, "per": "12h"}]}, id="tight")
    wide = rule("frequency_cap", {"caps": [{"limit": 9, "per": "1h"}]}, id="wide")
    facts = Facts("US", NEW_YORK, recent_sends=(RecentSend(100 * HOUR_MS, Channel.SMS),))
    for rules in ([tight, wide], [wide, tight]):
        decision = RuleSet(rules).decide(message(), facts, 101 * HOUR_MS)
        assert decision.until_ms == 112 * HOUR_MS


def test_no_lawful_moment_at_all_blocks(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet(
        [
            rule("quiet_hours", {"start": "08:00", "end": "12:00"}, id="morning"),
            rule("quiet_hours", {"start": "13:00", "end": "17:00"}, id="afternoon"),
        ]
    )
    decision = rules.decide(message(), Facts("US", NEW_YORK), at("2026-01-14T09:00-05:00"))
    assert decision.outcome is Outcome.BLOCK
    assert decision.until_ms is None
    assert decision.rules[0].id == "afternoon"
    assert decision.rules[0].outcome is Outcome.BLOCK
    assert decision.rules[0].reason.endswith("there is no lawful moment within 14 days")


def test_a_message_that_would_expire_first_is_blocked(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", {"start": "08:00", "end": "21:00"})])
    night, morning = at("2026-01-14T03:00-05:00"), at("2026-01-14T08:00-05:00")
    in_time = rules.decide(message(expires_at_ms=morning + 1), Facts("US", NEW_YORK), night)
    too_late = rules.decide(message(expires_at_ms=morning), Facts("US", NEW_YORK), night)
    assert in_time.until_ms == morning
    assert too_late.outcome is Outcome.BLOCK
    assert too_late.rules[0].reason.endswith("before the message expires")


def test_a_rule_binds_only_while_it_is_in_force(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet(
        [
            rule(
                "consent_required",
                {"level": "express"},
                effective_from="2026-08-11",
                effective_until="2026-09-01",
            )
        ]
    )

    def outcome(moment: str) -> Outcome:
        return rules.decide(message(), Facts("FR", ("Europe/Paris",)), at(moment)).outcome

    assert outcome("2026-08-10T09:59") is Outcome.ALLOW
    assert outcome("2026-08-10T10:00") is Outcome.BLOCK, "the day begins first in Kiribati"
    assert outcome("2026-09-01T11:59") is Outcome.BLOCK, "and ends last in mid-Pacific"
    assert outcome("2026-09-01T12:00") is Outcome.ALLOW


def test_a_deferral_keeps_to_a_rule_that_comes_into_force_meanwhile(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet(
        [
            rule("quiet_hours", {"start": "08:00", "end": "21:00", "tz": "UTC"}, id="now"),
            rule(
                "quiet_hours",
                {"start": "10:00", "end": "21:00", "tz": "UTC"},
                id="soon",
                effective_from="2026-01-15",
            ),
        ]
    )
    decision = rules.decide(message(), Facts("US", NEW_YORK), at("2026-01-14T22:00"))
    assert decision.until_ms == at("2026-01-15T10:00")
    before = rules.decide(message(), Facts("US", NEW_YORK), at("2026-01-13T22:00"))
    assert before.until_ms == at("2026-01-14T08:00")
    assert [outcome.id for outcome in before.rules] == ["now"]


@pytest.mark.parametrize("now_ms", [-1, 2**62])
def test_a_moment_beyond_the_calendar_is_refused(rule: Build, message: Build, now_ms: int) -> None:
    rules = RuleSet([rule("quiet_hours", {"start": "08:00", "end": "21:00"})])
    with pytest.raises(InvalidInput, match="between 1970 and 9998"):
        rules.decide(message(), Facts("US", NEW_YORK), now_ms)


def test_the_first_and_last_moments_are_decided(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("quiet_hours", {"start": "08:00", "end": "21:00", "banned_days": ["sun"]})])
    for moment in (0, at("9998-12-31T23:59")):
        decision = rules.decide(message(), Facts("US", NEW_YORK), moment)
        assert decision.outcome is Outcome.ALLOW, "it is 19:00 and 18:59 in New York"


def test_an_unknown_zone_in_the_facts_is_an_error(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("quiet_hours", {"start": "08:00", "end": "21:00"})])
    with pytest.raises(ZoneInfoNotFoundError):
        rules.decide(message(), Facts("US", ("Mars/Olympus",)), 0)


def test_a_block_needs_no_deferral(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("suppression"), rule("quiet_hours", {"start": "08:00", "end": "21:00"})])
    stopped = Suppression("+12125550123", None, None, "STOP", 0)
    facts = Facts("US", NEW_YORK, (stopped,))
    decision = rules.decide(message(), facts, at("2026-01-14T03:00-05:00"))
    assert (decision.outcome, decision.until_ms) == (Outcome.BLOCK, None)
