"""Windows in which messages are counted: those that slide, and those of the calendar on the recipient's clock.

Both kinds are asked the same question, when a message sent at a moment stops counting: a sliding window of 24 hours
counts it for 24 hours, a calendar day until the next one begins where the recipient is. Where that may be in several
zones, the last of them decides.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from chappe.compliance.calendar.hours import DAY_MS, offset_pieces, weekday
from chappe.compliance.calendar.periods import end_of, in_words
from chappe.compliance.calendar.public_holidays import day_number
from chappe.model.customer import Channel

Window = Annotated[str, msgspec.Meta(pattern=r"^([1-9][0-9]{0,3}(m|h|d|mo|y)|day|week|month)$")]
"""A sliding period (`24h`, `7d`, `6mo`), or a `day`, `week` (from Monday) or `month` of the calendar."""

CALENDAR_WINDOWS = ("day", "week", "month")
_LONGEST_MS = {"day": 2 * DAY_MS, "week": 9 * DAY_MS, "month": 33 * DAY_MS}
"""A zone that changes its date may repeat a day."""
_LEAP_YEAR_MS = 366 * DAY_MS
_EPOCH = datetime.date(1970, 1, 1)


class Counting(msgspec.Struct, frozen=True):
    """Which earlier messages to the recipient have to be known: so far back, on these channels. None with 0."""

    window_ms: int
    channels: tuple[Channel, ...]

    def with_(self, other: Counting) -> Counting:
        """What both need."""
        channels = tuple(dict.fromkeys(self.channels + other.channels))
        return Counting(max(self.window_ms, other.window_ms), channels)


NOTHING_COUNTED = Counting(0, ())


def is_calendar(window: Window) -> bool:
    """Whether the window is one of the calendar, so that it depends on the zone."""
    return window in CALENDAR_WINDOWS


@lru_cache(maxsize=256)
def longest_ms(window: Window) -> int:
    """How far back a message may be and still count."""
    if is_calendar(window):
        return _LONGEST_MS[window]
    # Months and years are longest where they hold the most days; each month is at most 31.
    return max(end_of(start, window) - start for start in _LONG_STARTS_MS)


def named(window: Window) -> str:
    """As in "24 hours" or "a calendar day"."""
    return f"a calendar {window}" if is_calendar(window) else in_words(window)


def counts_until_ms(window: Window, at_ms: int, zones: tuple[str, ...]) -> int:
    """The first moment at which a message of `at_ms` does not count any more, in any of the zones (at least one)."""
    if not is_calendar(window):
        return end_of(at_ms, window)
    return max(_calendar_window_ends_ms(window, at_ms, zone) for zone in zones)


def _calendar_window_ends_ms(window: Window, at_ms: int, zone: str) -> int:
    local = datetime.datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone)).date()
    return _day_begins_ms(zone, _following(window, local))


def _following(window: Window, date: datetime.date) -> int:
    """The first day of the next window, counted from 1970-01-01."""
    day = day_number(date)
    if window == "day":
        return day + 1
    if window == "week":
        return day + 7 - weekday(day)
    return day_number((date.replace(day=1) + datetime.timedelta(days=32)).replace(day=1))


@lru_cache(maxsize=8_192)
def _day_begins_ms(zone: str, day: int) -> int:
    """The moment from which on the local date is this day or a later one; a clock that goes back over midnight counts
    from the second time.
    """
    pieces = offset_pieces(zone, (day - 2) * DAY_MS, (day + 2) * DAY_MS)
    begins_ms = pieces[-1][1]
    for start, end, offset in reversed(pieces):
        reaches_ms = max(start, day * DAY_MS - offset)
        if reaches_ms >= end:
            break
        begins_ms = reaches_ms
        if reaches_ms > start:
            break
    return begins_ms


_LONG_STARTS_MS = tuple(
    (datetime.date(year, month, 1) - _EPOCH).days * DAY_MS for year in (2023, 2024) for month in range(1, 13)
)
