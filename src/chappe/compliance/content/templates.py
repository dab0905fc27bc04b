"""Whether a text is one that was registered: fixed words, and places for what varies."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_VARIABLE = re2.compile(r"\{#[^#{}]*#\}")
_VARIABLE_CHARACTERS_DEFAULT = 1_000
"""RE2's own bound on counted repetition."""


def matches_template(text: str, template: str, variable_characters_max: int | None) -> bool:
    """Whether a text is this template with its `{#var#}` filled in, each by at most so many characters.

    Runs of spaces count as one.
    """
    longest = min(variable_characters_max or _VARIABLE_CHARACTERS_DEFAULT, _VARIABLE_CHARACTERS_DEFAULT)
    return _compiled(" ".join(template.split()), longest).fullmatch(" ".join(text.split())) is not None


@lru_cache(maxsize=1_024)
def _compiled(template: str, longest: int) -> Any:
    fixed = _VARIABLE.split(template)
    options = re2.Options()
    options.dot_nl = True
    options.max_mem = 64 * 1024 * 1024
    options.log_errors = False
    return re2.compile(f".{{0,{longest}}}".join(re2.escape(part) for part in fixed), options)
