"""Looking for many patterns in a text at once.

A search costs about the same for one pattern as for fifty (RE2's sets run as one automaton), and most of that is
getting into RE2 and out again. So what all rules look for in a message is looked for together, once.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import re2

_SET_BYTES_MAX = 32 * 1024 * 1024
_ALWAYS_THERE = ""


class Scan:
    """Says which of its patterns (compiled by `re2`) have a match in a text. Never changes once built."""

    def __init__(self, patterns: Iterable[Any]) -> None:
        """Raises `ValueError` if they are too many to be looked for together."""
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _SET_BYTES_MAX
        self._set = re2.Set.SearchSet(options)
        # A set that runs out of memory finds nothing, not even this; it must not be taken for an answer.
        self._canary = self._set.Add(_ALWAYS_THERE)
        self._by_number = {self._set.Add(_case_written_out(pattern)): pattern for pattern in dict.fromkeys(patterns)}
        self.patterns = frozenset(self._by_number.values())
        try:
            self._set.Compile()
        except re2.error:
            raise ValueError(f"{len(self.patterns)} patterns are too many to be looked for together") from None

    def found_in(self, text: str) -> frozenset[Any] | None:
        """The patterns that have a match in the text; None if that could not be told."""
        numbers = self._set.Match(text)
        if self._canary not in numbers:
            return None
        if len(numbers) == 1:
            return _NOTHING_FOUND
        return frozenset(self._by_number[number] for number in numbers if number != self._canary)


@lru_cache(maxsize=256)
def scan_for(patterns: frozenset[Any]) -> Scan | None:
    """The scan for these patterns, built once; None if they can't be looked for together."""
    try:
        return Scan(patterns)
    except ValueError:
        return None


_NOTHING_FOUND: frozenset[Any] = frozenset()


def _case_written_out(pattern: Any) -> str:
    """The expression, saying itself what its options say."""
    text: str = pattern.pattern
    return text if pattern.options.case_sensitive else f"(?i:{text})"
