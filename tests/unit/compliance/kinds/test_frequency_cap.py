"""frequency_cap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.calendar.counting import NOTHING_COUNTED, Counting
from chappe.compliance.facts.recipient import Consent, Facts, OptOutRequest, Rate, RecentSend
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Content, Outcome, Purpose

Build = Callable[..., Any]
HOUR_MS = 3_600_000
NOW_MS = 1_000 * HOUR_MS


def sent(*hours_ago: float) -> Facts:
    moments = sorted(NOW_MS - int(hours * HOUR_MS) for hours in hours_ago)
    return Facts("US", (), recent_sends=tuple(RecentSend(at_ms, Channel.SMS) for at_ms in moments))


def capped(*caps: tuple[int, int]) -> dict[str, Any]:
    return {"caps": [{"limit": limit, "per": f"{hours}h"} for limit, hours in caps]}


@pytest.mark.parametrize(
    ("facts", "hours_to_wait"),
    [
        (sent(), 0),
        (sent(1, 2), 0),
        (sent(1, 2, 24), 0),
        (sent(1, 2, 23), 1),
        (sent(1, 2, 3), 21),
        (sent(1, 2, 3, 4, 5), 21),
        (sent(25, 26, 27), 0),
    ],
)
def test_a_message_waits_until_the_window_has_room(
    rule: Build, message: Build, facts: Facts, hours_to_wait: int
) -> None:
    decision = RuleSet([rule("frequency_cap", capped((3, 24)))]).decide(message(), facts, NOW_MS)
    if hours_to_wait:
        assert decision.outcome is Outcome.DEFER
        assert decision.until_ms == NOW_MS + hours_to_wait * HOUR_MS
    else:
        assert decision.outcome is Outcome.ALLOW


def test_the_strictest_of_several_caps_counts(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("frequency_cap", capped((1, 2), (3, 48)))])
    assert rules.decide(message(), sent(1, 30, 40), NOW_MS).until_ms == NOW_MS + 8 * HOUR_MS


def test_a_cap_may_block(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("frequency_cap", capped((1, 24)), action="block")])
    decision = rules.decide(message(), sent(1), NOW_MS)
    assert decision.outcome is Outcome.BLOCK
    assert decision.rules[0].reason == "1 messages in 24 hours are allowed, and all are used"


def test_transactional_messages_are_not_capped(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("frequency_cap", capped((1, 24)))])
    assert rules.decide(message(purpose=Purpose.TRANSACTIONAL), sent(1), NOW_MS).outcome is Outcome.ALLOW


def test_a_window_that_frees_too_late_blocks(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("frequency_cap", capped((1, 24 * 30)))])
    assert rules.decide(message(), sent(1), NOW_MS).outcome is Outcome.BLOCK
    assert rules.decide(message(), sent(24 * 16), NOW_MS).until_ms == NOW_MS + 14 * 24 * HOUR_MS


def test_the_set_knows_how_far_back_sends_must_reach(rule: Build, message: Build) -> None:
    rules = RuleSet(
        [
            rule("frequency_cap", capped((1, 24), (3, 72))),
            rule("frequency_cap", capped((1, 240)), id="calls", channels=["voice"]),
        ]
    )
    assert rules.longest_cap_window_ms == 240 * HOUR_MS
    text = message()
    assert rules.counting("US", text) == Counting(72 * HOUR_MS, (Channel.SMS,))
    assert rules.counting("US", msgspec.structs.replace(text, purpose=Purpose.TRANSACTIONAL)) == NOTHING_COUNTED
    assert RuleSet([]).longest_cap_window_ms == 0


def sends(*entries: tuple[float, dict[str, Any]]) -> Facts:
    made = [
        RecentSend(NOW_MS - int(hours * HOUR_MS), fields.pop("channel", Channel.SMS), **fields)
        for hours, fields in entries
    ]
    return Facts("US", ("America/New_York",), recent_sends=tuple(made))


def one_in(per: str = "24h", **fields: Any) -> dict[str, Any]:
    return {"caps": [{"limit": 1, "per": per} | fields]}


@pytest.mark.parametrize("likeness", ["event", "category", "sender", "template"])
@pytest.mark.parametrize(
    ("mine", "theirs", "full"), [("a", "a", True), ("a", "b", False), ("a", None, True), (None, "b", True)]
)
def test_only_messages_that_are_alike_count(
    rule: Build, message: Build, likeness: str, mine: str | None, theirs: str | None, full: bool
) -> None:
    rules = RuleSet([rule("frequency_cap", one_in(same=[likeness]))])
    decision = rules.decide(message(**{likeness: mine}), sends((1, {likeness: theirs})), NOW_MS)
    assert decision.outcome is (Outcome.DEFER if full else Outcome.ALLOW)


def test_channels_count_by_themselves_or_together(rule: Build, message: Build) -> None:
    called = sends((1, {"channel": Channel.VOICE}))
    alone = RuleSet([rule("frequency_cap", one_in(), channels=["sms", "voice"])])
    together = RuleSet([rule("frequency_cap", one_in(together=True), channels=["sms", "voice"])])
    assert alone.decide(message(), called, NOW_MS).outcome is Outcome.ALLOW
    assert together.decide(message(), called, NOW_MS).outcome is Outcome.DEFER
    assert alone.counting("US", message()).channels == (Channel.SMS,)
    assert together.counting("US", message()).channels == (Channel.SMS, Channel.VOICE)


def test_a_cap_binds_its_own_channels(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("frequency_cap", one_in(channels=["voice"]))])
    assert rules.decide(message(), sends((1, {})), NOW_MS).outcome is Outcome.ALLOW
    assert rules.counting("US", message()) == NOTHING_COUNTED
    assert not rules.caps(message())
    assert rules.caps(message(channel=Channel.VOICE))


def test_transactional_messages_are_capped_where_a_rule_says_so(rule: Build, message: Build) -> None:
    made = rule("frequency_cap", one_in(same=["category"]), applies_to="transactional", categories=["fraud"])
    rules = RuleSet([made])
    alert = message(purpose=Purpose.TRANSACTIONAL, category="fraud")
    before = sends((1, {"purpose": Purpose.TRANSACTIONAL, "category": "fraud"}))
    advertised = sends((1, {"purpose": Purpose.PROMOTIONAL, "category": "fraud"}))
    assert rules.decide(alert, before, NOW_MS).outcome is Outcome.DEFER
    assert rules.decide(alert, advertised, NOW_MS).outcome is Outcome.ALLOW
    assert rules.counting("US", message(purpose=Purpose.TRANSACTIONAL)) == NOTHING_COUNTED
    assert rules.caps(alert)
    assert not rules.caps(message(purpose=Purpose.TRANSACTIONAL))
    assert not rules.caps(message(category="fraud"))


@pytest.mark.parametrize(
    ("per", "sent_at", "now", "until"),
    [
        ("day", "2026-03-04T23:59-05:00", "2026-03-04T23:59:30-05:00", "2026-03-05T00:00-05:00"),
        ("day", "2026-03-04T23:59-05:00", "2026-03-05T00:00-05:00", None),
        ("week", "2026-03-02T00:00-05:00", "2026-03-08T23:59-04:00", "2026-03-09T00:00-04:00"),
        ("week", "2026-03-01T23:59-05:00", "2026-03-02T00:00-05:00", None),
        ("month", "2028-02-29T12:00-05:00", "2028-02-29T13:00-05:00", "2028-03-01T00:00-05:00"),
        ("24h", "2026-03-07T12:00-05:00", "2026-03-08T12:59:59-04:00", "2026-03-08T13:00-04:00"),
        ("24h", "2026-03-07T12:00-05:00", "2026-03-08T13:00-04:00", None),
    ],
)
def test_windows_end_where_the_recipient_is(
    rule: Build, message: Build, at: Callable[[str], int], per: str, sent_at: str, now: str, until: str | None
) -> None:
    known = Facts("US", ("America/New_York",), recent_sends=(RecentSend(at(sent_at), Channel.SMS),))
    decision = RuleSet([rule("frequency_cap", one_in(per))]).decide(message(), known, at(now))
    assert decision.until_ms == (None if until is None else at(until))


def test_a_long_text_is_stopped_whatever_is_left(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("frequency_cap", one_in() | {"max_chars": 5})])
    assert rules.decide(message(), Facts("US", ()), NOW_MS).outcome is Outcome.ALLOW
    longer = message(content=Content(text="hello!"))
    assert rules.decide(longer, Facts("US", ()), NOW_MS).outcome is Outcome.BLOCK


def test_a_pause_after_a_refusal_ends_to_the_millisecond(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("frequency_cap", {"after_refusal_wait": "10d"})])
    ago = NOW_MS - 10 * 24 * HOUR_MS
    no = Consent(Channel.SMS, Purpose.PROMOTIONAL, False, ago)
    asked_to_stop = OptOutRequest(ago + 1, Channel.SMS)
    assert rules.decide(message(), Facts("US", (), consents=(no,)), NOW_MS).outcome is Outcome.ALLOW
    assert rules.decide(message(), Facts("US", (), opt_outs=(asked_to_stop,)), NOW_MS).until_ms == NOW_MS + 1
    other = OptOutRequest(ago + 1, Channel.VOICE)
    assert rules.decide(message(), Facts("US", (), opt_outs=(other,)), NOW_MS).outcome is Outcome.ALLOW
    again = Consent(None, Purpose.PROMOTIONAL, True, ago + 2)
    changed_mind = Facts("US", (), consents=(again,), opt_outs=(asked_to_stop,))
    assert rules.decide(message(), changed_mind, NOW_MS).outcome is Outcome.ALLOW


def test_a_rate_is_that_of_the_sender_or_of_all(rule: Build, message: Build) -> None:
    limit = {"rate": {"metric": "complaints", "stop": 0.1, "recovery_days": 3}}
    rules = RuleSet([rule("frequency_cap", limit)])
    bad = Rate("complaints", NOW_MS - 24 * HOUR_MS, 0.1, "shop")
    known = Facts("US", (), rates=(bad, Rate("bounces", NOW_MS, 0.9)))
    assert rules.decide(message(sender="shop"), known, NOW_MS).until_ms == NOW_MS + 48 * HOUR_MS
    assert rules.decide(message(sender="bank"), known, NOW_MS).outcome is Outcome.ALLOW
    assert rules.decide(message(), Facts("US", ()), NOW_MS).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"rate": {"metric": "m", "stop": 0.1, "warn": 0.2}},
        {"caps": [{"limit": 1, "per": "day"}], "unknown_zones": []},
        {"caps": [{"limit": 1, "per": "day"}], "unknown_zones": ["Mars/Olympus"]},
        {"caps": [{"limit": 501, "per": "day"}]},
    ],
)
def test_parameters_that_make_no_sense_are_refused(rule: Build, parameters: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        rule("frequency_cap", parameters)
