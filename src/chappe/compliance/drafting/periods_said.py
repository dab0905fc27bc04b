"""Stretches of time as texts say them, and as rules write them: `2 years` is 2y, `5 business days` stay so."""

from __future__ import annotations

import re

import msgspec

PERIOD = (
    r"(?P<count>\d{1,4})(?:[- ]|\s)(?:(?P<sort>business|working|calendar|consecutive|full|further|more"
    r"|additional)[- ])?"
    r"(?P<unit>minute|hour|day|week|month|year)s?"
)
_LETTERS = {"minute": "m", "hour": "h", "day": "d", "month": "mo", "year": "y"}


class Said(msgspec.Struct, frozen=True):
    """A count of units; `sort` is "business" or "working" for days that are counted so."""

    count: int
    unit: str
    sort: str = ""

    @property
    def period(self) -> str | None:
        """As rules write it; None for days of work, of which no rule can say how long they are."""
        if self.sort:
            return None
        if self.unit == "week":
            return f"{self.count * 7}d"
        return f"{self.count}{_LETTERS[self.unit]}"


def said(found: re.Match[str]) -> Said:
    """Of a match of a pattern that has `PERIOD` in it."""
    sort = found["sort"] if found["sort"] in ("business", "working") else ""
    return Said(int(found["count"]), found["unit"], sort)


def period_in(pattern: str, text: str) -> Said | None:
    """What a pattern finds, with `~` in it standing for a stretch of time."""
    found = re.search(pattern.replace("~", PERIOD), text)
    return said(found) if found and int(found["count"]) else None
