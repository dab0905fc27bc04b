"""Ordinary work in small slices, so that urgent work never waits long for the event loop.

Work that may wait asks for a turn before it computes and again whenever its slice is used up. Turns are given one at
a time, each in a pass of the event loop of its own: between two slices everything urgent that is ready runs. While
urgent work is under way, even if it waits for the disk just then, turns are spaced out: it needs the processor also
for the threads that commit and read, and the less ordinary work is begun, the less of it stands before the urgent in
their queues.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterator

SLICE_SECONDS = 0.0005
SPACING_SECONDS = 0.002
"""Between two slices while urgent work is under way: ordinary work keeps a fifth of the event loop."""


class Background:
    """Gives turns, in the order they were asked for."""

    def __init__(self, slice_seconds: float = SLICE_SECONDS, spacing_seconds: float = SPACING_SECONDS) -> None:
        self._slice_seconds = slice_seconds
        self._spacing_seconds = spacing_seconds
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._giving = False
        self._slice_ends = 0.0
        self._urgent = 0

    @contextlib.contextmanager
    def urgent(self) -> Iterator[None]:
        """Around urgent work, its waits included."""
        self._urgent += 1
        try:
            yield
        finally:
            self._urgent -= 1

    async def turn(self) -> None:
        """Wait for a turn and begin a slice."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        if not self._giving:
            self._giving = True
            loop.call_soon(self._give, loop)
        await mine
        self._slice_ends = time.perf_counter() + self._slice_seconds

    async def pause(self) -> None:
        """To be called between the items of a slice: goes on at once while the slice lasts."""
        if time.perf_counter() >= self._slice_ends:
            await self.turn()

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._urgent:
            early_seconds = self._slice_ends + self._spacing_seconds - time.perf_counter()
            if early_seconds > 0:
                loop.call_later(early_seconds, self._give, loop)
                return
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                loop.call_soon(self._give, loop)
                return
        self._giving = False


class Pace:
    """The pace of one piece of work: paused when it is ordinary, straight on when it is urgent."""

    def __init__(self, background: Background, *, urgent: bool) -> None:
        self.urgent = urgent
        self._background = background

    async def begin(self) -> None:
        """Before computing, and after each wait for something else."""
        if not self.urgent:
            await self._background.turn()

    async def pause(self) -> None:
        """Between items."""
        if not self.urgent:
            await self._background.pause()

    def under_way(self) -> contextlib.AbstractContextManager[None]:
        """Around the work: ordinary work holds back while urgent work is under way."""
        return self._background.urgent() if self.urgent else contextlib.nullcontext()
