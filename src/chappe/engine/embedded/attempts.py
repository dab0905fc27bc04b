"""Receives from a FIFO queue that can be asked for again, because their caller may not have got the answer."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from chappe.engine.base import ATTEMPT_WINDOW_MS
from chappe.engine.embedded.entry import Delivery


class Attempt(NamedTuple):
    made_at: int
    deliveries: list[Delivery]


class Attempts:
    """The attempts of one queue whose messages are as they were. In memory only: a restart forgets them.

    An attempt is forgotten with the first of its messages to which something happens, so this holds no more messages
    than are received and not deleted.
    """

    def __init__(self) -> None:
        self._by_id: OrderedDict[str, Attempt] = OrderedDict()
        """The oldest first."""
        self._of: dict[int, str] = {}
        """Sequence of a message -> the attempt that took it."""

    def remember(self, attempt_id: str, deliveries: list[Delivery], now: int) -> None:
        self._forget(attempt_id)
        while self._by_id and next(iter(self._by_id.values())).made_at + ATTEMPT_WINDOW_MS <= now:
            self._forget(next(iter(self._by_id)))
        self._by_id[attempt_id] = Attempt(now, deliveries)
        self._of.update((delivery.entry.seq, attempt_id) for delivery in deliveries)

    def find(self, attempt_id: str, now: int) -> list[Delivery] | None:
        """What the attempt took."""
        attempt = self._by_id.get(attempt_id)
        if attempt is None or attempt.made_at + ATTEMPT_WINDOW_MS <= now:
            return None
        return attempt.deliveries

    def spoil(self, seq: int) -> None:
        """Something happened to the message: what took it cannot be repeated."""
        attempt_id = self._of.get(seq)
        if attempt_id is not None:
            self._forget(attempt_id)

    def _forget(self, attempt_id: str) -> None:
        attempt = self._by_id.pop(attempt_id, None)
        for delivery in attempt.deliveries if attempt is not None else ():
            self._of.pop(delivery.entry.seq, None)
