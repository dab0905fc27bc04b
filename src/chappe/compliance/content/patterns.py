"""Patterns of rules over content: RE2, compiled once, bounded in length and in memory.

RE2 (https://github.com/google/re2/wiki/Syntax) matches in time linear in the length of the text, so no pattern and no
message can hold up a server.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

PATTERN_CHARACTERS_MAX = 2_000
_PROGRAM_BYTES_MAX = 4 * 1024 * 1024


def _options() -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _PROGRAM_BYTES_MAX
    return options


@lru_cache(maxsize=4_096)
def compiled(pattern: str) -> Any:
    """The pattern, case ignored. Raises `ValueError` saying what is wrong with it."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise ValueError(f"a pattern has at most {PATTERN_CHARACTERS_MAX} characters")
    return compiled_long(pattern)


def compiled_long(pattern: str) -> Any:
    """The same for a pattern of any length: for those that are put together here. The caller keeps it."""
    try:
        return re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"the pattern {pattern!r} is no RE2 expression: {text}") from None
