"""Deciding fast is deciding the same: what is kept, indexed and looked for together changes no verdict.

The reference asks each rule by itself, of a set without an index, with nothing kept from one message to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.compliance.drawing import ASKED, DAY_MS, ENDING, MESSAGES, NOW_MS, PLACES_OR_NONE, facts

from chappe.compliance.calendar.hours import next_open
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.kinds import AnyRule, FrequencyCapRule
from chappe.compliance.places.jurisdictions import zones_of
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.conditions import condition_of
from chappe.compliance.rule.hours_rule import HoursRule
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.rule_sets.timetable import MAX_DEFERRAL_MS, STRETCH_MS, bind_hours, timetable
from chappe.compliance.sender.profile import SenderProfile
from chappe.model.customer import (
    Channel,
    Content,
    CustomerMessage,
    Decision,
    Outcome,
    Purpose,
    Recipient,
    RuleOutcome,
)
from chappe.model.jurisdictions import EU_LAW_COUNTRIES, lineage

CLASSES = (StandingRule, HoursRule, FrequencyCapRule)


def plainly(rules: list[AnyRule], version: int, message: CustomerMessage, known: Facts, now_ms: int) -> Decision:
    """The decision by definition."""
    message = msgspec.structs.replace(message, content=msgspec.structs.replace(message.content))
    places = lineage(known.jurisdiction)[::-1]
    binding = [rule for place in places for rule in rules if rule.jurisdiction == place]
    binding = [rule for rule in binding if rule.binds(message.channel, message.purpose, message.category)]
    ahead = [rule for rule in binding if rule.in_force_ms()[0] > now_ms]
    current = [rule for rule in binding if rule.in_force_ms()[0] <= now_ms < rule.in_force_ms()[1]]
    failures: dict[str, str] = {}
    for rule in [*current, *ahead]:
        if rule.condition is None:
            continue
        verdict = condition_of(rule.condition).ask(message, known, now_ms)
        if not verdict.holds:
            current, ahead = ([entry for entry in entries if entry is not rule] for entries in (current, ahead))
        elif verdict.failure:
            failures[rule.id] = verdict.failure
    outcomes: list[RuleOutcome] = []
    room_from_ms, hours = now_ms, None
    for kind in CLASSES:
        for rule in (entry for entry in current if isinstance(entry, kind)):
            if isinstance(rule, StandingRule):
                outcomes.append(rule.judge(message, known, now_ms))
            elif isinstance(rule, FrequencyCapRule):
                outcome, from_ms = rule.judge(message, known, now_ms)
                outcomes.append(outcome)
                room_from_ms = max(room_from_ms, from_ms)
        if kind is HoursRule:
            listed = [rule for rule in current if isinstance(rule, HoursRule)]
            coming = [rule for rule in ahead if isinstance(rule, HoursRule)]
            if listed or coming:
                hours = _timetable(listed, coming, message, known, now_ms)
                outcomes += hours.outcomes(now_ms // 1000 * 1000)
    outcomes = [_explained(outcome, failures) for outcome in outcomes]
    strictest = max((outcome.outcome.strictness for outcome in outcomes), default=0)
    if strictest == Outcome.DEFER.strictness:
        until_ms = room_from_ms if hours is None else next_open(hours.spans, room_from_ms)
        why = _why_never(until_ms, message, now_ms)
        if not why:
            return Decision(Outcome.DEFER, version, _sorted(outcomes), until_ms)
        outcomes = [
            RuleOutcome(entry.id, Outcome.BLOCK, f"{entry.reason}; {why}") if entry.outcome is Outcome.DEFER else entry
            for entry in outcomes
        ]
        strictest = Outcome.BLOCK.strictness
    blocked = strictest == Outcome.BLOCK.strictness
    return Decision(Outcome.BLOCK if blocked else Outcome.ALLOW, version, _sorted(outcomes))


def _timetable(
    listed: Sequence[HoursRule], coming: Sequence[HoursRule], message: CustomerMessage, known: Facts, now_ms: int
) -> Any:
    zones, place, stretch = known.zones or zones_of(known.jurisdiction), known.jurisdiction or "", now_ms // STRETCH_MS
    asks_holidays = any(rule.hours().holidays is not None for rule in (*listed, *coming))

    def bind(rule: HoursRule) -> Any:
        lift = rule.lift(message, known, now_ms)
        return bind_hours(rule, zones, stretch, place if asks_holidays and "-" in place else None, lift)

    return timetable(listed, coming, bind, stretch)


def _explained(outcome: RuleOutcome, failures: dict[str, str]) -> RuleOutcome:
    if outcome.id not in failures:
        return outcome
    why = f"(its condition could not be answered, so it is taken to bind: {failures[outcome.id]})"
    return msgspec.structs.replace(outcome, reason=f"{outcome.reason} {why}")


def _why_never(until_ms: int | None, message: CustomerMessage, now_ms: int) -> str:
    if until_ms is None or until_ms > now_ms + MAX_DEFERRAL_MS:
        return "there is no lawful moment within 14 days"
    if message.expires_at_ms is not None and until_ms >= message.expires_at_ms:
        return "there is no lawful moment before the message expires"
    return ""


def _sorted(outcomes: list[RuleOutcome]) -> tuple[RuleOutcome, ...]:
    return tuple(sorted(outcomes, key=lambda entry: -entry.outcome.strictness))


CONDITIONS = [None, None, None, 'message.language == "en"', "person.age > 17", "person.is_business"]


@st.composite
def sequences(draw: st.DrawFn) -> tuple[list[AnyRule], list[tuple[CustomerMessage, Facts, int]]]:
    """Rules, and a message with what is known, followed by the same but for one thing at a time."""
    place = draw(PLACES_OR_NONE)
    here = [rule for rule in ASKED if rule.jurisdiction in lineage(place)]
    elsewhere = draw(st.lists(st.sampled_from(ASKED), max_size=12, unique_by=lambda rule: rule.id))
    moved = [
        msgspec.structs.replace(rule, id=f"moved-{rule.id}", jurisdiction=place or "*") for rule in _movable(elsewhere)
    ]
    rules = [
        rule if (condition := draw(st.sampled_from(CONDITIONS))) is None else _with(rule, condition)
        for rule in [*here, *moved]
    ]
    message, known = draw(MESSAGES), draw(facts(place))
    other, of_other = draw(MESSAGES), draw(facts(draw(st.sampled_from([place, *_like(place)]))))
    asked = [(message, known, NOW_MS)]
    asked += [(changed, known, NOW_MS) for changed in _changed(message, other)]
    asked += [(message, changed, NOW_MS) for changed in _changed(known, of_other)]
    asked += [(message, known, NOW_MS + later_ms) for later_ms in (1, 3_600_000, DAY_MS)]
    return rules, asked


def _movable(rules: list[AnyRule]) -> list[AnyRule]:
    """Rules with holidays of their own country stay there."""
    return [
        rule for rule in rules if not isinstance(rule, HoursRule) and "grace_working_days" not in str(rule.parameters)
    ]


def _with(rule: AnyRule, condition: str) -> AnyRule:
    return msgspec.structs.replace(rule, condition=condition)


def _like(place: str | None) -> list[str]:
    """Places whose rules may be the same."""
    if place is None:
        return []
    country = place.partition("-")[0]
    return [country, f"{country}-ZZ", *(["DE", "AT", "FR"] if country in EU_LAW_COUNTRIES else [])]


def _changed(one: Any, other: Any) -> list[Any]:
    """One field after the other taken from elsewhere, where it differs."""
    differing = [name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name)]
    return [msgspec.structs.replace(one, **{name: getattr(other, name)}) for name in differing]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=sequences())
def test_every_decision_is_the_one_that_the_rules_make_by_themselves(
    case: tuple[list[AnyRule], list[tuple[CustomerMessage, Facts, int]]],
) -> None:
    rules, asked = case
    rule_set = RuleSet(rules, version=7)
    for message, known, now_ms in asked:
        fast = msgspec.json.encode(rule_set.decide(message, known, now_ms))
        assert fast == msgspec.json.encode(plainly(rules, 7, message, known, now_ms))


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=sequences(), data=st.data())
def test_no_rule_of_any_kind_lets_more_through(
    case: tuple[list[AnyRule], list[tuple[CustomerMessage, Facts, int]]], data: st.DataObject
) -> None:
    rules, asked = case
    added = data.draw(st.sampled_from(ASKED))
    message, known, now_ms = asked[0]
    extra = msgspec.structs.replace(added, id="extra")
    if not isinstance(extra, HoursRule) and _movable([extra]):
        extra = msgspec.structs.replace(extra, jurisdiction=known.jurisdiction or "*")
    fewer = RuleSet(rules).decide(message, known, now_ms)
    more = RuleSet([*rules, extra]).decide(message, known, now_ms)
    assert more.outcome.strictness >= fewer.outcome.strictness
    if fewer.until_ms is not None and more.until_ms is not None:
        assert more.until_ms >= fewer.until_ms
    if more.outcome is not Outcome.BLOCK:
        assert set(fewer.amendments) <= set(more.amendments)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=sequences())
def test_a_deferral_ends_in_a_lawful_minute_or_a_block(
    case: tuple[list[AnyRule], list[tuple[CustomerMessage, Facts, int]]],
) -> None:
    rules, asked = case
    rule_set = RuleSet(rules)
    for message, known, now_ms in asked[::5]:
        decision = rule_set.decide(message, known, now_ms)
        for _ in range(4):
            if decision.until_ms is None:
                break
            # What opened an hour may lapse while the message waits (a consent expires), which defers it once more.
            assert decision.until_ms > now_ms
            now_ms = decision.until_ms
            decision = rule_set.decide(message, known, now_ms)
        assert decision.outcome is not Outcome.DEFER


def test_a_registration_that_ends_overnight_counts_until_then_and_not_after() -> None:
    rule_set = RuleSet([rule for rule in ASKED if rule.id == "us-10dlc-registration"])
    sender = SenderProfile(name="Acme", sms_from="+12025550187", registrations=(ENDING,))
    known = Facts("US", ("America/New_York",), sender=sender)
    message = CustomerMessage(
        "msg_0000000000000001", Recipient(phone="+12125550123"), Channel.SMS, Purpose.PROMOTIONAL, Content(text="Hi"), 0
    )
    midnight_ms = (NOW_MS // DAY_MS + 1) * DAY_MS
    said = [rule_set.decide(message, known, midnight_ms + step).outcome for step in (-2, -1, 0, 1)]
    assert said == [Outcome.ALLOW, Outcome.ALLOW, Outcome.BLOCK, Outcome.BLOCK]
