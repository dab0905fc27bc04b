from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from chappe.cli.pacing import paced


def test_all_come_in_order_and_a_pause_is_told_once() -> None:
    written: queue.Queue[str | None] = queue.Queue()
    reading = paced(iter(written.get, None), 0.01)
    written.put("a")
    assert next(reading) == "a"
    assert next(reading) is None
    written.put("b")
    assert next(reading) == "b", "without anything given out there is nothing to be told of"
    written.put(None)
    assert [entry for entry in reading if entry is not None] == []


def test_nothing_is_told_of_entries_that_come_at_once() -> None:
    assert list(paced(iter(range(5000)), 3600.0)) == list(range(5000))


def test_an_error_of_reading_comes_through() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("bad header")

    reading = paced(failing(), 3600.0)
    assert next(reading) == 1
    with pytest.raises(ValueError, match="bad header"):
        next(reading)
