"""Which rules say by when a request to stop is to be met, and which words are one."""

from __future__ import annotations

from typing import Any

import msgspec

from chappe.compliance.kinds import AnyRule
from chappe.compliance.places.locating import locate
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Recipient
from chappe.pipeline.verdicts.honouring import honour_deadlines, opt_out_words

NOVA_SCOTIA_OR_THE_ISLAND = Recipient(phone="+19025550123")
NOW_MS = 1_772_600_000_000


def rule(kind: str, jurisdiction: str, parameters: dict[str, Any]) -> AnyRule:
    entry = {
        "id": f"test-{jurisdiction.lower()}",
        "kind": kind,
        "jurisdiction": jurisdiction,
        "regulation": "A test",
        "citation": "none",
        "channels": ["any"],
        "applies_to": "both",
        "parameters": parameters,
        "action": "block",
        "severity": "low",
        "summary": "A rule of the tests.",
        "source": "the tests",
        "confidence": "house",
    }
    found: AnyRule = msgspec.convert(entry, AnyRule)
    return found


def test_every_place_where_the_person_may_be_sets_its_deadline() -> None:
    days = {"deadline": 3, "unit": "days"}
    rules = RuleSet([rule("opt_out_honour", place, days) for place in ("CA", "CA-PE", "CA-QC")])
    where = locate(NOVA_SCOTIA_OR_THE_ISLAND)
    found = honour_deadlines(rules, NOVA_SCOTIA_OR_THE_ISLAND, where, Channel.SMS, None, NOW_MS)
    assert {deadline.rule for deadline in found} == {"test-ca", "test-ca-pe"}


def test_the_words_of_every_place_where_the_person_may_be_are_understood() -> None:
    words = {"CA": "assez", "CA-PE": "whoa", "CA-QC": "arret"}
    rules = RuleSet(
        [rule("opt_out_keyword", place, {"intent": "opt_out", "keywords": [word]}) for place, word in words.items()]
    )
    where = locate(NOVA_SCOTIA_OR_THE_ISLAND)
    found = opt_out_words(rules, NOVA_SCOTIA_OR_THE_ISLAND, where, Channel.SMS, NOW_MS)
    assert sorted(found) == ["assez", "whoa"]
