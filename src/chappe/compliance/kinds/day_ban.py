"""day_ban: not on certain weekdays or public holidays."""

from __future__ import annotations

import msgspec

from chappe.compliance.hours import WeeklyHours
from chappe.compliance.local_time import Day, OpenWindow, TimeOfDay, holiday_calendar, week_of
from chappe.compliance.rule import HoursParameters, HoursRule


class OtherDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The window on the days that are not banned."""

    start: TimeOfDay
    end: TimeOfDay

    def __post_init__(self) -> None:
        self.window()

    def window(self) -> OpenWindow:
        return OpenWindow(self.start, self.end)


class DayBanParameters(HoursParameters, frozen=True, kw_only=True):
    """`days` are banned from midnight to midnight; `other_days` narrows the rest."""

    days: tuple[Day, ...]
    other_days: OtherDays = OtherDays("00:00", "24:00")


class DayBanRule(HoursRule, frozen=True, kw_only=True, tag_field="kind", tag="day_ban"):
    """Holds a message until the next day that is not banned (`action: defer`), or stops it (`block`)."""

    parameters: DayBanParameters

    def hours(self) -> WeeklyHours:
        asked = self.parameters
        if not asked.days:
            raise ValueError("parameters.days: name at least one")
        calendar = holiday_calendar(asked.days, asked.calendar, self.jurisdiction)
        return WeeklyHours(week_of([asked.other_days.window()], asked.days), calendar)
