"""Whether an entry of a register is about a message: what it says of media, trades, hours and days, and since when.

A register's own word for an entry (`Listing.category`) is either plain (`no_voice`, `banking`, `full`) or made of
statements `name=value`, with commas between values and semicolons between statements:
`category=banking,insurance; mode=sms; time_band=21:00-09:00; day=sat,sun`, or `except=health` for an entry that is for
all but some categories. What an entry does not state it does not limit.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from chappe.compliance.calendar.local_time import WEEKDAYS, ZONES_WHEN_UNKNOWN, minutes_of
from chappe.compliance.calendar.public_holidays import day_number, is_holiday
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.facts.registries import Listing
from chappe.compliance.places.jurisdictions import zones_of
from chappe.model.customer import CustomerMessage

DAY_MS = 86_400_000


class Granularity(StrEnum):
    """What entries of a register may be limited to."""

    CATEGORY = "category"
    """What the message is about."""
    MODE = "mode"
    """The channel."""
    TIME_BAND = "time_band"
    """Hours of the recipient's day."""
    DAY = "day"
    """Days of the recipient's week."""


class Statements(msgspec.Struct, frozen=True):
    """What the word of an entry states. `plain` is one that states nothing."""

    plain: str | None = None
    categories: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    days: tuple[str, ...] = ()


_FIELDS = {"category": "categories", "except": "excepted", "mode": "modes", "time_band": "bands", "day": "days"}


@lru_cache(maxsize=4_096)
def statements_of(word: str | None) -> Statements:
    """Read the word of an entry. One that is not made of known statements is plain."""
    if word is None or "=" not in word:
        return Statements(word)
    found: dict[str, tuple[str, ...]] = {}
    for statement in word.split(";"):
        name, _, values = statement.partition("=")
        field = _FIELDS.get(name.strip())
        if field is None:
            return Statements(word)
        found[field] = tuple(value.strip().lower() for value in values.split(",") if value.strip())
    return Statements(None, **found)


def is_about(
    listing: Listing, message: CustomerMessage, facts: Facts, now_ms: int, granularity: Sequence[Granularity]
) -> bool:
    """Whether the entry is about this message, as far as entries of its register may be limited.

    Whatever is not known counts as meant: a message without a category, a recipient without a zone.
    """
    said = statements_of(listing.category)
    if Granularity.CATEGORY in granularity:
        category = message.category or ""
        if category and ((said.categories and category not in said.categories) or category in said.excepted):
            return False
    if Granularity.MODE in granularity and said.modes and message.channel.value not in said.modes:
        return False
    clocks = _clocks(facts, now_ms) if said.bands or said.days else []
    if Granularity.DAY in granularity and said.days and not any(day in said.days for day, _ in clocks):
        return False
    if Granularity.TIME_BAND in granularity and said.bands:
        return any(_in_band(minute, band) for _, minute in clocks for band in said.bands)
    return True


def bites_from_ms(listing: Listing, grace_days: int, grace_working_days: int, country: str) -> int | None:
    """From when on the entry has to be respected; None at once, or if nobody knows since when it is there."""
    if listing.since_ms is None or not (grace_days or grace_working_days):
        return None
    from_ms = listing.since_ms + grace_days * DAY_MS
    if grace_working_days:
        day, within_ms = divmod(from_ms, DAY_MS)
        from_ms = _working_days_later(country, day, grace_working_days) * DAY_MS + within_ms
    return from_ms


@lru_cache(maxsize=4_096)
def _working_days_later(country: str, day: int, count: int) -> int:
    while count:
        day += 1
        date = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
        if date.weekday() < 5 and not is_holiday(country, day_number(date)):
            count -= 1
    return day


def _clocks(facts: Facts, now_ms: int) -> list[tuple[str, int]]:
    """Weekday and minute of the day, wherever the recipient may be."""
    zones = facts.zones or zones_of(facts.jurisdiction) or ZONES_WHEN_UNKNOWN
    found = []
    for zone in zones:
        local = datetime.datetime.fromtimestamp(now_ms // 1000, ZoneInfo(zone))
        found.append((WEEKDAYS[local.weekday()].value, local.hour * 60 + local.minute))
    return found


def _in_band(minute: int, band: str) -> bool:
    """Whether the minute lies in `HH:MM-HH:MM`, which may go over midnight; a band that cannot be read is any hour."""
    start, _, end = band.partition("-")
    try:
        opens, closes = minutes_of(start), minutes_of(end)
    except ValueError:
        return True
    return opens <= minute < closes if opens < closes else minute >= opens or minute < closes
