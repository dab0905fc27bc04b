"""By when a request to stop has to be met.

Working days are those of the jurisdiction: not its weekend, and no public holiday (of the holidays library). The day of
receipt is not counted, and a deadline of days ends with the last of them. Where the person may be in several zones, the
day that ends first counts.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import msgspec

from chappe.compliance.calendar.public_holidays import day_number, has_calendar, is_holiday
from chappe.compliance.places.jurisdictions import zones_of
from chappe.model.jurisdictions import WORLD

AT_ONCE_MS = 300_000
"""What "at once" (a deadline of no days) leaves a machine: five minutes."""
_HOUR_MS = 3_600_000
_WORKING_DAYS = frozenset({"business_days", "working_days"})
_SATURDAY_SUNDAY = frozenset({5, 6})
_SEARCH_DAYS_MAX = 400


class HonourTerm(msgspec.Struct, frozen=True):
    """What a rule allows: `amount` of `unit` (`hours`, `days`, `business_days`, `working_days`) from receipt."""

    rule: str
    amount: int
    unit: str
    jurisdiction: str


def due_at_ms(term: HonourTerm, received_at_ms: int, zones: Sequence[str]) -> int:
    """By when a request that was received then has to be met."""
    if term.amount == 0:
        return received_at_ms + AT_ONCE_MS
    if term.unit == "hours":
        return received_at_ms + term.amount * _HOUR_MS
    places = zones or zones_of(None if term.jurisdiction == WORLD else term.jurisdiction) or ("UTC",)
    return min(_end_of_days(term, received_at_ms, ZoneInfo(zone)) for zone in places)


def _end_of_days(term: HonourTerm, received_at_ms: int, zone: ZoneInfo) -> int:
    day = datetime.datetime.fromtimestamp(received_at_ms / 1000, zone).date()
    if term.unit in _WORKING_DAYS:
        day = _working_days_later(day, term.amount, term.jurisdiction)
    else:
        day += datetime.timedelta(days=term.amount)
    end = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), zone)
    return int(end.timestamp() * 1000) - 1


def _working_days_later(day: datetime.date, count: int, place: str) -> datetime.date:
    for _ in range(_SEARCH_DAYS_MAX):
        day += datetime.timedelta(days=1)
        if _is_working_day(day, place):
            count -= 1
            if count == 0:
                break
    return day


def _is_working_day(day: datetime.date, place: str) -> bool:
    if day.weekday() in _weekend(place.partition("-")[0]):
        return False
    return not (has_calendar(place) and is_holiday(place, day_number(day)))


@lru_cache(maxsize=256)
def _weekend(country: str) -> frozenset[int]:
    """Days of the week that are free, 0 for Monday."""
    try:
        found = holidays.country_holidays(country).weekend
    except NotImplementedError:
        return _SATURDAY_SUNDAY
    return frozenset(found)
