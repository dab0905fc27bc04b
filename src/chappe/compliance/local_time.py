"""How rule files write local time: days, times of day, windows and zones, checked as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

import msgspec

from chappe.compliance.hours import Window
from chappe.compliance.public_holidays import has_calendar

RECIPIENT = "recipient"

TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
"""`HH:MM`, in quotes; 24:00 ends a day."""
TimeZone = Annotated[str, msgspec.Meta(min_length=1)]
"""An IANA zone name, or "recipient" where a rule allows that."""

ZONES_WHEN_UNKNOWN: tuple[TimeZone, ...] = ("America/Los_Angeles", "Europe/Berlin")
"""The conservative choice for a recipient who may be anywhere: daytime in America and in Europe at once."""


class Day(StrEnum):
    """A weekday, or any public holiday."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"
    HOLIDAY = "holiday"


WEEKDAYS = tuple(day for day in Day if day is not Day.HOLIDAY)


class OpenWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sending is allowed on these weekdays from `start` until before `end`, within one local day."""

    start: TimeOfDay
    end: TimeOfDay
    days: tuple[Day, ...] = WEEKDAYS

    def __post_init__(self) -> None:
        if minutes_of(self.start) >= minutes_of(self.end):
            raise ValueError("start must be before end; split a window that crosses midnight into two")
        if Day.HOLIDAY in self.days or not self.days:
            raise ValueError("days: name weekdays (mon to sun); public holidays can only be banned")


def minutes_of(time: TimeOfDay) -> int:
    """Minutes since local midnight."""
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)


def week_of(windows: Sequence[OpenWindow], banned_days: Sequence[Day]) -> tuple[tuple[Window, ...], ...]:
    """The windows of each weekday, Monday first, without those on banned weekdays. Raises `ValueError` if
    none is left.
    """
    week = tuple(
        tuple(sorted((minutes_of(w.start), minutes_of(w.end)) for w in windows if day in w.days))
        if day not in banned_days
        else ()
        for day in WEEKDAYS
    )
    if not any(week):
        raise ValueError("parameters: no window is left open on any day")
    return week


def holiday_calendar(banned_days: Sequence[Day], calendar: str | None, jurisdiction: str) -> str | None:
    """The country whose public holidays are banned, or None. Raises `ValueError` if they are not known."""
    if Day.HOLIDAY not in banned_days:
        return None
    country = calendar or jurisdiction.partition("-")[0]
    if not has_calendar(country):
        raise ValueError(f"parameters.calendar: no public holidays are known for {country!r}")
    return country


def check_zones(field: str, zones: Sequence[str]) -> None:
    """Raises `ValueError` for a zone that the time zone database does not have."""
    for zone in zones:
        if zone not in _known_zones():
            raise ValueError(f"{field}: unknown time zone {zone!r}; use an IANA name, as in Europe/Paris")


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())
