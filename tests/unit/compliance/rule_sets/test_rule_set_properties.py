"""What holds of every rule set, checked against an oracle that reads the clock on the wall moment by moment."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.compliance.facts.recipient import Consent, ConsentLevel, Facts, RecentSend, Suppression
from chappe.compliance.kinds import AnyRule, FrequencyCapRule
from chappe.compliance.rule.hours_rule import HoursRule
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Content, CustomerMessage, Decision, Outcome, Purpose, Recipient

QUARTER_MS = 900_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
DEFERRAL_LIMIT_MS = 14 * DAY_MS
STRICTNESS = {Outcome.ALLOW: 0, Outcome.DEFER: 1, Outcome.BLOCK: 2}
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

ZONES = st.sampled_from(
    [
        "America/New_York",
        "America/St_Johns",
        "Europe/Paris",
        "Africa/Casablanca",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "Pacific/Chatham",
        "Pacific/Apia",
    ]
)
CLOCK_CHANGES = [
    "2026-03-08T07:00",  # New York, forward
    "2026-11-01T06:00",  # New York, back
    "2026-03-29T01:00",  # Europe and Troll (two hours), forward
    "2026-10-25T01:00",  # Europe and Troll, back
    "2026-04-04T15:00",  # Lord Howe (half an hour) and Chatham, back
    "2026-10-03T15:30",  # Lord Howe, forward
    "2026-02-15T02:00",  # Casablanca, for Ramadan
    "2028-02-29T12:00",  # a leap day
    "2026-12-24T20:00",  # before public holidays
]


def _ms(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


MOMENTS = st.one_of(
    st.integers(_ms("2025-01-01T00:00"), _ms("2031-01-01T00:00")),
    st.tuples(st.sampled_from(CLOCK_CHANGES), st.integers(-2 * DAY_MS, DAY_MS)).map(lambda t: _ms(t[0]) + t[1]),
)
TIMES = st.integers(0, 96).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
SPANS_OF_DAY = st.tuples(TIMES, TIMES).filter(lambda t: t[0] != t[1]).map(sorted)
DAYS = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True)
CLOCK = st.one_of(st.just("recipient"), ZONES)


def _window(ends: list[str], days: list[str]) -> dict[str, Any]:
    return {"start": ends[0], "end": ends[1], "days": days}


QUIET_HOURS = st.fixed_dictionaries(
    {
        "kind": st.just("quiet_hours"),
        "action": st.sampled_from(["defer", "defer", "defer", "block"]),
        "parameters": st.fixed_dictionaries(
            {
                "windows": st.lists(st.builds(_window, SPANS_OF_DAY, DAYS), min_size=1, max_size=3),
                "banned_days": st.sampled_from([[], ["holiday"]]),
                "calendar": st.just("FR"),
                "tz": CLOCK,
            }
        ),
    }
)
DAY_BAN = st.fixed_dictionaries(
    {
        "kind": st.just("day_ban"),
        "action": st.just("defer"),
        "parameters": st.fixed_dictionaries(
            {
                "days": st.lists(st.sampled_from([*WEEKDAYS, "holiday"]), min_size=1, max_size=4, unique=True),
                "calendar": st.just("US"),
                "tz": CLOCK,
            }
        ),
    }
)
CAP = st.fixed_dictionaries(
    {
        "kind": st.just("frequency_cap"),
        "action": st.sampled_from(["defer", "defer", "block"]),
        "parameters": st.fixed_dictionaries(
            {
                "caps": st.lists(
                    st.fixed_dictionaries(
                        {
                            "limit": st.integers(1, 4),
                            "per": st.one_of(
                                st.sampled_from(["day", "week", "month"]), st.integers(1, 400).map("{}h".format)
                            ),
                        }
                    ),
                    min_size=1,
                    max_size=2,
                )
            }
        ),
    }
)
CONSENT = st.fixed_dictionaries(
    {
        "kind": st.just("consent_required"),
        "action": st.just("block"),
        "parameters": st.fixed_dictionaries({"level": st.sampled_from([level.value for level in ConsentLevel])}),
    }
)
SUPPRESSION = st.just({"kind": "suppression", "action": "block", "parameters": {}})
TIMED = st.one_of(QUIET_HOURS, QUIET_HOURS, DAY_BAN, CAP)
ENTRIES = st.one_of(TIMED, TIMED, CONSENT, SUPPRESSION)


def _rules(entries: list[dict[str, Any]]) -> list[AnyRule]:
    rules = []
    for number, entry in enumerate(entries):
        fields = {
            "id": f"rule-{number}",
            "jurisdiction": "*",
            "regulation": "A test",
            "citation": "none",
            "channels": ["any"],
            "applies_to": "promotional",
            "severity": "low",
            "summary": "A rule of the tests.",
            "source": "the tests",
            "confidence": "house",
        }
        try:
            rules.append(msgspec.convert(fields | entry, AnyRule))
        except msgspec.ValidationError as error:
            # A rule that bans every day on which it has a window is refused, so it is left out.
            if "no window is left open" not in str(error):
                raise
    return rules


MESSAGES = st.builds(
    CustomerMessage,
    id=st.just("msg-1"),
    to=st.just(Recipient(phone="+12125550123")),
    channel=st.just(Channel.SMS),
    purpose=st.just(Purpose.PROMOTIONAL),
    content=st.just(Content(text="hello")),
    created_at_ms=st.just(0),
)


@st.composite
def _cases(draw: st.DrawFn, entries: st.SearchStrategy[dict[str, Any]]) -> tuple[Any, ...]:
    now_ms = draw(MOMENTS)
    ages_ms = draw(st.lists(st.integers(0, 400 * HOUR_MS), max_size=6))
    consents = draw(
        st.lists(
            st.builds(
                Consent,
                channel=st.sampled_from([None, Channel.SMS]),
                purpose=st.just(Purpose.PROMOTIONAL),
                granted=st.booleans(),
                recorded_at_ms=st.integers(0, 5),
                level=st.sampled_from([None, *ConsentLevel]),
            ),
            max_size=3,
        )
    )
    stopped = Suppression("+12125550123", None, None, "STOP", 0)
    facts = Facts(
        None,
        tuple(draw(st.lists(ZONES, min_size=1, max_size=3, unique=True))),
        draw(st.sampled_from([(), (), (), (stopped,)])),
        tuple(consents),
        tuple(RecentSend(now_ms - age, Channel.SMS) for age in ages_ms),
    )
    message = draw(MESSAGES)
    lifetime_ms = draw(st.one_of(st.none(), st.integers(1, 20 * DAY_MS)))
    if lifetime_ms is not None:
        message = msgspec.structs.replace(message, expires_at_ms=now_ms + lifetime_ms)
    return _rules(draw(st.lists(entries, min_size=1, max_size=4))), message, facts, now_ms


@settings(deadline=None, max_examples=120)
@given(case=_cases(ENTRIES), extra=ENTRIES)
def test_a_verdict_never_becomes_more_permissive_when_a_rule_is_added(
    case: tuple[list[AnyRule], CustomerMessage, Facts, int], extra: dict[str, Any]
) -> None:
    rules, message, facts, now_ms = case
    added = [msgspec.structs.replace(rule, id="extra") for rule in _rules([extra])]
    fewer = RuleSet(rules).decide(message, facts, now_ms)
    more = RuleSet([*rules, *added]).decide(message, facts, now_ms)
    assert STRICTNESS[more.outcome] >= STRICTNESS[fewer.outcome]
    if fewer.until_ms is not None and more.until_ms is not None:
        assert more.until_ms >= fewer.until_ms


@settings(deadline=None, max_examples=120)
@given(case=_cases(TIMED))
def test_a_deferral_ends_at_the_first_lawful_moment_and_not_before(
    case: tuple[list[AnyRule], CustomerMessage, Facts, int],
) -> None:
    rules, message, facts, now_ms = case
    decision = RuleSet(rules).decide(message, facts, now_ms)
    if any(not _keeps(rule, facts, now_ms) and rule.action == "block" for rule in rules):
        assert decision.outcome is Outcome.BLOCK
    elif all(_keeps(rule, facts, now_ms) for rule in rules):
        assert decision.outcome is Outcome.ALLOW
    else:
        _check_deferral(decision, rules, message, facts, now_ms)


@settings(deadline=None, max_examples=120)
@given(case=_cases(TIMED))
def test_deciding_again_when_the_deferral_ends_does_not_defer_again(
    case: tuple[list[AnyRule], CustomerMessage, Facts, int],
) -> None:
    rules, message, facts, now_ms = case
    rule_set = RuleSet(rules)
    first = rule_set.decide(message, facts, now_ms)
    if first.until_ms is not None:
        assert first.until_ms > now_ms
        assert rule_set.decide(message, facts, first.until_ms).outcome is Outcome.ALLOW


@settings(deadline=None, max_examples=100)
@given(case=_cases(ENTRIES))
def test_a_decision_accounts_for_every_rule(case: tuple[list[AnyRule], CustomerMessage, Facts, int]) -> None:
    rules, message, facts, now_ms = case
    decision = RuleSet(rules, version=9).decide(message, facts, now_ms)
    assert decision.rule_set == 9
    assert sorted(outcome.id for outcome in decision.rules) == sorted(rule.id for rule in rules)
    strictness = [STRICTNESS[outcome.outcome] for outcome in decision.rules]
    assert strictness == sorted(strictness, reverse=True)
    assert STRICTNESS[decision.outcome] == max(strictness, default=0)
    assert (decision.until_ms is not None) == (decision.outcome is Outcome.DEFER)
    assert all(outcome.reason for outcome in decision.rules)


def _check_deferral(
    decision: Decision, rules: list[AnyRule], message: CustomerMessage, facts: Facts, now_ms: int
) -> None:
    """Clock changes, windows and zones all fall on quarters of an hour; caps free up at moments of their own."""
    end = now_ms + DEFERRAL_LIMIT_MS
    if message.expires_at_ms is not None:
        end = min(end, message.expires_at_ms - 1)
    first_quarter = -(-now_ms // QUARTER_MS) * QUARTER_MS
    frees = [
        sent.at_ms + _hours(cap.per) * HOUR_MS
        for rule in rules
        if isinstance(rule, FrequencyCapRule)
        for cap in rule.parameters.caps
        if cap.per[0].isdigit()
        for sent in facts.recent_sends
    ]
    candidates = sorted({*range(first_quarter, end + 1, QUARTER_MS), *(t for t in frees if now_ms < t <= end)})
    # Rules that were kept at the last candidate are asked first: that is what makes the scan quick.
    order = list(rules)
    for moment in candidates:
        broken = next((rule for rule in order if not _keeps(rule, facts, moment)), None)
        if broken is None:
            assert decision.outcome is Outcome.DEFER
            assert decision.until_ms == moment
            return
        order.remove(broken)
        order.insert(0, broken)
    assert decision.outcome is Outcome.BLOCK
    assert "no lawful moment" in decision.rules[0].reason


def _keeps(rule: AnyRule, facts: Facts, moment_ms: int) -> bool:
    """What a rule says, by the definition of its kind and none of the code under test but its parameters."""
    if isinstance(rule, FrequencyCapRule):
        return all(
            sum(1 for sent in facts.recent_sends if _counts(cap.per, zone, sent.at_ms, moment_ms)) < cap.limit
            for zone in facts.zones
            for cap in rule.parameters.caps
        )
    assert isinstance(rule, HoursRule)
    zones = facts.zones if rule.parameters.tz == "recipient" else (rule.parameters.tz,)
    return all(_open_on_the_wall(rule, zone, moment_ms) for zone in zones)


def _hours(per: str) -> int:
    return int(per.removesuffix("h"))


def _counts(per: str, zone: str, sent_ms: int, moment_ms: int) -> bool:
    """Whether a message sent then lies in the same window as a moment after it."""
    if per[0].isdigit():
        return sent_ms > moment_ms - _hours(per) * HOUR_MS
    sent, now = (datetime.datetime.fromtimestamp(at // 1000, ZoneInfo(zone)).date() for at in (sent_ms, moment_ms))
    if per == "day":
        return sent == now
    if per == "week":
        return sent.isocalendar()[:2] == now.isocalendar()[:2]
    return (sent.year, sent.month) == (now.year, now.month)


def _open_on_the_wall(rule: HoursRule, zone: str, moment_ms: int) -> bool:
    local = datetime.datetime.fromtimestamp(moment_ms / 1000, ZoneInfo(zone))
    parameters = msgspec.to_builtins(rule.parameters)
    day, time = WEEKDAYS[local.weekday()], f"{local:%H:%M}"
    banned = parameters.get("banned_days") or parameters.get("days", ())
    if day in banned or ("holiday" in banned and local.date() in _HOLIDAYS[parameters["calendar"]]):
        return False
    windows = parameters.get("windows")
    return windows is None or any(
        day in window["days"] and window["start"] <= time < window["end"] for window in windows
    )


_HOLIDAYS = {
    country: frozenset(holidays.country_holidays(country, years=range(2024, 2033))) for country in ("FR", "US")
}
