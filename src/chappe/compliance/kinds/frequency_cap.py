"""frequency_cap: only so many promotional messages in any window of time, per recipient and channel."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chappe.compliance.rule import AppliesTo, Rule

HOUR_MS = 3_600_000


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `limit` messages in any `window_hours`; the window slides.

    The limit is bounded because so many earlier sends have to be looked up for each message.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)]
    window_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 366)]

    @property
    def window_ms(self) -> int:
        return self.window_hours * HOUR_MS

    def room_from_ms(self, sends_at_ms: tuple[int, ...]) -> int | None:
        """From when one more fits, given the earlier sends, oldest first; None if it always has."""
        if len(sends_at_ms) < self.limit:
            return None
        return sends_at_ms[-self.limit] + self.window_ms


class FrequencyCapParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every one of `caps` is kept."""

    caps: tuple[Cap, ...]

    def __post_init__(self) -> None:
        if not self.caps:
            raise ValueError("caps: give at least one")


class FrequencyCapRule(Rule, frozen=True, kw_only=True, tag_field="kind", tag="frequency_cap"):
    """Holds a message until the fullest window has room again (`action: defer`), or stops it (`block`)."""

    action: Literal["defer", "block"]
    parameters: FrequencyCapParameters

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.applies_to is not AppliesTo.PROMOTIONAL:
            raise ValueError("applies_to: caps count promotional messages, so say promotional")

    @property
    def longest_window_ms(self) -> int:
        return max(cap.window_ms for cap in self.parameters.caps)

    def fullest(self, sends_at_ms: tuple[int, ...]) -> tuple[int, Cap] | None:
        """When every cap has room again, and the cap that has it last; None if all always had. Pure."""
        latest: tuple[int, Cap] | None = None
        for cap in self.parameters.caps:
            room_from_ms = cap.room_from_ms(sends_at_ms)
            if room_from_ms is not None and (latest is None or room_from_ms > latest[0]):
                latest = (room_from_ms, cap)
        return latest
