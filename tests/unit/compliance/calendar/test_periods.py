"""Periods end at exact moments of the calendar."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.compliance.calendar.periods import Period, end_of, in_words

At = Callable[[str], int]


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2026-03-01T10:00", "5m", "2026-03-01T10:05"),
        ("2026-03-28T10:00", "24h", "2026-03-29T10:00"),
        ("2026-02-26T10:00", "14d", "2026-03-12T10:00"),
        ("2025-08-31T23:59", "6mo", "2026-02-28T23:59"),
        ("2024-02-29T00:00", "2y", "2026-02-28T00:00"),
        ("2024-02-29T00:00", "4y", "2028-02-29T00:00"),
        ("2025-12-31T12:00", "2mo", "2026-02-28T12:00"),
        ("1969-12-31T23:59", "1d", "1970-01-01T23:59"),
    ],
)
def test_a_period_ends_on_the_calendar(at: At, start: str, period: str, end: str) -> None:
    assert end_of(at(start), period) == at(end)


def test_what_ends_beyond_the_calendar_does_not_end(at: At) -> None:
    assert end_of(at("9990-01-01T00:00"), "100y") > at("9999-12-31T00:00")


@pytest.mark.parametrize("text", ["", "0d", "-1d", "2 y", "2w", "y", "10000d", "1.5y"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Period)
    with pytest.raises(ValueError, match="period"):
        in_words(text)


def test_periods_read_well() -> None:
    assert [in_words(p) for p in ("1y", "2y", "6mo", "24h", "5m", "1d")] == [
        "1 year",
        "2 years",
        "6 months",
        "24 hours",
        "5 minutes",
        "1 day",
    ]


@given(
    start_ms=st.integers(0, 4_000_000_000_000),
    later_ms=st.integers(0, 10_000_000_000),
    period=st.sampled_from(["1m", "36h", "30d", "1mo", "13mo", "2y"]),
)
def test_what_begins_later_never_ends_earlier(start_ms: int, later_ms: int, period: str) -> None:
    assert start_ms < end_of(start_ms, period) <= end_of(start_ms + later_ms, period)
