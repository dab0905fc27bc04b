"""What a benchmark hands back: a table, its targets and what to know about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Settings:
    """How to run. `quick` trades certainty for time; `folder` is where data folders are made and removed
    again.
    """

    folder: Path
    quick: bool = False

    @property
    def rounds(self) -> int:
        """How often each measurement is repeated; the median counts."""
        return 1 if self.quick else 3

    @property
    def seconds(self) -> float:
        """How long one measurement takes."""
        return 2.0 if self.quick else 5.0


@dataclass(frozen=True)
class Target:
    """A promise and what became of it."""

    what: str
    target: float
    measured: float
    at_most: bool = False
    """Whether the target is an upper bound."""

    @property
    def met(self) -> bool:
        return self.measured <= self.target if self.at_most else self.measured >= self.target

    @property
    def ratio(self) -> float:
        """How far the target is met: 1 or more where it is."""
        if self.at_most:
            return self.target / self.measured if self.measured else float("inf")
        return self.measured / self.target


@dataclass
class Figure:
    """`rows` are the table, their keys its columns."""

    letter: str
    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def median(values: list[float]) -> float:
    """The middle value, or the lower of the two in the middle."""
    return sorted(values)[(len(values) - 1) // 2]
