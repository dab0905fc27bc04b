"""Tables of words that come with Chappe, in YAML."""

from __future__ import annotations

from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML without libyaml reads the same, ten times as slowly
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


def parse_table(text: str) -> Any:
    """What a table says, as plain values."""
    return yaml.load(text, Loader=_Loader)
