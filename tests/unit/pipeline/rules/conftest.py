"""Rules in YAML, as people write them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chappe.records.rule_sets import Author

ANA = Author("key-1", "ana", "a test")
Write = Callable[..., str]


def a_rule(rule_id: str = "house-vip", kind: str = "consent_required", **fields: object) -> str:
    """A rule that blocks promotional messages without consent, unless told otherwise, as an entry of a rule file."""
    entry: dict[str, object] = {
        "id": rule_id,
        "kind": kind,
        "jurisdiction": "'*'",
        "regulation": "House",
        "citation": "none",
        "channels": "[any]",
        "applies_to": "promotional",
        "parameters": "{level: express}",
        "action": "block",
        "severity": "low",
        "summary": "A rule of the tests.",
        "source": "the tests",
        "confidence": "house",
    } | fields
    lines = [f"{name}: {value}" for name, value in entry.items() if value is not None]
    return "- " + "\n  ".join(lines) + "\n"


def closed_always(rule_id: str = "house-closed", **fields: object) -> str:
    """A rule that blocks every message that has no consent, also transactional ones."""
    return a_rule(rule_id, applies_to="both", **fields)


def rule_file(*rules: str) -> str:
    return "rules:\n" + "".join(rules)


@pytest.fixture
def author() -> Author:
    return ANA
