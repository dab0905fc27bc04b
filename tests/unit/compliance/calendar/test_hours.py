"""Opening hours as spans of universal time: clock changes, half-hour zones, holidays, leap days."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.compliance.calendar.hours import (
    DAY_MS,
    WeeklyHours,
    intersection,
    is_open,
    next_open,
    offset_pieces,
    open_spans,
    outside,
    union,
)
from chappe.compliance.calendar.public_holidays import Holidays

At = Callable[[str], int]
ODD_ZONES = [
    "America/New_York",
    "America/St_Johns",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "Africa/Casablanca",
    "Pacific/Apia",
]


def daily(start: int, end: int) -> WeeklyHours:
    return WeeklyHours((((start, end),),) * 7)


def test_a_window_follows_the_zone(at: At) -> None:
    start = at("2026-01-12T00:00")
    spans = open_spans(daily(10 * 60, 21 * 60), ("Asia/Kolkata",), start, start + DAY_MS)
    assert spans == (at("2026-01-12T04:30"), at("2026-01-12T15:30"))


def test_several_zones_are_open_only_together(at: At) -> None:
    start = at("2026-01-12T00:00")
    spans = open_spans(daily(8 * 60, 21 * 60), ("America/New_York", "Europe/Berlin"), start, start + DAY_MS)
    assert spans == (at("2026-01-12T13:00"), at("2026-01-12T20:00"))


def test_zones_that_are_never_open_together_give_nothing(at: At) -> None:
    start = at("2026-01-12T00:00")
    assert open_spans(daily(9 * 60, 12 * 60), ("Asia/Tokyo", "America/New_York"), start, start + DAY_MS) == ()


def test_an_hour_that_the_clock_skips_has_no_moments(at: At) -> None:
    start = at("2026-03-08T05:00")  # New York goes from 02:00 EST to 03:00 EDT at 07:00 UTC
    spans = open_spans(daily(2 * 60, 3 * 60), ("America/New_York",), start, start + DAY_MS)
    assert spans == ()


def test_an_hour_that_the_clock_repeats_is_open_twice(at: At) -> None:
    start = at("2026-11-01T04:00")  # New York goes from 02:00 EDT back to 01:00 EST at 06:00 UTC
    spans = open_spans(daily(60, 90), ("America/New_York",), start, start + DAY_MS)
    assert spans == (
        at("2026-11-01T05:00"),
        at("2026-11-01T05:30"),
        at("2026-11-01T06:00"),
        at("2026-11-01T06:30"),
    )


def test_a_clock_change_of_half_an_hour(at: At) -> None:
    start = at("2026-04-04T12:00")  # Lord Howe Island goes from +11:00 to +10:30 at 15:00 UTC
    pieces = offset_pieces("Australia/Lord_Howe", start, start + DAY_MS)
    assert pieces == (
        (start, at("2026-04-04T15:00"), 11 * 3_600_000),
        (at("2026-04-04T15:00"), start + DAY_MS, 10 * 3_600_000 + 1_800_000),
    )


def test_a_zone_that_changes_twice_within_weeks(at: At) -> None:
    start = at("2026-02-01T00:00")  # Morocco leaves +01:00 for Ramadan and takes it up again
    pieces = offset_pieces("Africa/Casablanca", start, start + 60 * DAY_MS)
    assert [(begins, offset // 3_600_000) for begins, _, offset in pieces] == [
        (start, 1),
        (at("2026-02-15T02:00"), 0),
        (at("2026-03-22T02:00"), 1),
    ]


def test_a_day_that_a_zone_skips_has_no_moments(at: At) -> None:
    start, end = at("2011-12-29T00:00"), at("2012-01-01T00:00")  # Samoa had no 30 December 2011
    fridays_only = WeeklyHours(((), (), (), (), ((0, 1440),), (), ()))
    assert open_spans(fridays_only, ("Pacific/Apia",), start, end) == ()
    assert open_spans(fridays_only, ("Pacific/Pago_Pago",), start, end) != ()


def test_the_leap_day_is_a_day_like_any_other(at: At) -> None:
    start = at("2028-02-28T23:00")
    spans = open_spans(daily(8 * 60, 9 * 60), ("Europe/Paris",), start, start + 2 * DAY_MS)
    assert spans == (
        at("2028-02-29T07:00"),
        at("2028-02-29T08:00"),
        at("2028-03-01T07:00"),
        at("2028-03-01T08:00"),
    )


def test_public_holidays_are_closed_on_the_local_day(at: At) -> None:
    bastille_day = WeeklyHours((((0, 1440),),) * 7, holidays=Holidays(("FR",)))
    start, end = at("2026-07-13T00:00"), at("2026-07-16T00:00")
    spans = open_spans(bastille_day, ("Europe/Paris",), start, end)
    assert spans == (start, at("2026-07-14T00:00+02:00"), at("2026-07-15T00:00+02:00"), end)


def test_windows_that_touch_at_midnight_are_one_span(at: At) -> None:
    start = at("2026-01-12T00:00")
    assert open_spans(daily(0, 1440), ("Asia/Kolkata",), start, start + 3 * DAY_MS) == (
        start,
        start + 3 * DAY_MS,
    )


def test_spans_are_open_at_the_start_and_closed_at_the_end() -> None:
    spans = (10, 20, 30, 40)
    assert [is_open(spans, moment) for moment in (9, 10, 19, 20, 29, 30, 40)] == [
        False,
        True,
        True,
        False,
        False,
        True,
        False,
    ]
    assert [next_open(spans, moment) for moment in (0, 10, 15, 20, 39, 40)] == [10, 10, 15, 30, 39, None]


SPANS = st.lists(st.integers(0, 60), unique=True, max_size=12).map(
    lambda ends: tuple(sorted(ends)[: len(ends) // 2 * 2])
)


@given(st.lists(SPANS, min_size=1, max_size=4))
def test_the_intersection_is_open_where_all_are(lists: list[tuple[int, ...]]) -> None:
    together = intersection(lists)
    assert list(together) == sorted(set(together))
    for moment in range(61):
        assert is_open(together, moment) == all(is_open(spans, moment) for spans in lists)


@given(SPANS, SPANS)
def test_the_union_is_open_where_either_is(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    either = union(left, right)
    assert list(either) == sorted(set(either))
    for moment in range(61):
        assert is_open(either, moment) == (is_open(left, moment) or is_open(right, moment))


@given(st.integers(-5, 25), st.integers(0, 20))
def test_outside_is_open_where_the_span_is_not(start: int, length: int) -> None:
    spans = outside(start, start + length, 0, 20)
    for moment in range(20):
        assert is_open(spans, moment) == (not start <= moment < start + length)


@settings(deadline=None, max_examples=150)
@given(
    zone=st.sampled_from(ODD_ZONES),
    day=st.integers(14_000, 24_000),
    opens=st.integers(0, 1438),
    length=st.integers(1, 1440),
    moments=st.lists(st.integers(0, 60 * 24 * 40), min_size=1, max_size=60),
)
def test_a_moment_is_open_exactly_when_the_clock_on_the_wall_says_so(
    zone: str, day: int, opens: int, length: int, moments: list[int]
) -> None:
    closes = min(opens + length, 1440)
    start = day * DAY_MS
    spans = open_spans(daily(opens, closes), (zone,), start, start + 40 * DAY_MS)
    for minute in moments:
        moment = start + minute * 60_000
        if moment >= start + 40 * DAY_MS:
            continue
        local = datetime.datetime.fromtimestamp(moment / 1000, ZoneInfo(zone))
        assert is_open(spans, moment) == (opens <= local.hour * 60 + local.minute < closes)
