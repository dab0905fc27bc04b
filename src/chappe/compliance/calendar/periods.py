"""Periods as rules write them: `2y`, `6mo`, `14d`, `24h`, `5m`. Months and years are those of the calendar, in UTC.

A month later than the 31st of a month with fewer days following is the last day of that month: a period that
begins on 29 February 2024 and lasts two years ends on 28 February 2026.
"""

from __future__ import annotations

import calendar
import datetime
import re
from functools import lru_cache
from typing import Annotated

import msgspec

Period = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3}(m|h|d|mo|y)$")]
"""A number and a unit: m(inutes), h(ours), d(ays), mo(nths) or y(ears)."""

_FIXED_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_MONTHS = {"mo": 1, "y": 12}
_WORDS = {"m": "minute", "h": "hour", "d": "day", "mo": "month", "y": "year"}
_PERIOD = re.compile(r"^(?P<count>[1-9][0-9]{0,3})(?P<unit>m|h|d|mo|y)$")
_DAY_MS = 86_400_000
_FAR_MS = 2**62
_EPOCH = datetime.date(1970, 1, 1)


def end_of(start_ms: int, period: Period) -> int:
    """The first moment after the period, which begins at `start_ms`."""
    count, unit = _parts(period)
    if unit in _FIXED_MS:
        return start_ms + count * _FIXED_MS[unit]
    day, within_day_ms = divmod(start_ms, _DAY_MS)
    later = _months_later(day, count * _MONTHS[unit])
    return _FAR_MS if later is None else later * _DAY_MS + within_day_ms


def in_words(period: Period) -> str:
    """As in "2 years"."""
    count, unit = _parts(period)
    return f"{count} {_WORDS[unit]}{'' if count == 1 else 's'}"


@lru_cache(maxsize=256)
def _parts(period: str) -> tuple[int, str]:
    found = _PERIOD.match(period)
    if found is None:
        raise ValueError(f"{period!r} is not a period such as 2y, 6mo, 14d, 24h or 5m")
    return int(found["count"]), found["unit"]


@lru_cache(maxsize=4_096)
def _months_later(day: int, months: int) -> int | None:
    """The day so many months later, counted from 1970-01-01; None beyond the calendar."""
    try:
        start = _EPOCH + datetime.timedelta(days=day)
        year, month = divmod(start.month - 1 + months, 12)
        year, month = start.year + year, month + 1
        last = calendar.monthrange(year, month)[1]
        return (datetime.date(year, month, min(start.day, last)) - _EPOCH).days
    except (OverflowError, ValueError):
        return None
