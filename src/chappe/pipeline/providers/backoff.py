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

    A recipient that is refused for the time being wants another measure: greylisting ends after minutes, a full mailbox
    after hours. The wait is at least `recipient_first_ms * factor ** (n - 1)`, at most `recipient_cap_ms`, and up to a
    quarter longer.
    """

    attempts: int = 7
    floor_ms: int = 50
    first_ms: int = 100
    factor: float = 2.0
    cap_ms: int = 300_000
    asked_cap_ms: int = 3_600_000
    patience_ms: int = 86_400_000
    recipient_first_ms: int = 60_000
    recipient_cap_ms: int = 3_600_000

    def delay_ms(self, attempts_made: int, asked_ms: int | None, source: random.Random) -> int:
        """The wait after the attempt with this number (from 1)."""
        longest = self._grown_ms(self.first_ms, self.cap_ms, attempts_made)
        drawn = source.uniform(self.floor_ms, max(longest, self.floor_ms))
        return int(max(drawn, min(asked_ms or 0, self.asked_cap_ms)))

    def recipient_delay_ms(self, attempts_made: int, source: random.Random) -> int:
        """The wait after the attempt with this number at which the recipient was refused for the time being."""
        shortest = self._grown_ms(self.recipient_first_ms, self.recipient_cap_ms, attempts_made)
        return int(source.uniform(shortest, shortest * 1.25))

    def _grown_ms(self, first_ms: int, cap_ms: int, attempts_made: int) -> float:
        # The exponent is bounded first: 2.0 ** 1100 is no float.
        return min(cap_ms, first_ms * self.factor ** min(attempts_made - 1, 64))
