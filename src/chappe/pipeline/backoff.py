"""How long to wait before the next attempt: exponential backoff with full jitter."""

from __future__ import annotations

import random

import msgspec


class RetryPolicy(msgspec.Struct, frozen=True):
    """`attempts` over all providers of the route; after that the message is a dead letter.

    The wait before attempt n+1 is drawn evenly between `floor_ms` and `first_ms * factor ** (n - 1)`, at most `cap_ms`,
    so that messages which failed together do not come back together. A provider's own wish (Retry-After) is kept to
    as far as `asked_cap_ms`. While every circuit of the route is open a message waits without using up attempts, at
    most `patience_ms` after it entered the lane.
    """

    attempts: int = 7
    floor_ms: int = 50
    first_ms: int = 100
    factor: float = 2.0
    cap_ms: int = 300_000
    asked_cap_ms: int = 3_600_000
    patience_ms: int = 86_400_000

    def delay_ms(self, attempts_made: int, asked_ms: int | None, source: random.Random) -> int:
        """The wait after the attempt with this number (from 1)."""
        # The exponent is bounded first: 2.0 ** 1100 is no float.
        longest = min(self.cap_ms, self.first_ms * self.factor ** min(attempts_made - 1, 64))
        drawn = source.uniform(self.floor_ms, max(longest, self.floor_ms))
        return int(max(drawn, min(asked_ms or 0, self.asked_cap_ms)))
