"""The classifier's metrics, and the alert rules over them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from chappe.observe.classifier_metrics import ClassifierReadings, SenderReading, classifier_families

RULES = Path(__file__).parents[3] / "docs" / "prometheus" / "classifier.yml"
READINGS = ClassifierReadings(
    model="0123456789ab",
    labels={"spam": 2, "promotional": 3},
    treatments={"hold": 2},
    cache_hits=7,
    cache_misses=3,
    senders=[SenderReading("Acme", 5, 1, 2)],
    shadow="ba9876543210",
    compared=10,
    disagreed=4,
    reviews_waiting=2,
    second_opinions={"same": 8, "other": 3, "passed_over": 1},
)
_DURATION = re.compile(r"[0-9]+[smhd]")
_METRIC = re.compile(r"\bchappe[_:][a-z0-9_:]*")


class _Families:
    def __init__(self, readings: ClassifierReadings) -> None:
        self._readings = readings

    def collect(self) -> list[Metric]:
        return list(classifier_families(self._readings))


def samples(readings: ClassifierReadings) -> dict[tuple[str, tuple[str, ...]], float]:
    """As a scraper reads them."""
    registry = CollectorRegistry()
    registry.register(_Families(readings))
    text = generate_latest(registry).decode()
    families = text_string_to_metric_families(text)
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


def test_a_scraper_reads_every_count() -> None:
    found = samples(READINGS)
    assert found["chappe_classifier_verdicts_total", ("spam",)] == 2
    assert found["chappe_classifier_treatments_total", ("hold",)] == 2
    assert found["chappe_classifier_cache_lookups_total", ("hit",)] == 7
    assert found["chappe_classifier_judged_total", ("Acme",)] == 5
    assert found["chappe_classifier_uncertain_total", ("Acme",)] == 1
    assert found["chappe_classifier_disagreeing_total", ("Acme",)] == 2
    assert found["chappe_classifier_shadow_verdicts_total", ("same",)] == 6
    assert found["chappe_classifier_shadow_verdicts_total", ("other",)] == 4
    assert found["chappe_classifier_model", ("0123456789ab",)] == 1
    assert found["chappe_classifier_second_opinions_total", ("passed_over",)] == 1
    assert found["chappe_reviews_waiting", ()] == 2


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    assert set(document) == {"groups"}
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_alert_rules_have_the_form_of_prometheus_and_name_metrics_that_exist(rule: dict[str, Any]) -> None:
    assert ("alert" in rule) != ("record" in rule)
    if "alert" in rule:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert _DURATION.fullmatch(rule["for"])
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]
    else:
        assert set(rule) == {"record", "expr"}
    for opening, closing in ("()", "[]", "{}"):
        assert rule["expr"].count(opening) == rule["expr"].count(closing)
    recorded = {entry["record"] for entry in rules() if "record" in entry}
    exported = {name for name, _ in samples(READINGS)}
    named = set(_METRIC.findall(rule["expr"]))
    assert named
    assert named <= exported | recorded, named - exported - recorded
