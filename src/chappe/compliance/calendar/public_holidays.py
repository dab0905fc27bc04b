"""Public holidays, from the holidays library: those of a country, or of one of its subdivisions, and the days they are
moved to.

A calendar is named by its country ("FR") or subdivision ("US-LA"). The days of a subdivision are those of the whole
country, as they are kept there, and its own.
"""

from __future__ import annotations

import datetime
from functools import lru_cache

import holidays
import msgspec

_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()


class Holidays(msgspec.Struct, frozen=True):
    """The days of several calendars, and `declared` ones (counted from 1970-01-01) that no calendar knows of."""

    calendars: tuple[str, ...]
    declared: tuple[int, ...] = ()

    def has(self, day: int) -> bool:
        """Whether `day`, counted from 1970-01-01, is one of them."""
        return day in self.declared or any(is_holiday(calendar, day) for calendar in self.calendars)


def day_number(date: datetime.date) -> int:
    """Days since 1970-01-01."""
    return date.toordinal() - _EPOCH_ORDINAL


@lru_cache(maxsize=1_024)
def has_calendar(place: str) -> bool:
    """Whether the holidays of this country or subdivision (ISO 3166) are known."""
    # The library's own list of countries would load the calendars of all of them, which takes most of a second.
    try:
        _calendar(place)
    except (NotImplementedError, ValueError):
        return False
    return True


def is_holiday(place: str, day: int) -> bool:
    """Whether `day`, counted from 1970-01-01, is a public holiday in the whole of the place.

    Raises `NotImplementedError` for a place without a calendar.
    """
    return day in _holidays_of_year(place, datetime.date.fromordinal(day + _EPOCH_ORDINAL).year)


@lru_cache(maxsize=1_024)
def _holidays_of_year(place: str, year: int) -> frozenset[int]:
    return frozenset(map(day_number, _calendar(place, year)))


def _calendar(place: str, year: int | None = None) -> holidays.HolidayBase:
    country, _, subdivision = place.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None, years=year)
