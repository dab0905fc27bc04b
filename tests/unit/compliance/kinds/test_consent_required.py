"""consent_required."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chappe.compliance.facts.recipient import Consent, ConsentLevel, Facts
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Decision, Outcome, Purpose

Build = Callable[..., Any]
DAY_MS = 86_400_000


def consent(level: ConsentLevel | None = None, **fields: Any) -> Consent:
    return Consent(Channel.SMS, Purpose.PROMOTIONAL, True, 0, level=level, **fields)


@pytest.fixture
def decide(rule: Build, message: Build) -> Callable[..., Decision]:
    def run(parameters: dict[str, Any], *consents: Consent, now_ms: int = 1, **fields: Any) -> Decision:
        rules = RuleSet([rule("consent_required", parameters)])
        return rules.decide(message(**fields), Facts("US", (), consents=consents), now_ms)

    return run


def test_without_consent_it_blocks_and_says_why(decide: Callable[..., Decision]) -> None:
    decision = decide({"level": "express"})
    assert decision.outcome is Outcome.BLOCK
    assert decision.rules[0].reason == "express consent is required and there is no consent on record"


@pytest.mark.parametrize("wanted", list(ConsentLevel))
@pytest.mark.parametrize("given", list(ConsentLevel))
def test_a_level_satisfies_itself_and_weaker_ones(
    decide: Callable[..., Decision], wanted: ConsentLevel, given: ConsentLevel
) -> None:
    decision = decide({"level": wanted.value}, consent(given))
    assert (decision.outcome is Outcome.ALLOW) == (given.rank >= wanted.rank)


def test_the_reason_names_what_is_missing(decide: Callable[..., Decision]) -> None:
    reason = decide({"level": "written"}, consent()).rules[0].reason
    assert reason == "written consent is required and only express consent was recorded on 1970-01-01"


def test_proof_alone_does_not_make_a_grant_written(decide: Callable[..., Decision]) -> None:
    assert decide({"level": "written"}, consent(proof="checkbox")).outcome is Outcome.BLOCK
    written = consent(ConsentLevel.WRITTEN, proof="the form as shown")
    assert decide({"level": "written"}, written).outcome is Outcome.ALLOW


def test_an_implied_consent_runs_out(decide: Callable[..., Decision]) -> None:
    parameters = {"level": "implied", "implied": [{"basis": "purchase", "within": "10d"}]}
    implied = consent(ConsentLevel.IMPLIED)
    assert decide(parameters, implied, now_ms=10 * DAY_MS - 1).outcome is Outcome.ALLOW
    assert decide(parameters, implied, now_ms=10 * DAY_MS).outcome is Outcome.BLOCK


def test_per_channel_asks_for_a_consent_that_names_the_channel(decide: Callable[..., Decision]) -> None:
    for_all = Consent(None, Purpose.PROMOTIONAL, True, 0)
    assert decide({"level": "express"}, for_all).outcome is Outcome.ALLOW
    assert decide({"level": "express", "per_channel": True}, for_all).outcome is Outcome.BLOCK


def test_transactional_messages_need_none_where_the_rule_says_promotional(
    decide: Callable[..., Decision],
) -> None:
    decision = decide({"level": "express"}, purpose=Purpose.TRANSACTIONAL)
    assert decision == Decision(Outcome.ALLOW, 1)


def test_a_rule_may_bind_transactional_messages(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("consent_required", {"level": "express"}, applies_to="both")])
    otp = message(purpose=Purpose.TRANSACTIONAL)
    assert rules.decide(otp, Facts("US", ()), 0).outcome is Outcome.BLOCK
    granted = Consent(Channel.SMS, Purpose.TRANSACTIONAL, True, 0)
    assert rules.decide(otp, Facts("US", (), consents=(granted,)), 0).outcome is Outcome.ALLOW
