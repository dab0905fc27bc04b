"""frequency_cap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.counting import NOTHING_COUNTED, Counting
from chappe.compliance.facts import Facts, RecentSend
from chappe.compliance.ruleset import RuleSet
from chappe.model.customer import Channel, Outcome, Purpose

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
