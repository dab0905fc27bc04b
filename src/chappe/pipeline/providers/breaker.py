"""A circuit breaker: a provider that keeps failing is left alone for a while, then tried with one message.

Closed, until `failures_to_open` attempts in a row failed temporarily. Open for `open_ms`, twice as long each time the
trial fails, at most `open_cap_ms`. Then half open: one attempt is let through, and its outcome closes or opens the
circuit again. A refusal, for good or of one recipient for the time being, is an answer, so it counts as success: the
provider works.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class BreakerPolicy(msgspec.Struct, frozen=True):
    """See the module."""

    failures_to_open: int = 5
    open_ms: int = 5_000
    open_cap_ms: int = 300_000
    trial_ms: int = 120_000
    """A trial whose outcome was never reported is forgotten after this time."""


class CircuitState(StrEnum):
    """Whether attempts are let through: all, none, or one as a trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Reads no clock: every method is told the time."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._open_for_ms = policy.open_ms
        self._opened_until_ms: int | None = None
        self._trial_until_ms = 0

    def state(self, now_ms: int) -> CircuitState:
        """How it stands."""
        self._heed(now_ms)
        if self._opened_until_ms is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now_ms < self._opened_until_ms else CircuitState.HALF_OPEN

    def closed_from_ms(self, now_ms: int) -> int:
        """The first moment from now on at which an attempt may be let through."""
        self._heed(now_ms)
        if self._opened_until_ms is None:
            return now_ms
        return max(now_ms, self._opened_until_ms, self._trial_until_ms)

    def try_pass(self, now_ms: int) -> bool:
        """Whether an attempt may be made now. A half-open circuit lets one through; report its outcome."""
        self._heed(now_ms)
        if self._opened_until_ms is None:
            return True
        if now_ms < self._opened_until_ms or now_ms < self._trial_until_ms:
            return False
        self._trial_until_ms = now_ms + self._policy.trial_ms
        return True

    def _heed(self, now_ms: int) -> None:
        # A clock that was set back must not keep a provider from being tried for as long as it had been ahead.
        if self._opened_until_ms is not None:
            self._opened_until_ms = min(self._opened_until_ms, now_ms + self._open_for_ms)
            self._trial_until_ms = min(self._trial_until_ms, now_ms + self._policy.trial_ms)

    def succeeded(self) -> bool:
        """The provider answered; whether that closed the circuit."""
        closed = self._opened_until_ms is not None
        self._failures = 0
        self._open_for_ms = self._policy.open_ms
        self._opened_until_ms = None
        self._trial_until_ms = 0
        return closed

    def failed(self, now_ms: int) -> bool:
        """The provider failed temporarily; whether that opened the circuit, or opened it again."""
        self._failures += 1
        if self._opened_until_ms is not None:
            if now_ms < self._opened_until_ms:
                return False  # an attempt from before it opened
            self._open_for_ms = min(self._open_for_ms * 2, self._policy.open_cap_ms)
        elif self._failures < self._policy.failures_to_open:
            return False
        self._opened_until_ms = now_ms + self._open_for_ms
        self._trial_until_ms = 0
        return True
