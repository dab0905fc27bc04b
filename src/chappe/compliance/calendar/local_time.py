"""How rule files write local time: days, times of day, windows and zones, checked as they are read."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

import msgspec

from chappe.compliance.calendar.hours import AgreedWindow, Window
from chappe.compliance.calendar.public_holidays import Holidays, day_number, has_calendar

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
    """A public holiday of the rule's own place, and of the part of it in which the recipient is, if that is known."""
    NATIONAL_HOLIDAY = "national_holiday"
    """A public holiday of the whole country."""
    EVE_OF_HOLIDAY = "eve_of_holiday"
    """The day before a public holiday."""


WEEKDAYS = (Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI, Day.SAT, Day.SUN)
_HOLIDAYS = (Day.HOLIDAY, Day.NATIONAL_HOLIDAY)


class OpenWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sending is allowed on these weekdays from `start` until before `end`, within one local day.

    A window that names `eve_of_holiday` is for such days too; only such windows then are.
    """

    start: TimeOfDay
    end: TimeOfDay
    days: tuple[Day, ...] = WEEKDAYS

    def __post_init__(self) -> None:
        window_of(self.start, self.end)
        if not self.days or any(day in _HOLIDAYS for day in self.days):
            raise ValueError("days: name weekdays (mon to sun); public holidays can only be banned")


class AgreedHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Hours of the local day in which a person agreed to be contacted, as a consent names them.

    Without `days` they are for the days that are allowed anyway; a Sunday or a public holiday has to be named.
    """

    start: TimeOfDay
    end: TimeOfDay
    days: tuple[Day, ...] = ()

    def __post_init__(self) -> None:
        window_of(self.start, self.end)

    def window(self) -> AgreedWindow:
        weekdays = tuple(number for number, day in enumerate(WEEKDAYS) if day in self.days)
        on_holidays = any(day in _HOLIDAYS for day in self.days)
        # Hours for holidays alone are for no other day, whatever weekday it is.
        return AgreedWindow(window_of(self.start, self.end), weekdays or ((-1,) if on_holidays else ()), on_holidays)


def minutes_of(time: TimeOfDay) -> int:
    """Minutes since local midnight."""
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)


def window_of(start: TimeOfDay, end: TimeOfDay) -> Window:
    """Raises `ValueError` for a window that does not lie within one day."""
    if minutes_of(start) >= minutes_of(end):
        raise ValueError("start must be before end; split a window that crosses midnight into two")
    return minutes_of(start), minutes_of(end)


def windows_on(day: Day, windows: Sequence[OpenWindow], margin_minutes: int = 0) -> tuple[Window, ...]:
    """The windows of a kind of day, each ending so much earlier."""
    ends = [(minutes_of(w.start), minutes_of(w.end) - margin_minutes) for w in windows if day in w.days]
    return tuple(sorted((opens, closes) for opens, closes in ends if opens < closes))


def week_of(
    windows: Sequence[OpenWindow], banned_days: Sequence[Day], margin_minutes: int = 0
) -> tuple[tuple[Window, ...], ...]:
    """The windows of each weekday, Monday first, without those on banned weekdays. Raises `ValueError` if
    none is left.
    """
    week = tuple(() if day in banned_days else windows_on(day, windows, margin_minutes) for day in WEEKDAYS)
    if not any(week):
        raise ValueError("parameters: no window is left open on any day")
    return week


class HolidaySource(msgspec.Struct, frozen=True):
    """Where the holidays of a rule are looked up: `calendar` as it is named, or by the rule's `jurisdiction`, and the
    days `declared` besides.
    """

    calendar: str | None
    jurisdiction: str
    declared: tuple[datetime.date, ...] = ()

    def holidays(self, days: Sequence[Day], place: str | None = None) -> Holidays | None:
        """What these days come to for a recipient in a place; None if no holiday is among them.

        Raises `ValueError` if nothing is known of the holidays of the rule's place.
        """
        if not any(day in (*_HOLIDAYS, Day.EVE_OF_HOLIDAY) for day in days):
            return None
        home = self.calendar or self.jurisdiction
        country = home.partition("-")[0]
        if not has_calendar(country):
            raise ValueError(f"parameters.calendar: no public holidays are known for {country!r}")
        calendars = [country]
        if Day.NATIONAL_HOLIDAY not in days:
            calendars = [home if has_calendar(home) else country]
            if place is not None and place.startswith(f"{country}-") and has_calendar(place):
                calendars.append(place)
        return Holidays(tuple(dict.fromkeys(calendars)), tuple(map(day_number, self.declared)))


def check_zones(field: str, zones: Sequence[str]) -> None:
    """Raises `ValueError` for a zone that the time zone database does not have."""
    for zone in zones:
        if zone not in _known_zones():
            raise ValueError(f"{field}: unknown time zone {zone!r}; use an IANA name, as in Europe/Paris")


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())
