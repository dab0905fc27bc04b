"""The queues and the clients of the suite: every operation, on every kind of queue, all the time."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.acceptance.kill.ledger import QueueKind
from tests.acceptance.kill.workers import Desk, FifoSender, Habits, Purger, Receiver, Sender, Worker, large

QUEUES = {
    "orders": QueueKind(),
    "later": QueueKind(),
    "scratch": QueueKind(),
    "jobs": QueueKind(dead_letters="jobs-dead"),
    "jobs-dead": QueueKind(),
    "steps.fifo": QueueKind(fifo=True),
    "tasks.fifo": QueueKind(fifo=True, dead_letters="tasks-dead.fifo"),
    "tasks-dead.fifo": QueueKind(fifo=True),
}
MAX_RECEIVES = 3
"""After so many, the queues that have a dead-letter queue give a message up."""

NewSource = Callable[[], random.Random]
Crew = Callable[[Desk, NewSource], list[Worker]]

_LEAVING = Habits(delete=0.3, change=0.05, keep=0.02, timeouts=(0, 0, 1))
_LEAVING_FIFO = Habits(delete=0.5, change=0.05, keep=0.02, timeouts=(1,))
_FIRM = Habits(delete=0.9)


def everybody(desk: Desk, new: NewSource) -> list[Worker]:
    return [
        Sender(desk, new(), "orders"),
        Sender(desk, new(), "orders"),
        Sender(desk, new(), "later", delay_max=3),
        Sender(desk, new(), "jobs"),
        Sender(desk, new(), "scratch"),
        FifoSender(desk, new(), "steps.fifo", [f"a{n}" for n in range(8)]),
        FifoSender(desk, new(), "steps.fifo", [f"b{n}" for n in range(40)]),
        FifoSender(desk, new(), "tasks.fifo", [f"c{n}" for n in range(30)]),
        Receiver(desk, new(), "orders", Habits()),
        Receiver(desk, new(), "orders", Habits()),
        Receiver(desk, new(), "later", Habits()),
        Receiver(desk, new(), "scratch", Habits(delete=0.5)),
        Receiver(desk, new(), "jobs", _LEAVING),
        Receiver(desk, new(), "jobs-dead", _FIRM),
        Receiver(desk, new(), "steps.fifo", Habits()),
        Receiver(desk, new(), "steps.fifo", Habits()),
        Receiver(desk, new(), "tasks.fifo", _LEAVING_FIFO),
        Receiver(desk, new(), "tasks-dead.fifo", _FIRM),
        Purger(desk, new(), "scratch", share=0.3),
    ]


def fillers(desk: Desk, new: NewSource) -> list[Worker]:
    """Large messages as fast as they go, and receivers who end some of them."""
    return [
        Sender(desk, new(), "orders", draw_size=large, backlog_limit=600),
        Sender(desk, new(), "orders", draw_size=large, backlog_limit=600),
        Sender(desk, new(), "jobs", draw_size=large, backlog_limit=300),
        Sender(desk, new(), "later", delay_max=2),
        FifoSender(desk, new(), "steps.fifo", [f"a{n}" for n in range(8)]),
        Receiver(desk, new(), "orders", Habits(delete=0.5)),
        Receiver(desk, new(), "jobs", _LEAVING),
        Receiver(desk, new(), "steps.fifo", Habits(delete=0.5)),
    ]
