"""What messages are about, by the words they use: the matters that carriers and laws keep out of messages.

The words are in `prohibited.yaml`, RE2 patterns by matter, case ignored. They are chosen to be hardly ever used
otherwise; what a message is about is better said by its `category`, which counts for more.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from chappe.compliance.patterns import compiled
from chappe.compliance.shown import Shown


@cache
def _patterns() -> dict[str, Any]:
    text = files("chappe.compliance").joinpath("prohibited.yaml").read_text(encoding="utf-8")
    words: dict[str, list[str]] = yaml.safe_load(text)
    return {matter: compiled("|".join(f"(?:{pattern})" for pattern in patterns)) for matter, patterns in words.items()}


def subjects_known() -> frozenset[str]:
    """The matters that can be named."""
    return frozenset(_patterns())


def subjects_of(category: str | None, seen: Shown, among: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these matters a message is about, by its category or its words."""
    patterns = _patterns()
    return tuple(name for name in among if name == category or seen.any_match(patterns[name]) is not None)
