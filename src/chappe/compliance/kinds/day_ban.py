"""day_ban: not on certain weekdays or public holidays."""

from __future__ import annotations

import msgspec

from chappe.compliance.calendar.hours import WeeklyHours
from chappe.compliance.calendar.local_time import Day, OpenWindow, TimeOfDay, minutes_of, week_of
from chappe.compliance.rule.hours_rule import HoursParameters, HoursRule


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

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.days or Day.EVE_OF_HOLIDAY in self.days:
            raise ValueError("days: name at least one weekday (mon to sun), holiday or national_holiday")
        if self.other_days != OtherDays("00:00", "24:00") and minutes_of(self.other_days.end) > minutes_of(
            self.outer_limit
        ):
            raise ValueError(f"outer_limit: other_days may not end after {self.outer_limit}")


class DayBanRule(HoursRule, frozen=True, kw_only=True, tag_field="kind", tag="day_ban"):
    """Holds a message until the next day that is not banned (`action: defer`), or stops it (`block`)."""

    parameters: DayBanParameters

    def hours(self, place: str | None = None) -> WeeklyHours:
        asked = self.parameters
        return WeeklyHours(
            week_of([asked.other_days.window()], asked.days, asked.margin_minutes),
            self.holiday_source.holidays(asked.days, place),
            outer_limit=self.outer_limit_minutes,
        )
