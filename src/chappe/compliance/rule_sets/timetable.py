"""When the hours rules of a set are open, for a recipient in certain zones, over a stretch of weeks.

A timetable is worked out once per combination of rules, zones and stretch, and then answers by binary search.
It covers its stretch and, beyond it, as long as a message may be deferred.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from chappe.compliance.calendar.hours import DAY_MS, Spans, WeeklyHours, intersection, open_spans, outside, union
from chappe.compliance.calendar.hours import is_open as is_open_in
from chappe.compliance.calendar.local_time import RECIPIENT
from chappe.compliance.rule.hours_rule import HoursRule, Lift
from chappe.model.customer import Outcome, RuleOutcome

MAX_DEFERRAL_MS = 14 * DAY_MS
"""A message that has no lawful moment within this time is blocked."""
STRETCH_MS = 28 * DAY_MS


def covered_ms(stretch: int) -> tuple[int, int]:
    """The moments that a timetable of this stretch (counted from the epoch) answers for."""
    start = stretch * STRETCH_MS
    return start, start + STRETCH_MS + MAX_DEFERRAL_MS + DAY_MS


class BoundHours(msgspec.Struct, frozen=True):
    """One hours rule, bound to the zones it is judged in for a recipient. Without zones it does not apply to
    them.

    `spans` is when the rule lets messages pass: while open, and while it is not in force.
    """

    rule: HoursRule
    hours: WeeklyHours
    zones: tuple[str, ...]
    assumed: bool
    lifted: bool
    spans: Spans

    def kept(self) -> RuleOutcome:
        """The outcome while the rule is open."""
        if not self.zones:
            return self.rule.kept("the recipient's time zone is unknown, and the rule exempts such recipients")
        if self.lifted:
            return self.rule.kept(
                f"within the hours that consent or relationship opens to this recipient {self._where()}"
            )
        return self.rule.kept(f"within the allowed hours {self._where()}")

    def closed(self, now_ms: int) -> RuleOutcome:
        """The outcome while it is not."""
        zone = next((z for z in self.zones if not _is_open_on_clock(self.hours, z, now_ms)), self.zones[0])
        reason = _why_closed(self.hours, zone, now_ms)
        if self.assumed:
            reason += f" (the recipient's time zone is unknown, so the hours are kept {self._where()})"
        elif len(self.zones) > 1:
            reason += f" (the recipient may be in any of {len(self.zones)} time zones)"
        return RuleOutcome(self.rule.id, Outcome(self.rule.action), reason)

    def _where(self) -> str:
        if len(self.zones) <= 2:
            return "in " + " and ".join(self.zones)
        return f"in all {len(self.zones)} time zones the recipient may be in"


class Timetable(msgspec.Struct, frozen=True):
    """`spans`: when every rule lets messages pass. `kept`: the outcomes of the rules at such a moment."""

    spans: Spans
    rules: tuple[BoundHours, ...]
    kept: tuple[RuleOutcome, ...]

    def outcomes(self, now_ms: int) -> list[RuleOutcome]:
        """What each rule says at any moment covered."""
        return [
            kept if is_open_in(bound.spans, now_ms) else bound.closed(now_ms)
            for bound, kept in zip(self.rules, self.kept, strict=True)
        ]


def timetable(
    listed: Sequence[HoursRule],
    ahead: Sequence[HoursRule],
    bind: Callable[[HoursRule], BoundHours],
    stretch: int,
) -> Timetable:
    """The timetable of the rules in force (`listed`) and of those that come into force within the time
    (`ahead`).
    """
    rules = tuple(bind(rule) for rule in listed)
    covered = [bound.spans for bound in rules] + [bind(rule).spans for rule in ahead]
    spans = intersection(covered) if covered else covered_ms(stretch)
    return Timetable(spans, rules, tuple(bound.kept() for bound in rules))


def bind_hours(
    rule: HoursRule,
    recipient_zones: tuple[str, ...],
    stretch: int,
    place: str | None = None,
    lift: Lift | None = None,
) -> BoundHours:
    """Work out when a rule is open for a recipient who may be in these zones (none: unknown).

    `place` is the subdivision in which the recipient is, if that is known; `lift` are hours to which they agreed.
    """
    start, end = covered_ms(stretch)
    zones, hours = rule.zones_for(recipient_zones), rule.hours(place)
    assumed = not recipient_zones and rule.parameters.tz == RECIPIENT
    lifted = lift is not None
    if lift is not None:
        hours = msgspec.structs.replace(hours, agreed=lift.agreed)
    if not zones:
        return BoundHours(rule, hours, zones, assumed, lifted, (start, end))
    open_now = open_spans(hours, zones, start, end)
    not_in_force = outside(*rule.in_force_ms(), start, end)
    return BoundHours(rule, hours, zones, assumed, lifted, union(open_now, not_in_force))


_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()


def _local(zone: str, now_ms: int) -> tuple[int, datetime.datetime]:
    local = datetime.datetime.fromtimestamp(now_ms // 1000, ZoneInfo(zone))
    return local.toordinal() - _EPOCH_ORDINAL, local


def _is_open_on_clock(hours: WeeklyHours, zone: str, now_ms: int) -> bool:
    day, local = _local(zone, now_ms)
    minute = local.hour * 60 + local.minute
    return any(opens <= minute < closes for opens, closes in hours.windows(day))


def _why_closed(hours: WeeklyHours, zone: str, now_ms: int) -> str:
    day, local = _local(zone, now_ms)
    weekday = _DAY_NAMES[local.weekday()]
    here = f"it is {local:%H:%M} on {weekday} {local:%Y-%m-%d} in {zone}"
    windows = hours.windows(day)
    if windows:
        return f"{here}; the allowed hours are {' and '.join(_clock(window) for window in windows)}"
    if hours.days[local.weekday()]:
        return f"{here}, a public holiday, on which nothing may be sent"
    return f"{here}, and nothing may be sent on a {weekday}"


def _clock(window: tuple[int, int]) -> str:
    (opens, closes) = window
    return f"{opens // 60:02}:{opens % 60:02} to {closes // 60:02}:{closes % 60:02}"
