"""Entries that trickle in through a pipe: what has come need not wait for what may never come."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")
_AHEAD = 2000
"""How many entries are read ahead of their sending."""


class _End:
    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def paced(entries: Iterator[T], patience_seconds: float) -> Iterator[T | None]:
    """The entries, and None each time that some were given out and `patience_seconds` went by without the next.

    They are read in a thread, which nothing can interrupt while it reads; it ends with the process.
    """
    arrived: queue.Queue[T | _End] = queue.Queue(_AHEAD)
    threading.Thread(target=_read, args=(entries, arrived), name="reading-entries", daemon=True).start()
    deadline: float | None = None
    while True:
        try:
            entry = arrived.get(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            deadline = None
            yield None
            continue
        if isinstance(entry, _End):
            if entry.error is not None:
                raise entry.error
            return
        if deadline is None:
            deadline = time.monotonic() + patience_seconds
        yield entry


def _read(entries: Iterator[T], arrived: queue.Queue[T | _End]) -> None:
    try:
        for entry in entries:
            arrived.put(entry)
    except BaseException as error:  # noqa: BLE001 - raised again by whoever takes the entries
        arrived.put(_End(error))
    else:
        arrived.put(_End())
