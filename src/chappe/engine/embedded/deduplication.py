"""The deduplication keys of the last five minutes, in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from chappe.engine.base import DEDUPLICATION_WINDOW_MS
from chappe.engine.embedded.rows import Deduplication
from chappe.engine.embedded.writes import Write


class Original(NamedTuple):
    """The first message sent with a key. `write` is its commit, while that may still be under way."""

    seq: int
    id: bytes
    sent_at: int
    write: Write | None


class DeduplicationKeys:
    """Keys by queue. A key counts from the moment its message is submitted, so that two sends at once make one."""

    def __init__(self, known: Iterable[Deduplication]) -> None:
        self._originals: dict[tuple[int, bytes], Original] = {}
        self._by_age: deque[tuple[int, tuple[int, bytes], int]] = deque()
        for queue_id, key, seq, message_id, sent_at in sorted(known, key=lambda d: d[4]):
            self.add(queue_id, key, Original(seq, message_id, sent_at, None))

    def add(self, queue_id: int, key: bytes, original: Original) -> None:
        self._originals[queue_id, key] = original
        self._by_age.append((original.sent_at, (queue_id, key), original.seq))

    def find(self, queue_id: int, key: bytes, now: int) -> Original | None:
        """The original within the window."""
        original = self._originals.get((queue_id, key))
        if original is None or original.sent_at + DEDUPLICATION_WINDOW_MS <= now:
            return None
        if original.write is not None and _failed(original.write):
            return None
        return original

    def withdraw(self, queue_id: int, key: bytes, seq: int) -> None:
        """The message was not committed after all."""
        original = self._originals.get((queue_id, key))
        if original is not None and original.seq == seq:
            del self._originals[queue_id, key]

    def forget_old(self, now: int) -> None:
        while self._by_age and self._by_age[0][0] + DEDUPLICATION_WINDOW_MS <= now:
            _, place, seq = self._by_age.popleft()
            self.withdraw(*place, seq)


def _failed(write: Write) -> bool:
    done = write.done
    return done is not None and done.done() and not done.cancelled() and done.exception() is not None
