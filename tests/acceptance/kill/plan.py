"""When a life is to end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple

LOAD_SECONDS = 0.7
"""Most lives under load end within this time."""
LONG_SECONDS = 5.0
"""Some last long enough for the engine to settle what the journal holds."""
STRIKE_AFTER = ("SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch")
RARE = ("ChangeMessageVisibility", "PurgeQueue", "CreateQueue", "SetQueueAttributes", "DeleteQueue")


class Plan(NamedTuple):
    """A life ends during start-up, or so many seconds after the load began; or after the n-th request of a kind was
    sent, or requests of so many bytes altogether, but not later than `seconds`."""

    tight: bool = False
    """With next to no memory (see tests.conformance.tight), so that what takes a long backlog or a long time happens at
    once."""
    in_startup: bool = False
    seconds: float = LOAD_SECONDS
    operation: str | None = None
    nth: int = 0
    delay_seconds: float = 0.0
    """Between that request and the kill."""
    sent_bytes: int = 0


def draw_plan(source: random.Random, startup_seconds: float) -> Plan:
    """Ends of every kind; more of them at random moments than at chosen ones."""
    draw = source.random()
    tight = source.random() < 0.4
    if draw < 0.2:
        return Plan(tight, in_startup=True, seconds=source.uniform(0, 1.3 * startup_seconds))
    if draw < 0.22:
        return Plan(seconds=source.uniform(3, LONG_SECONDS))
    if draw < 0.65:
        return Plan(tight, seconds=source.uniform(0, LOAD_SECONDS))
    delay_seconds = source.choice((0.0, source.uniform(0, 0.004)))
    if draw < 0.92:
        nth = source.randint(1, source.choice((3, 30, 150)))
        return Plan(tight, operation=source.choice(STRIKE_AFTER), nth=nth, delay_seconds=delay_seconds)
    return Plan(tight, operation=source.choice(RARE), nth=source.randint(1, 3), delay_seconds=delay_seconds)


class Trigger:
    """Is told of every request and strikes after the one that the plan names."""

    def __init__(self, plan: Plan, strike: Callable[[], None]) -> None:
        self.released = False
        self._plan, self._strike = plan, strike
        self._requests = self._bytes = 0

    def sent(self, operation: str, request_bytes: int) -> None:
        plan = self._plan
        self._bytes += request_bytes
        self._requests += operation == plan.operation
        this_one = self._requests == plan.nth if operation == plan.operation else self._bytes >= plan.sent_bytes > 0
        if this_one and not self.released:
            self.released = True
            if plan.delay_seconds:
                asyncio.get_running_loop().call_later(plan.delay_seconds, self._strike)
            else:
                self._strike()
