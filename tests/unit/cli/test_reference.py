from __future__ import annotations

from pathlib import Path

from chappe.cli.reference import render

PAGE = Path(__file__).parents[3] / "docs" / "commands.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: make docs"


def test_every_option_is_explained() -> None:
    assert "| None |" not in render()
    assert "|  |" not in render()
