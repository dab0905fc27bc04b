"""Counting, and how it is told."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chappe.model.customer import Channel, Content, CustomerMessage, Decision, Outcome, Purpose, Recipient, RuleOutcome
from chappe.observe import metrics
from chappe.observe.metrics import CATEGORIES_MAX, Metrics, QueueDepth, Readings, RegistryAge

READINGS = Readings(
    rule_set=3,
    staged_rule_set=4,
    queues=[QueueDepth("chappe-intake-promotional", 7, 1, 2)],
    registries=[RegistryAge("us-dnc", 86_400.0, 10)],
    open_circuits={"mail": True},
    data_requests_open=2,
    data_requests_overdue=1,
)


def message(category: str | None = None) -> CustomerMessage:
    to = Recipient(email="ana@example.com")
    return CustomerMessage("msg_1", to, Channel.EMAIL, Purpose.PROMOTIONAL, Content(text="x"), 0, category=category)


def decision(outcome: Outcome, *rules: RuleOutcome) -> Decision:
    return Decision(outcome, 1, rules)


def samples(counted: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = counted.render(READINGS).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    return sum(value for (at, given), value in found.items() if at == name and labels.items() <= dict(given).items())


def test_decisions_and_what_broke_are_counted_by_rule_place_and_category() -> None:
    counted = Metrics()
    broken = RuleOutcome("us-rule", Outcome.BLOCK, "no")
    kept = RuleOutcome("default-x", Outcome.ALLOW, "yes")
    counted.decided("intake", message("gambling"), decision(Outcome.BLOCK, broken, kept), "US-FL")
    counted.decided("intake", message(), decision(Outcome.ALLOW, kept), None)
    found = samples(counted)
    assert of(found, "chappe_decisions_total") == 2
    assert of(found, "chappe_decisions_total", outcome="block", jurisdiction="US-FL", category="gambling") == 1
    assert of(found, "chappe_decisions_total", outcome="allow", jurisdiction="none", category="none") == 1
    assert of(found, "chappe_rule_violations_total") == 1
    assert of(found, "chappe_rule_violations_total", rule="us-rule", outcome="block") == 1


def test_what_callers_name_does_not_make_series_without_end() -> None:
    counted = Metrics()
    for number in range(3 * CATEGORIES_MAX):
        counted.decided("intake", message(f"c{number}"), decision(Outcome.ALLOW), "DE")
    found = samples(counted)
    assert len([name for name, _ in found if name == "chappe_decisions_total"]) == CATEGORIES_MAX + 1
    assert of(found, "chappe_decisions_total", category="other") == 2 * CATEGORIES_MAX
    assert of(found, "chappe_decisions_total") == 3 * CATEGORIES_MAX


def test_all_series_of_a_counter_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "SERIES_MAX", 500)
    counted = Metrics()
    for number in range(500 + 50):
        counted.attempted(f"p{number}", "email", "sent", 0.1)
    assert of(samples(counted), "chappe_attempts_total", provider="other") == 50


def test_durations_become_cumulative_buckets() -> None:
    counted = Metrics()
    for seconds in (0.0005, 0.001, 0.3, 1_000.0):
        counted.attempted("mail", "email", "sent", seconds)
    found = samples(counted)
    assert of(found, "chappe_attempt_seconds_bucket", le="0.001") == 2
    assert of(found, "chappe_attempt_seconds_bucket", le="0.5") == 3
    assert of(found, "chappe_attempt_seconds_bucket", le="+Inf") == of(found, "chappe_attempt_seconds_count") == 4
    assert round(of(found, "chappe_attempt_seconds_sum"), 4) == 1_000.3015


def test_readings_are_told() -> None:
    found = samples(Metrics())
    assert of(found, "chappe_rule_set_version", scope="staged") == 4
    assert of(found, "chappe_queue_messages", queue="chappe-intake-promotional", state="ready") == 7
    assert of(found, "chappe_registry_age_seconds", registry="us-dnc") == 86_400
    assert of(found, "chappe_circuit_open", provider="mail") == 1
    assert of(found, "chappe_data_requests", state="overdue") == 1
