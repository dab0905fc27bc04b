"""What messages are about, by the words they use: the matters that carriers and laws keep out of messages.

The words are in `prohibited.yaml`, RE2 patterns by matter, case ignored. They are chosen to be hardly ever used
otherwise; what a message is about is better said by its `category`, which counts for more.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from chappe.compliance.content.patterns import compiled, compiled_long
from chappe.compliance.content.shown import Shown
from chappe.compliance.packaged_tables import parse_table


@cache
def _patterns() -> dict[str, Any]:
    text = files("chappe.compliance.content").joinpath("prohibited.yaml").read_text(encoding="utf-8")
    words: dict[str, list[str]] = parse_table(text)
    return {matter: compiled("|".join(f"(?:{pattern})" for pattern in patterns)) for matter, patterns in words.items()}


def subjects_known() -> frozenset[str]:
    """The matters that can be named."""
    return frozenset(_patterns())


def subjects_of(category: str | None, seen: Shown, among: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these matters a message is about, by its category or its words."""
    if not seen.has(any_subject(among)):  # nearly all messages: one search instead of one per matter
        return (category,) if category in among else ()
    patterns = _patterns()
    return tuple(name for name in among if name == category or seen.has(patterns[name]))


@lru_cache(maxsize=256)
def any_subject(among: tuple[str, ...]) -> Any:
    """One pattern for the words of all these matters."""
    patterns = _patterns()
    return compiled_long("|".join(f"(?:{patterns[name].pattern})" for name in among))
