"""How well regulations are read. The figures stand in docs/rules-draft.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.compliance.drafting.measuring import (
    DEVELOPMENT,
    HELD_OUT,
    Outcome,
    figures,
    measure,
    texts_of,
    unlisted_in,
)

PAGE = Path(__file__).parents[4] / "docs" / "rules-draft.md"
FLOORS = {DEVELOPMENT: (0.97, 0.97), HELD_OUT: (0.92, 0.90)}
"""Precision and recall."""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[Outcome]]:
    return {part: [measure(text) for text in texts_of(part)] for part in FLOORS}


def test_rules_are_found_and_nothing_else(outcomes: dict[str, list[Outcome]]) -> None:
    for part, (precision, recall) in FLOORS.items():
        found = figures(outcomes[part])
        assert found.precision >= precision, part
        assert found.recall >= recall, part


def test_texts_that_hold_no_rule_give_none(outcomes: dict[str, list[Outcome]]) -> None:
    traps = [outcome for part in outcomes.values() for outcome in part if not outcome.text.rules]
    assert len(traps) >= 10
    assert [outcome.text.name for outcome in traps if outcome.wrong] == []


def test_what_was_not_understood_is_told(outcomes: dict[str, list[Outcome]]) -> None:
    assert unlisted_in(outcomes[DEVELOPMENT]) == []
    assert len(unlisted_in(outcomes[HELD_OUT])) <= 1


def test_the_page_tells_the_figures(outcomes: dict[str, list[Outcome]]) -> None:
    rows = re.findall(
        r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|", PAGE.read_text(), re.M
    )
    told = {name: tuple(cells) for name, *cells in rows}
    for part, found in ((part, figures(outcomes[part])) for part in FLOORS):
        counts = (found.texts, found.expected, found.proposed, found.right)
        expected = (*map(str, counts), f"{found.precision:.3f}", f"{found.recall:.3f}")
        assert told[part] == expected, f"docs/rules-draft.md: {part} is {expected}"
