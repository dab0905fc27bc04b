"""Windows in which messages are counted, held against the calendar on the wall."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.compliance.calendar.counting import counts_until_ms, longest_ms

At = Callable[[str], int]
HOUR_MS = 3_600_000
ZONES = [
    "Europe/Paris",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Havana",  # clocks change at midnight
    "Asia/Beirut",  # the same
    "Pacific/Apia",  # had no 30 December 2011
    "America/Scoresbysund",
    "Africa/Casablanca",
]


@pytest.mark.parametrize(
    ("window", "sent", "zone", "until"),
    [
        ("24h", "2026-03-04T10:00", "Europe/Paris", "2026-03-05T10:00"),
        ("day", "2026-03-04T10:00", "Europe/Paris", "2026-03-05T00:00+01:00"),
        ("day", "2026-03-04T18:14:59", "Asia/Kathmandu", "2026-03-05T00:00+05:45"),
        ("day", "2026-03-04T18:15", "Asia/Kathmandu", "2026-03-06T00:00+05:45"),
        ("week", "2026-03-08T10:00", "Europe/Paris", "2026-03-09T00:00+01:00"),
        ("week", "2026-03-09T00:00", "Europe/London", "2026-03-16T00:00"),
        ("month", "2028-02-29T23:00", "Europe/London", "2028-03-01T00:00"),
        ("month", "2026-12-31T10:00", "Europe/London", "2027-01-01T00:00"),
        # Beirut has no midnight on the night the clocks go forward: the day begins at 01:00.
        ("day", "2026-03-28T12:00", "Asia/Beirut", "2026-03-29T01:00+03:00"),
        # Samoa went from 29 to 31 December.
        ("day", "2011-12-29T20:00", "Pacific/Apia", "2011-12-31T00:00+14:00"),
    ],
)
def test_until_when_a_message_counts(at: At, window: str, sent: str, zone: str, until: str) -> None:
    assert counts_until_ms(window, at(sent), (zone,)) == at(until)


def test_of_several_zones_the_last_decides(at: At) -> None:
    sent = at("2026-03-04T12:00")
    assert counts_until_ms("day", sent, ("Asia/Tokyo", "America/Los_Angeles")) == at("2026-03-05T08:00")


def _same_window(window: str, zone: str, sent_ms: int, moment_ms: int) -> bool:
    sent, now = (datetime.datetime.fromtimestamp(at // 1000, ZoneInfo(zone)).date() for at in (sent_ms, moment_ms))
    if window == "day":
        return sent == now
    if window == "week":
        return sent.isocalendar()[:2] == now.isocalendar()[:2]
    return (sent.year, sent.month) == (now.year, now.month)


@settings(max_examples=150, deadline=None)
@given(
    window=st.sampled_from(["day", "week", "month"]),
    zone=st.sampled_from(ZONES),
    sent_ms=st.integers(1_293_840_000_000, 1_925_000_000_000).map(lambda at: at // 1000 * 1000),
)
def test_a_message_counts_as_long_as_the_calendar_says(window: str, zone: str, sent_ms: int) -> None:
    until_ms = counts_until_ms(window, sent_ms, (zone,))
    assert sent_ms < until_ms <= sent_ms + longest_ms(window)
    assert not _same_window(window, zone, sent_ms, until_ms)
    assert _same_window(window, zone, sent_ms, until_ms - 1000)
    for hours in (1, 5, 26, 50):
        assert not _same_window(window, zone, sent_ms, until_ms + hours * HOUR_MS)


@pytest.mark.parametrize(("window", "days"), [("24h", 1), ("2d", 2), ("1mo", 31), ("1y", 366)])
def test_how_far_back_messages_count(window: str, days: int) -> None:
    assert longest_ms(window) == days * 24 * HOUR_MS
