"""day_ban."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Outcome

Build = Callable[..., Any]
At = Callable[[str], int]
PARIS = Facts("FR", ("Europe/Paris",))


def test_a_banned_weekday_ends_at_local_midnight(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("day_ban", {"days": ["sun"]})])
    decision = rules.decide(message(), PARIS, at("2026-03-29T12:00+02:00"))  # the clock changed that morning
    assert decision.until_ms == at("2026-03-30T00:00+02:00")
    assert rules.decide(message(), PARIS, at("2026-03-28T23:59+01:00")).outcome is Outcome.ALLOW
    assert rules.decide(message(), PARIS, at("2026-03-29T00:00+01:00")).outcome is Outcome.DEFER


def test_public_holidays_of_the_rules_own_country(rule: Build, message: Build, at: At) -> None:
    rules = RuleSet([rule("day_ban", {"days": ["sun", "holiday"]}, jurisdiction="FR")])
    easter_sunday = rules.decide(message(), PARIS, at("2026-04-05T12:00+02:00"))
    assert easter_sunday.until_ms == at("2026-04-07T00:00+02:00"), "Easter Monday is a holiday too"


def test_other_days_may_have_a_window(rule: Build, message: Build, at: At) -> None:
    parameters = {"days": ["sun"], "other_days": {"start": "08:00", "end": "20:00"}}
    decision = RuleSet([rule("day_ban", parameters)]).decide(message(), PARIS, at("2026-03-28T21:00+01:00"))
    assert decision.until_ms == at("2026-03-30T08:00+02:00")
