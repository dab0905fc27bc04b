"""Every example of every shipped rule comes out as it is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule.base import DutyRule
from chappe.compliance.rule.examples import Example
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.rule_sets.trying import trials, try_example
from chappe.model.customer import Outcome

RULES: list[AnyRule] = read_rules(packaged_rule_files())
MESSAGE_RULES: list[AnyRule] = [rule for rule in RULES if not isinstance(rule, DutyRule)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_examples_of_a_rule_come_out_as_told(rule: AnyRule) -> None:
    assert [f"{t.example.why}: {t.found}: {t.reason}" for t in trials(rule) if not t.as_told] == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.examples], ids=lambda rule: rule.id)
def test_a_rule_with_examples_decides_one_and_lets_one_pass(rule: AnyRule) -> None:
    told = {str(example.says) for example in rule.examples}
    assert len(told) > 1
    assert isinstance(rule, DutyRule) or "allow" in told


def convert(**fields: Any) -> Example:
    return msgspec.convert({"says": "allow", "why": "a test"} | fields, Example)


def test_moments_of_facts_may_be_written_as_text() -> None:
    example = convert(facts={"consents": [consent("2026-03-01T00:00:00Z")]})
    assert example.known("US").consents[0].recorded_at_ms == 1_772_323_200_000


def test_a_moment_without_an_offset_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="offset"):
        convert(at="2026-03-01T00:00:00")
    with pytest.raises(msgspec.ValidationError, match="offset"):
        convert(facts={"consents": [consent("2026-03-01T00:00:00")]})


def test_a_fact_that_does_not_exist_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(facts={"person": {"shoe_size": 44}})


def test_an_example_that_tells_otherwise_is_found_out() -> None:
    rule = next(rule for rule in MESSAGE_RULES if rule.id == "us-tcpa-quiet-hours")
    night = convert(at="2026-03-04T23:00:00-05:00", facts={"zones": ["America/New_York"]})
    trial = try_example(rule, night)
    assert (trial.found, trial.as_told) == (Outcome.DEFER, False)
    assert try_example(rule, msgspec.structs.replace(night, says=Outcome.DEFER)).as_told


def consent(moment: str) -> dict[str, Any]:
    return {"channel": None, "purpose": "promotional", "granted": True, "recorded_at_ms": moment}
