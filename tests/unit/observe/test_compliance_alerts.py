"""The alert rules over decisions ask for series, labels and values that a scrape has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.observe.test_metrics import decision, message, samples

from chappe.model.customer import Outcome, RuleOutcome
from chappe.observe.metrics import Metrics

FILE = Path(__file__).parents[3] / "docs" / "prometheus" / "compliance.yml"
_SERIES = re.compile(r"\b(?P<name>chappe[_:][a-z0-9_:]*)(\{(?P<selectors>[^}]*)\})?")
_SELECTOR = re.compile(r'(?P<label>\w+)(?P<match>=~|=)"(?P<value>[^"]*)"')
_OF_TEMPLATE = re.compile(r"\$labels\.(\w+)")
_BY = re.compile(r"\bby \((?P<labels>[^)]*)\)")


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def scraped() -> dict[str, list[dict[str, str]]]:
    """The labels of each series by its name, of a server that has blocked and deferred."""
    counted = Metrics()
    for outcome in (Outcome.BLOCK, Outcome.DEFER):
        counted.decided("intake", message("offers"), decision(outcome, RuleOutcome("us-rule", outcome, "no")), "US-FL")
    found: dict[str, list[dict[str, str]]] = {}
    for name, labels in samples(counted):
        found.setdefault(name, []).append(dict(labels))
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_an_alert_can_fire(rule: dict[str, Any]) -> None:
    found = scraped()
    recorded = {entry["record"]: entry["expr"] for entry in rules() if "record" in entry}
    asked = list(_SERIES.finditer(rule["expr"]))
    assert asked
    carried: set[str] = set()
    for series in asked:
        if series["name"] in recorded:
            carried |= {label for by in _BY.finditer(recorded[series["name"]]) for label in by["labels"].split(", ")}
            continue
        assert series["name"] in found
        carried |= set(found[series["name"]][0])
        for selector in _SELECTOR.finditer(series["selectors"] or ""):
            told = {labels.get(selector["label"]) for labels in found[series["name"]]}
            assert told & set(selector["value"].split("|")), series[0]
    texts = " ".join(rule.get("annotations", {}).values())
    assert set(_OF_TEMPLATE.findall(texts)) <= carried
    if "alert" in rule:
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["annotations"]["summary"]
