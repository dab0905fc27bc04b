from __future__ import annotations

from pathlib import Path

from chappe.config.reference import render, undocumented

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_every_setting_is_documented() -> None:
    assert undocumented() == []


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: make docs"
