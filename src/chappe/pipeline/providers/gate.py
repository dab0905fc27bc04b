"""The slots of a provider: so many attempts at once, some of which promotional messages never take.

Attempts may name a destination, one of many servers behind the provider. A destination takes a slot only while it has
fewer than are free (the dynamic threshold of shared buffers: Choudhury and Hahne, 1998): alone it gets half of them,
and of n that never answer each gets one part in n + 1, so that another always finds a slot.
"""

from __future__ import annotations

import asyncio
from collections import deque

from chappe.model.customer import Purpose


class Gate:
    """`limit` slots; a quarter of them, at least one where there are two, is kept free of promotional messages.

    A slot that becomes free goes to a transactional message, and only without one to a promotional; destinations take
    turns, and within one the longest-waiting goes first. Attempts without a destination have no bound of their own.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        self.limit = limit
        self._promotional_limit = max(1, limit - max(1, limit // 4))
        self._taken = {Purpose.TRANSACTIONAL: 0, Purpose.PROMOTIONAL: 0}
        self._taken_by: dict[str, int] = {}
        self._waiting: dict[Purpose, dict[str, deque[asyncio.Future[None]]]] = {
            Purpose.TRANSACTIONAL: {},
            Purpose.PROMOTIONAL: {},
        }

    @property
    def taken(self) -> int:
        """Slots in use."""
        return sum(self._taken.values())

    async def enter(self, purpose: Purpose, destination: str = "") -> None:
        """Take a slot, waiting for one if need be."""
        if destination not in self._waiting[purpose] and self._has_room(purpose, destination):
            self._take(purpose, destination)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[purpose].setdefault(destination, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(purpose, destination)
            else:
                self._forget(purpose, destination, turn)
            raise

    def leave(self, purpose: Purpose, destination: str = "") -> None:
        """Give the slot back."""
        self._taken[purpose] -= 1
        if destination:
            left = self._taken_by.pop(destination) - 1
            if left:
                self._taken_by[destination] = left
        for waiting in (Purpose.TRANSACTIONAL, Purpose.PROMOTIONAL):
            while self._waiting[waiting] and self._let_one_in(waiting):
                pass

    def _let_one_in(self, purpose: Purpose) -> bool:
        if not self._free(purpose):
            return False
        waiting = self._waiting[purpose]
        for destination in waiting:
            if self._has_room(purpose, destination):
                turns = waiting.pop(destination)
                turn = turns.popleft()
                if turns:
                    waiting[destination] = turns  # at the end: the others come first now
                if not turn.done():
                    self._take(purpose, destination)
                    turn.set_result(None)
                return True
        return False

    def _forget(self, purpose: Purpose, destination: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting[purpose].get(destination)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[purpose][destination]

    def _take(self, purpose: Purpose, destination: str) -> None:
        self._taken[purpose] += 1
        if destination:
            self._taken_by[destination] = self._taken_by.get(destination, 0) + 1

    def _has_room(self, purpose: Purpose, destination: str) -> bool:
        return self._free(purpose) > (self._taken_by.get(destination, 0) if destination else 0)

    def _free(self, purpose: Purpose) -> int:
        free = self.limit - self.taken
        if purpose is Purpose.TRANSACTIONAL:
            return free
        return min(free, self._promotional_limit - self._taken[purpose])
