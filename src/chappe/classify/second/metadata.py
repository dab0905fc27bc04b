"""What is known of a message besides its text."""

from __future__ import annotations

import math

import msgspec


class Metadata(msgspec.Struct, frozen=True):
    """None is "not known", and the forest takes it as such: it was taught with gaps.

    `reputation` is the sender's, from 0 (every message was complained about) to 1. `hour` and `weekday` (0 is Monday)
    are when the recipient would get it, by the recipient's clock. `received_30_days` is how many messages of this
    sender the recipient had, and `reacted` the share of them that were opened, clicked or answered.
    """

    reputation: float | None = None
    hour: int | None = None
    weekday: int | None = None
    received_30_days: int | None = None
    reacted: float | None = None


UNKNOWN = Metadata()
NAMES = ("reputation", "hour_sin", "hour_cos", "weekend", "received_30_days", "reacted")
_MISSING = -2.0
"""Outside the range of every number below, so that one comparison parts what is known from what is not."""


def numbers(metadata: Metadata) -> list[float]:
    """One number per name of `NAMES`. Hours go round a circle, because 23:00 is near 01:00."""
    hour = metadata.hour
    angle = None if hour is None else hour % 24 * math.tau / 24
    return [
        _or_missing(metadata.reputation),
        _MISSING if angle is None else math.sin(angle),
        _MISSING if angle is None else math.cos(angle),
        _MISSING if metadata.weekday is None else float(metadata.weekday >= 5),
        _MISSING if metadata.received_30_days is None else math.log1p(metadata.received_30_days),
        _or_missing(metadata.reacted),
    ]


def _or_missing(value: float | None) -> float:
    return _MISSING if value is None else value
