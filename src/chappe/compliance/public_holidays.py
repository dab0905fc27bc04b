"""Public holidays by country, from the holidays library: national ones, and the days they are moved to."""

from __future__ import annotations

import datetime
from functools import lru_cache

import holidays

_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()


def has_calendar(country: str) -> bool:
    """Whether the holidays of this ISO 3166-1 country are known."""
    # The library's own list of countries would load the calendars of all of them, which takes most of a second.
    try:
        holidays.country_holidays(country)
    except NotImplementedError:
        return False
    return True


def is_holiday(country: str, day: int) -> bool:
    """Whether `day`, counted from 1970-01-01, is a public holiday in the whole of the country."""
    return day in _holidays_of_year(country, datetime.date.fromordinal(day + _EPOCH_ORDINAL).year)


@lru_cache(maxsize=512)
def _holidays_of_year(country: str, year: int) -> frozenset[int]:
    return frozenset(day.toordinal() - _EPOCH_ORDINAL for day in holidays.country_holidays(country, years=year))
