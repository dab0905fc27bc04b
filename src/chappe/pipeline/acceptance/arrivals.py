"""Messages that are being accepted right now, and how far acceptance has come for good."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator


class Arrival:
    """One acceptance under way, of one or more messages."""

    def __init__(self, arriving: dict[int, Arrival], *, in_order: bool) -> None:
        self.in_order = in_order
        self.keys: list[int] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arriving = arriving

    def add(self, key: int) -> None:
        """A message with this key belongs to it."""
        self.keys.append(key)
        self._arriving[key] = self

    def end(self) -> None:
        """Everything is recorded and queued, or refused."""
        for key in self.keys:
            del self._arriving[key]
        self.done.set_result(None)


class Arrivals:
    """Keys between the beginning of their acceptance and its end.

    Queueing and recording run side by side, so intake may hold a message whose record is still being committed: it
    waits with `in_order`, and a lane with `settled` before an attempt. And after a crash only messages that were
    arriving can be incomplete: all keys up to `settled_through` were complete.

    `refused` are messages whose caller was told that they were not taken, as long as their records could not be
    removed: whoever meets them drops them.
    """

    def __init__(self, settled_through: int) -> None:
        self._arriving: dict[int, Arrival] = {}
        self._newest = settled_through
        self.refused: set[int] = set()

    @property
    def settled_through(self) -> int:
        """Every message up to this key is recorded and queued, or was refused."""
        return min(self._arriving, default=self._newest + 1) - 1

    @contextlib.contextmanager
    def arriving(self, first_key: int, *, in_order: bool) -> Iterator[Arrival]:
        """Around an acceptance whose keys are made after `first_key`.

        `in_order` says that its records are written before anything that intake writes of the same messages.
        """
        arrival = Arrival(self._arriving, in_order=in_order)
        arrival.add(first_key)
        self._newest = max(self._newest, first_key)
        try:
            yield arrival
        except asyncio.CancelledError:
            # Cut off in the middle, by the end of the process: it stays incomplete, and the next start looks after it.
            raise
        except BaseException:
            self._end(arrival)
            raise
        self._end(arrival)

    def _end(self, arrival: Arrival) -> None:
        self._newest = max(self._newest, *arrival.keys)
        arrival.end()

    async def settled(self, keys: Iterable[int]) -> None:
        """Wait until none of these is arriving any more."""
        await _ended({self._arriving[key].done for key in keys if key in self._arriving})

    async def in_order(self, keys: Iterable[int]) -> set[int]:
        """Wait until all of these may be written about; the keys of those that are arriving still."""
        arriving = {key: self._arriving[key] for key in keys if key in self._arriving}
        await _ended({arrival.done for arrival in arriving.values() if not arrival.in_order})
        return {key for key, arrival in arriving.items() if arrival.in_order}


async def _ended(arrivals: set[asyncio.Future[None]]) -> None:
    if arrivals:
        await asyncio.wait(arrivals)
