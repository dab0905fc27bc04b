from __future__ import annotations

import pytest

from chappe.compliance.drafting.canonical import canonical


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("before 8 a.m. or after 9:30 P.M.", "before <08:00> or after <21:30>"),
        ("between 9 and 5 p.m.", "between <09:00> and <17:00>"),
        ("12 a.m. to 12 p.m.", "<00:00> to <12:00>"),
        ("from midnight until noon", "from <00:00> until <12:00>"),
        ("eight thirty in the evening", "<20:30>"),
        ("half past eight in the morning", "<08:30>"),
        ("ten at night", "<22:00>"),
        ("2100 hours", "<21:00>"),
        ("10.00-18.00", "<10:00> - <18:00>"),
        ("08h00 to 20h00", "<08:00> to <20:00>"),
        ("8h to 20h", "<08:00> to <20:00>"),
        ("24 hours", "24 hours"),
        ("section 9.30", "section 9.30"),
        ("13 p.m.", "13 p.m."),
    ],
)
def test_times_of_day(text: str, read: str) -> None:
    assert canonical(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Monday to Friday", "{mon tue wed thu fri}"),
        ("Mon-Fri", "{mon tue wed thu fri}"),
        ("Saturday through Monday", "{sat sun mon}"),
        ("Saturdays, Sundays and public holidays", "{sat sun holiday}"),
        ("weekends or bank holidays", "{sat sun holiday}"),
        ("on all other days", "on {other}"),
        ("within ten business days", "within 10 business days"),
        ("on working days", "on {mon tue wed thu fri}"),
    ],
)
def test_days(text: str, read: str) -> None:
    assert canonical(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("twenty-four", "24"),
        ("two (2) calls", "2 calls"),
        ("one hundred and sixty characters", "160 characters"),
        ("more than 03 messages", "more than 3 messages"),
        ("5,000 e-mails", "5000 e-mails"),
        ("once a week", "1 time a week"),
    ],
)
def test_numbers(text: str, read: str) -> None:
    assert canonical(text) == read
