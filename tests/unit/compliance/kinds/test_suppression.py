"""suppression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chappe.compliance.facts.recipient import Facts, Suppression
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Outcome, Purpose

Build = Callable[..., Any]
ADDRESS = "+12125550123"


def entry(**fields: Any) -> Suppression:
    defaults: dict[str, Any] = {"address": ADDRESS, "channel": None, "purpose": None, "reason": "STOP"}
    return Suppression(**(defaults | fields), created_at_ms=0)


@pytest.mark.parametrize(
    ("suppression", "outcome"),
    [
        (entry(), Outcome.BLOCK),
        (entry(channel=Channel.SMS), Outcome.BLOCK),
        (entry(purpose=Purpose.PROMOTIONAL), Outcome.BLOCK),
        (entry(channel=Channel.EMAIL), Outcome.ALLOW),
        (entry(purpose=Purpose.TRANSACTIONAL), Outcome.ALLOW),
        (entry(address="+12125550199"), Outcome.ALLOW),
    ],
)
def test_an_entry_stops_what_it_covers(rule: Build, message: Build, suppression: Suppression, outcome: Outcome) -> None:
    decision = RuleSet([rule("suppression")]).decide(message(), Facts("US", (), (suppression,)), 0)
    assert decision.outcome is outcome


def test_it_stops_transactional_messages_too_and_says_why(rule: Build, message: Build) -> None:
    otp = message(purpose=Purpose.TRANSACTIONAL)
    decision = RuleSet([rule("suppression")]).decide(otp, Facts("US", (), (entry(),)), 0)
    assert decision.outcome is Outcome.BLOCK
    assert decision.rules[0].reason == "the address is suppressed since 1970-01-01: STOP"
    assert decision.until_ms is None
