"""Deadlines in hours, days and business days, by the public holidays and the weekend of a country.

Days are counted on the local calendar, the day of the start not among them, and end at the time of day at which they
began; where a country has several zones, in the one in which the deadline falls first. That is never later than the law
has it, and at most a day earlier.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from chappe.compliance.jurisdictions import WORLD, zones_of
from chappe.compliance.public_holidays import day_number, has_calendar, is_holiday

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_EPOCH = datetime.date(1970, 1, 1)
_SATURDAY_AND_SUNDAY = frozenset({5, 6})


class Unit(StrEnum):
    """What a deadline is counted in. Laws say business or working days for the same."""

    HOURS = "hours"
    DAYS = "days"
    BUSINESS_DAYS = "business_days"
    WORKING_DAYS = "working_days"


def due_ms(start_ms: int, count: int, unit: Unit, place: str | None) -> int:
    """The moment by which something is due that began to run at `start_ms`.

    `place` (ISO 3166) tells which holidays and zones count. Without one, or for one without a calendar of holidays,
    every weekday but Saturday and Sunday is a business day; without zones, days are those of UTC.
    """
    if unit is Unit.HOURS:
        return start_ms + count * _HOUR_MS
    if unit is Unit.DAYS or count == 0:
        return start_ms + count * _DAY_MS
    zones = zones_of(None if place == WORLD else place) or ("UTC",)
    return min(_business_days_later_ms(start_ms, count, place, zone) for zone in zones)


def is_business_day(day: int, place: str | None) -> bool:
    """Whether a day, counted from 1970-01-01, is one on which offices are open in the place."""
    weekday = (day + 3) % 7
    if place is None or not has_calendar(place):
        return weekday not in _SATURDAY_AND_SUNDAY
    return weekday not in _weekend(place.partition("-")[0]) and not is_holiday(place, day)


def _business_days_later_ms(start_ms: int, count: int, place: str | None, zone: str) -> int:
    local = datetime.datetime.fromtimestamp(start_ms / 1000, ZoneInfo(zone))
    day = day_number(local.date())
    while count:
        day += 1
        count -= is_business_day(day, place)
    due = datetime.datetime.combine(_EPOCH + datetime.timedelta(days=day), local.timetz())
    return int(due.timestamp() * 1000)


@lru_cache(maxsize=256)
def _weekend(country: str) -> frozenset[int]:
    return frozenset(holidays.country_holidays(country).weekend)
