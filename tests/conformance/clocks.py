"""Clocks for engines under test: one that stands until it is told to move, and one that runs."""

from __future__ import annotations

import time

START_MS = 1_767_225_600_000
"""1 January 2026, 00:00 UTC."""


class ManualClock:
    """Stands still, so that a test says exactly what is due. Time never goes back."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, ms: int) -> None:
        assert ms >= 0
        self.now_ms += ms


class RunningClock(ManualClock):
    """The real time, for tests of waiting. `advance` jumps ahead."""

    def __init__(self) -> None:
        super().__init__(0)

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.now_ms
