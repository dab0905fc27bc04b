"""An ordered run of messages of which only the two ends are in memory.

    head (in memory) | gap (only on disk) | tail (in memory, not settled yet)

New messages join the head while there is no gap and the head has room, else the tail. When a tail message is settled it
leaves memory and widens the gap. When the head is used up, the gap is read in again, a slice at a time; once the gap is
closed the tail becomes the head. So a backlog of any length costs the memory of its ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from chappe.engine.embedded.entry import Entry


class Backlog:
    __slots__ = ("cursor", "gap", "head", "head_limit", "tail")

    def __init__(self, head_limit: int, gap: int = 0) -> None:
        self.head: deque[Entry] = deque()
        self.tail: deque[Entry] = deque()
        self.gap = gap
        self.cursor = 0
        """The highest sequence that ever entered the head; the gap is above it."""
        self.head_limit = head_limit

    def __len__(self) -> int:
        return len(self.head) + self.gap + len(self.tail)

    def push(self, entry: Entry) -> None:
        """Append a message that is not settled yet."""
        if self.gap or self.tail or len(self.head) >= self.head_limit:
            self.tail.append(entry)
        else:
            self.head.append(entry)
            self.cursor = entry.seq

    def settled(self, entry: Entry) -> bool:
        """Note that an entry got its row. True if that ended its stay in memory."""
        if self.tail and self.tail[0] is entry:
            self.tail.popleft()
            self.gap += 1
            return True
        return False

    def extend(self, entry: Entry) -> bool:
        """Append a message that was read from disk. False if it was left there, in the gap."""
        if self.gap or len(self.head) >= self.head_limit:
            self.gap += 1
            return False
        self.head.append(entry)
        self.cursor = entry.seq
        return True

    def refill(self, entries: Iterable[Entry], *, cursor: int) -> None:
        """Take in what was read from the gap, up to the sequence `cursor`."""
        for entry in entries:
            self.head.append(entry)
            self.gap -= 1
        self.cursor = max(self.cursor, cursor)
        self.gap = max(0, self.gap)
        self.advance()

    def advance(self) -> None:
        """Let the tail become the head when nothing is left before it."""
        if not self.gap and self.tail and not self.head:
            while self.tail and len(self.head) < self.head_limit:
                self.head.append(self.tail.popleft())
            self.cursor = self.head[-1].seq

    @property
    def wants_refill(self) -> bool:
        return self.gap > 0 and not self.head
