"""Messages that are being accepted right now, and how far acceptance has come for good."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator


class Arrival:
    """One acceptance under way, of one or more messages."""

    def __init__(self, arriving: dict[int, asyncio.Future[None]]) -> None:
        self._arriving = arriving
        self.keys: list[int] = []
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, key: int) -> None:
        """A message with this key belongs to it."""
        self.keys.append(key)
        self._arriving[key] = self._done

    def end(self) -> None:
        """Everything is recorded and queued, or refused."""
        for key in self.keys:
            del self._arriving[key]
        self._done.set_result(None)


class Arrivals:
    """Keys between the beginning of their acceptance and its end.

    Queueing and recording run side by side, so intake may hold a message whose record is still being committed: it
    waits with `settled`. And after a crash only messages that were arriving can be incomplete: all keys up to
    `settled_through` were complete.
    """

    def __init__(self, settled_through: int) -> None:
        self._arriving: dict[int, asyncio.Future[None]] = {}
        self._newest = settled_through

    @property
    def settled_through(self) -> int:
        """Every message up to this key is recorded and queued, or was refused."""
        return min(self._arriving, default=self._newest + 1) - 1

    @contextlib.contextmanager
    def arriving(self, first_key: int) -> Iterator[Arrival]:
        """Around an acceptance whose keys are made after `first_key`."""
        arrival = Arrival(self._arriving)
        arrival.add(first_key)
        self._newest = max(self._newest, first_key)
        try:
            yield arrival
        finally:
            self._newest = max(self._newest, *arrival.keys)
            arrival.end()

    async def settled(self, keys: Iterable[int]) -> None:
        """Wait until none of these is arriving any more."""
        waiting = {self._arriving[key] for key in keys if key in self._arriving}
        if waiting:
            await asyncio.wait(waiting)
