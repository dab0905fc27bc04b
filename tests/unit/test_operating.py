"""The page for operators names events, errors and metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
SOURCES = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(?:507 )?([a-z]+(?:_[a-z]+)+)`", PAGE))))
def test_a_name_on_the_page_is_one_of_the_program(name: str) -> None:
    assert re.search(rf"\b{name}\b", SOURCES)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE))
def test_what_the_page_links_to_is_there(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
