"""Fairness in a standard queue: whose message is delivered next.

Messages with the same group belong to one tenant; those without one belong to a tenant of their own. The next message
is that of the ready tenant with the fewest messages in flight, among equals of the one served longest ago. So a tenant
with a backlog of a million does not delay one that sends a message now and then.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict

from chappe.engine.embedded.backlog import Backlog
from chappe.engine.embedded.entry import Entry


class Tenant:
    """One tenant's ready messages: a backlog in order, and `late` ones, whose delay or visibility timeout ended.

    The two sides take turns, so that neither starves.
    """

    __slots__ = ("_late_next", "backlog", "in_flight", "late", "name", "served", "ticket", "wanted")

    def __init__(self, name: str | None, head_limit: int, cursor: int) -> None:
        self.name = name
        self.backlog = Backlog(head_limit)
        self.backlog.cursor = cursor
        self.late: OrderedDict[int, Entry] = OrderedDict()
        """By sequence, in the order in which they became ready."""
        self.in_flight = 0
        self.served = 0
        """When it was last served, in turns."""
        self.ticket: tuple[int, int, int] | None = None
        """Its place in the line; an older ticket counts for nothing."""
        self.wanted = False
        """Whether it waits for a slice of its gap."""
        self._late_next = False

    @property
    def ready(self) -> bool:
        """Whether it may have something to deliver, at hand or on disk."""
        return bool(self.late or self.backlog.head or self.backlog.tail or self.backlog.gap)

    @property
    def idle(self) -> bool:
        return not (self.in_flight or self.ready)

    def pop(self) -> Entry | None:
        """The next message at hand."""
        head = self.backlog.head
        self._late_next = not self._late_next
        if not head:
            self.backlog.advance()
        if self.late and (self._late_next or not head):
            return self.late.popitem(last=False)[1]
        return head.popleft() if head else None


class Line:
    """Ready tenants, the one whose turn it is first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Tenant]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._heap)

    def place(self, tenant: Tenant) -> None:
        """Give the tenant the place that is now its due."""
        self._number += 1
        tenant.ticket = (tenant.in_flight, tenant.served, self._number)
        heapq.heappush(self._heap, (*tenant.ticket, tenant))

    def next(self) -> Tenant | None:
        """Take the first tenant out of the line."""
        while self._heap:
            *ticket, tenant = heapq.heappop(self._heap)
            if tenant.ticket == tuple(ticket):
                tenant.ticket = None
                self._number += 1
                tenant.served = self._number
                return tenant
        return None

    def tidy(self) -> None:
        """Forget places that count for nothing."""
        self._heap = [place for place in self._heap if place[3].ticket == place[:3]]
        heapq.heapify(self._heap)
