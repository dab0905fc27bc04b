"""Checks of arguments that several operations share."""

from __future__ import annotations

from chappe.model.errors import InvalidInput


def check_duration(value_ms: int, name: str) -> None:
    """Raises `InvalidInput` for a negative duration."""
    if value_ms < 0:
        raise InvalidInput(f"{name} is {value_ms}; a duration is at least 0.", field=name)
