from __future__ import annotations

import datetime

import pytest

from chappe.compliance.opt_out.deadlines import AT_ONCE_MS, HonourTerm, due_at_ms


def ms(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("amount", "unit", "place", "zones", "received", "last_day"),
    [
        # Independence Day 2026 falls on a Saturday and is kept on Friday the 3rd.
        (10, "business_days", "US", ["America/New_York"], "2026-06-26T15:00:00-04:00", "2026-07-14T00:00:00-04:00"),
        (5, "working_days", "NZ", ["Pacific/Auckland"], "2026-03-02T09:00:00+13:00", "2026-03-10T00:00:00+13:00"),
        (15, "days", "US", ["America/Chicago"], "2026-03-01T09:00:00-06:00", "2026-03-17T00:00:00-05:00"),
        (3, "business_days", "TR", ["Europe/Istanbul"], "2026-03-05T23:59:00+03:00", "2026-03-11T00:00:00+03:00"),
        (2, "days", "*", [], "2026-03-01T09:00:00Z", "2026-03-04T00:00:00Z"),
    ],
)
def test_a_deadline_of_days_ends_with_the_last_of_them(
    amount: int, unit: str, place: str, zones: list[str], received: str, last_day: str
) -> None:
    assert due_at_ms(HonourTerm("r", amount, unit, place), ms(received), zones) == ms(last_day) - 1


def test_in_several_zones_the_day_that_ends_first_counts() -> None:
    term, received = HonourTerm("r", 1, "days", "US"), ms("2026-03-02T15:00:00Z")
    east, west = (due_at_ms(term, received, [zone]) for zone in ("America/New_York", "America/Los_Angeles"))
    assert due_at_ms(term, received, ["America/Los_Angeles", "America/New_York"]) == east < west


def test_hours_are_counted_from_the_minute() -> None:
    assert due_at_ms(HonourTerm("r", 24, "hours", "SA"), 1_000, []) == 1_000 + 86_400_000


def test_at_once_leaves_a_machine_a_moment() -> None:
    assert due_at_ms(HonourTerm("r", 0, "days", "EU"), 1_000, []) == 1_000 + AT_ONCE_MS
