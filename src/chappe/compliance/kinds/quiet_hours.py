"""quiet_hours: only within the windows of the local day."""

from __future__ import annotations

from chappe.compliance.hours import WeeklyHours
from chappe.compliance.local_time import Day, OpenWindow, TimeOfDay, holiday_calendar, week_of
from chappe.compliance.rule import HoursParameters, HoursRule


class QuietHoursParameters(HoursParameters, frozen=True, kw_only=True):
    """When sending is allowed: `start` to `end` every day, or `windows`; never on `banned_days`."""

    start: TimeOfDay | None = None
    end: TimeOfDay | None = None
    windows: tuple[OpenWindow, ...] = ()
    banned_days: tuple[Day, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.open_windows()

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

    def hours(self) -> WeeklyHours:
        asked = self.parameters
        calendar = holiday_calendar(asked.banned_days, asked.calendar, self.jurisdiction)
        return WeeklyHours(week_of(asked.open_windows(), asked.banned_days), calendar)
