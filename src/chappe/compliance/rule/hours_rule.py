"""What the rules about the clock on the wall have in common: whose clock counts, for whom, and what lifts them."""

from __future__ import annotations

import datetime
from abc import abstractmethod
from typing import Annotated, Literal

import msgspec

from chappe.compliance.calendar.hours import AgreedWindow, WeeklyHours
from chappe.compliance.calendar.local_time import (
    RECIPIENT,
    ZONES_WHEN_UNKNOWN,
    HolidaySource,
    TimeOfDay,
    TimeZone,
    check_zones,
    minutes_of,
)
from chappe.compliance.consent.releases import Release, registries_of
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import Category, Rule
from chappe.compliance.rule.inputs import NOTHING, Input
from chappe.model.customer import Channel, CustomerMessage, Purpose

_ALWAYS = AgreedWindow((0, 1_440), tuple(range(7)), on_holidays=True)


class HoursParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose clock counts, and for whom.

    `tz` is "recipient" or the IANA zone whose clock counts. `unknown_zones` are kept to, all at once, where the
    recipient's zone cannot be known; an empty list exempts such recipients from the rule.

    `calendar` is the country or subdivision whose public holidays "holiday" means, by default the rule's own; those of
    the part of the country in which the recipient is known to be come on top. `declared_holidays` are days that count
    as holidays though no calendar has them (proclaimed for one year).

    `lifted_by` are cases that lift the rule; a consent that names hours opens those hours. `outer_limit` is the latest
    hour on any account: no window may end later, and neither do agreed hours.

    `includes` are categories that the rule binds even where they count as transactional; `exempt_channels` and
    `exempt_categories` it does not bind. `measured_at: arrival` says that the time at which a message is received
    counts: windows then end `margin_minutes` earlier, the time that a message may be under way. With `dispatch` the
    time at which it is handed over counts, which is when every message is decided for the last time.

    `informs` is for people, and has no part in a verdict.
    """

    tz: TimeZone = RECIPIENT
    unknown_zones: tuple[TimeZone, ...] = ZONES_WHEN_UNKNOWN
    calendar: str | None = None
    declared_holidays: tuple[datetime.date, ...] = ()
    lifted_by: tuple[Release, ...] = ()
    outer_limit: TimeOfDay = "24:00"
    includes: tuple[Category, ...] = ()
    exempt_channels: tuple[Channel, ...] = ()
    exempt_categories: tuple[Category, ...] = ()
    measured_at: Literal["dispatch", "arrival"] = "dispatch"
    margin_minutes: Annotated[int, msgspec.Meta(ge=0, le=120)] = 0
    informs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.tz != RECIPIENT:
            check_zones("tz", (self.tz,))
        check_zones("unknown_zones", self.unknown_zones)
        if any(release.after_listing for release in self.lifted_by):
            raise ValueError("lifted_by: after_listing is for rules about registries")
        if self.margin_minutes and self.measured_at == "dispatch":
            raise ValueError("margin_minutes: only where measured_at is arrival")


class Lift(msgspec.Struct, frozen=True):
    """That a rule is lifted for a message: in the hours of `agreed`."""

    rule_id: str
    agreed: tuple[AgreedWindow, ...]


class HoursRule(Rule, frozen=True, kw_only=True):
    """A rule that opens and closes with the hours of the day, the days of the week and public holidays."""

    action: Literal["defer", "block"]
    parameters: HoursParameters

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hours()

    @abstractmethod
    def hours(self, place: str | None = None) -> WeeklyHours:
        """When the rule is open, on the local clock of a recipient in a subdivision (None: nothing so exact is known).

        Raises `ValueError` if that makes no sense.
        """

    def binds(self, channel: Channel, purpose: Purpose, category: str | None = None) -> bool:
        asked = self.parameters
        if channel in asked.exempt_channels or (category is not None and category in asked.exempt_categories):
            return False
        if super().binds(channel, purpose, category):
            return True
        included = category is not None and category in asked.includes
        return included and any(super(HoursRule, self).binds(channel, declared, category) for declared in Purpose)

    @property
    def named_categories(self) -> tuple[Category, ...]:
        return (*self.categories, *self.parameters.includes, *self.parameters.exempt_categories)

    @property
    def registries(self) -> tuple[str, ...]:
        return registries_of(self.parameters.lifted_by)

    @property
    def swayed_by(self) -> Input:
        """What may lift the rule; the hours themselves are no matter of the message."""
        releases = self.parameters.lifted_by
        if not releases:
            return NOTHING
        inputs = Input.CONSENTS | Input.PERSON | Input.REGISTRIES
        return inputs | Input.CONTENT if any(release.with_way_out for release in releases) else inputs

    @property
    def holiday_source(self) -> HolidaySource:
        return HolidaySource(self.parameters.calendar, self.jurisdiction, self.parameters.declared_holidays)

    @property
    def outer_limit_minutes(self) -> int:
        """Of the local day."""
        return minutes_of(self.parameters.outer_limit)

    def zones_for(self, recipient_zones: tuple[str, ...]) -> tuple[str, ...]:
        """The zones in which the rule must be open for a recipient; none: it does not apply to them."""
        if self.parameters.tz != RECIPIENT:
            return (self.parameters.tz,)
        return recipient_zones or self.parameters.unknown_zones

    def lift(self, message: CustomerMessage, facts: Facts, now_ms: int) -> Lift | None:
        """Whether, and for which hours, the rule is lifted for this message. Pure."""
        agreed: list[AgreedWindow] = []
        for release in self.parameters.lifted_by:
            if not release.why(message, facts, now_ms):
                continue
            if not release.naming_hours:
                return Lift(self.id, (_ALWAYS,))
            consent = release.agreed(message, facts, now_ms)
            assert consent is not None
            agreed += [hours.window() for hours in consent.details.hours]
        return Lift(self.id, tuple(agreed)) if agreed else None
