"""The slots of a provider: so many attempts at once, some of which promotional messages never take."""

from __future__ import annotations

import asyncio
from collections import deque

from chappe.model.customer import Purpose


class Gate:
    """`limit` slots; a quarter of them, at least one where there are two, is kept free of promotional messages.

    A slot that becomes free goes to the longest-waiting transactional message, and only without one to a promotional.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        self.limit = limit
        self._promotional_limit = max(1, limit - max(1, limit // 4))
        self._taken = {Purpose.TRANSACTIONAL: 0, Purpose.PROMOTIONAL: 0}
        self._waiting: dict[Purpose, deque[asyncio.Future[None]]] = {
            Purpose.TRANSACTIONAL: deque(),
            Purpose.PROMOTIONAL: deque(),
        }

    @property
    def taken(self) -> int:
        """Slots in use."""
        return sum(self._taken.values())

    async def enter(self, purpose: Purpose) -> None:
        """Take a slot, waiting for one if need be."""
        if self._has_room(purpose) and not self._waiting[purpose]:
            self._taken[purpose] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[purpose].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(purpose)
            raise

    def leave(self, purpose: Purpose) -> None:
        """Give the slot back."""
        self._taken[purpose] -= 1
        for waiting in (Purpose.TRANSACTIONAL, Purpose.PROMOTIONAL):
            while self._waiting[waiting] and self._has_room(waiting):
                turn = self._waiting[waiting].popleft()
                if not turn.done():
                    self._taken[waiting] += 1
                    turn.set_result(None)

    def _has_room(self, purpose: Purpose) -> bool:
        free = self.taken < self.limit
        if purpose is Purpose.TRANSACTIONAL:
            return free
        return free and self._taken[purpose] < self._promotional_limit
