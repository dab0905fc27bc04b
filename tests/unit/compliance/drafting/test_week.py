from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.compliance.drafting.week import WHOLE, Statement, complement, parameters_of, subtract, within_day

SPANS = st.lists(
    st.tuples(st.integers(0, 1_439), st.integers(1, 1_440)).filter(lambda span: span[0] < span[1]), max_size=4
)


def _minutes(spans: object) -> set[int]:
    return {minute for start, end in spans for minute in range(start, end)}  # type: ignore[attr-defined]


@given(SPANS, SPANS)
def test_what_is_left_is_what_was_not_taken(spans: list[tuple[int, int]], taken: list[tuple[int, int]]) -> None:
    left = subtract(complement(complement(spans)), taken)
    assert _minutes(left) == _minutes(spans) - _minutes(taken)


def test_a_window_over_midnight_is_two() -> None:
    assert within_day(1_260, 480) == ((0, 480), (1_260, 1_440))
    assert within_day(540, 0) == ((540, 1_440),)


def test_days_that_nobody_opens_are_closed() -> None:
    kind, parameters = parameters_of([Statement(True, ("mon", "tue"), ((540, 1_020),))])
    assert kind == "quiet_hours"
    assert parameters == {"start": "09:00", "end": "17:00", "banned_days": ["wed", "thu", "fri", "sat", "sun"]}


def test_a_day_with_forbidden_hours_of_its_own_is_open_around_them() -> None:
    _, parameters = parameters_of(
        [Statement(False, ("fri",), ((0, 720),)), Statement(True, ("other",), ((540, 1_320),))]
    )
    assert parameters["windows"][1] == {"start": "12:00", "end": "24:00", "days": ["fri"]}


def test_days_alone_are_a_ban_of_days() -> None:
    assert parameters_of([Statement(False, ("sun", "holiday"), WHOLE)]) == ("day_ban", {"days": ["sun", "holiday"]})


def test_nothing_left_open_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        parameters_of([Statement(False, (), WHOLE)])
