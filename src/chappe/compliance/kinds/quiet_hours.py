"""quiet_hours: only within the windows of the local day."""

from __future__ import annotations

from chappe.compliance.calendar.hours import WeeklyHours
from chappe.compliance.calendar.local_time import Day, OpenWindow, TimeOfDay, minutes_of, week_of, windows_on
from chappe.compliance.rule.hours_rule import HoursParameters, HoursRule


class QuietHoursParameters(HoursParameters, frozen=True, kw_only=True):
    """When sending is allowed: `start` to `end` every day, or `windows`; never on `banned_days`.

    Windows for `eve_of_holiday` take the place of the others on such days, unless the day itself is banned.
    """

    start: TimeOfDay | None = None
    end: TimeOfDay | None = None
    windows: tuple[OpenWindow, ...] = ()
    banned_days: tuple[Day, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for window in self.open_windows():
            if minutes_of(window.end) > minutes_of(self.outer_limit):
                raise ValueError(f"outer_limit: no window may end after {self.outer_limit}; one ends at {window.end}")
        if Day.EVE_OF_HOLIDAY in self.banned_days:
            raise ValueError("banned_days: an eve cannot be banned; give it windows")

    def open_windows(self) -> tuple[OpenWindow, ...]:
        """`windows`, or the one that `start` and `end` mean. Raises `ValueError` for neither or both."""
        if self.start is None and self.end is None and self.windows:
            return self.windows
        if self.start is None or self.end is None or self.windows:
            raise ValueError("give either both start and end, or windows")
        return (OpenWindow(self.start, self.end),)


class QuietHoursRule(HoursRule, frozen=True, kw_only=True, tag_field="kind", tag="quiet_hours"):
    """Holds a message until the window opens (`action: defer`), or stops it (`block`)."""

    parameters: QuietHoursParameters

    def hours(self, place: str | None = None) -> WeeklyHours:
        asked = self.parameters
        windows, margin = asked.open_windows(), asked.margin_minutes
        named = (*asked.banned_days, *(day for window in windows for day in window.days))
        return WeeklyHours(
            week_of(windows, asked.banned_days, margin),
            self.holiday_source.holidays(named, place),
            banned_holidays=Day.HOLIDAY in asked.banned_days or Day.NATIONAL_HOLIDAY in asked.banned_days,
            on_eves=windows_on(Day.EVE_OF_HOLIDAY, windows, margin),
            outer_limit=self.outer_limit_minutes,
        )
