"""What standard and FIFO queues share in memory: who is in flight until when, who waits for messages, what is due."""

from __future__ import annotations

import asyncio
import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from chappe.engine.base import QueueCounts, QueueInfo, QueueSettings
from chappe.engine.embedded.entry import Delivery, Entry, State
from chappe.engine.embedded.pages import Read

HEAD_LIMIT = 2000
"""Messages of one queue kept at hand, in order, before the rest stays on disk."""
REFILL_BELOW = 200
"""Read the next slice when fewer than this are at hand."""
SLICE_ROWS = 500
SLICE_BYTES = 1 << 20


Timer = tuple[int, int, int, Entry]


class Taken(NamedTuple):
    """What one receive took from the queue: to deliver, to move to the dead-letter queue, past their retention."""

    delivered: list[Entry]
    doomed: list[Entry]
    expired: list[Entry]


class Poller:
    """A receive that waits for messages."""

    __slots__ = ("max_messages", "taken", "visibility_timeout_ms")

    def __init__(self, max_messages: int, visibility_timeout_ms: int) -> None:
        self.max_messages = max_messages
        self.visibility_timeout_ms = visibility_timeout_ms
        self.taken: asyncio.Future[list[Delivery]] = asyncio.get_running_loop().create_future()


class Queue(ABC):
    """A queue's window in memory. Its methods never block; the engine writes down what they did."""

    def __init__(self, queue_id: int, info: QueueInfo, purged_seq: int) -> None:
        self.id = queue_id
        self.info = info
        self.name = info.name
        self.settings: QueueSettings = info.settings
        self.purged_seq = purged_seq
        self.vanished_ms = 0
        """Messages sent at or before this instant were past a retention that applied at the time."""
        self.received: dict[int, Entry] = {}
        """Every live message that was ever received, in flight or not. At most a little over `max_in_flight`."""
        self.in_flight = 0
        self.moving = 0
        """Messages of `moves`."""
        self.leaving: set[int] = set()
        """Sequences of messages whose move or deletion is being committed: their rows are there still."""
        self.moves: set[asyncio.Task[bool]] = set()
        """Moves to the dead-letter queue under way; each tells whether it succeeded."""
        self.timers: list[Timer] = []
        """Heap of (instant, seq, tie-break, entry): end of a visibility timeout or of a delay. Stale ones are skipped.
        A message that left memory and came back has a stale timer with the same instant and seq as its new one."""
        self.pollers: dict[Poller, None] = {}
        """In the order they came."""
        self.wake: asyncio.TimerHandle | None = None
        self.deleted = False
        self.dropped: list[Entry] = []
        """Entries with rows that left memory while another got its row; the engine lets go of their contents."""
        self.loading: asyncio.Future[None] | None = None

    # --- what differs between standard and FIFO ---

    @abstractmethod
    def arrive(self, entry: Entry, now: int) -> None:
        """A new message was committed."""

    @abstractmethod
    def _next(self, now: int) -> Entry | None:
        """Remove and return the next message to deliver."""

    @abstractmethod
    def _ready_again(self, entry: Entry, now: int) -> None:
        """A delay or visibility timeout ended."""

    def _removed(self, entry: Entry, now: int) -> None:  # noqa: B027 - standard queues have nothing to do
        """A received message was deleted or moved away."""

    def _took(self, taken: Taken, now: int) -> None:  # noqa: B027 - standard queues have nothing to do
        """A receive has ended."""

    @abstractmethod
    def settled(self, entry: Entry) -> bool:
        """The entry got its row; True if the queue dropped it from memory."""

    @abstractmethod
    def load(self, now: int) -> Read | None:
        """What to read from disk before messages can be taken, if anything. The engine runs one load at a time."""

    @abstractmethod
    def counts(self, now: int) -> QueueCounts: ...

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Every entry in memory."""

    @abstractmethod
    def forget_all(self, upto_seq: int) -> None:
        """After a purge: start anew with nothing at or below the sequence."""

    @abstractmethod
    def expire(self, cutoff: int, now: int) -> list[Entry]:
        """Remove and return messages at hand that were sent at or before the instant `cutoff`."""

    # --- shared ---

    def fresh(self, rows: Iterable[Entry], beyond_seq: int = 0) -> list[Entry]:
        """The rows read whose messages are alive and not in memory already. The others let go of their contents.

        Those up to `beyond_seq` came into memory while the rows were read.
        """
        found: list[Entry] = []
        for row in rows:
            if row.seq > beyond_seq and self._missing(row):
                found.append(row)
            else:
                row.content = None
        return found

    def _missing(self, row: Entry) -> bool:
        return (
            row.state is not State.DEAD
            and row.seq > self.purged_seq
            and row.seq not in self.received
            and row.seq not in self.leaving
        )

    def cutoff(self, now: int) -> int:
        """Messages sent at or before this instant are past their retention."""
        retention_ms = self.settings.retention_ms
        return self.vanished_ms if retention_ms is None else max(self.vanished_ms, now - retention_ms)

    def set_info(self, info: QueueInfo, vanished_ms: int) -> None:
        self.info = info
        self.vanished_ms = vanished_ms
        self.settings = info.settings

    def timer(self, at: int, entry: Entry) -> None:
        heapq.heappush(self.timers, (at, entry.seq, id(entry), entry))
        if len(self.timers) > 1024 and len(self.timers) > 3 * (self.in_flight + self.waiting):
            self.timers = [t for t in self.timers if _runs(t)]
            heapq.heapify(self.timers)

    @property
    def waiting(self) -> int:
        """Delayed messages with a timer."""
        return 0

    def promote(self, now: int) -> None:
        """Make ready what has come due."""
        timers = self.timers
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)
            entry = timer[3]
            if not _runs(timer) or entry.seq in self.leaving:
                continue
            if entry.state is State.IN_FLIGHT:
                self._land(entry)
            entry.state = State.READY
            self._ready_again(entry, now)

    def next_instant(self) -> int | None:
        """When the next timer runs out."""
        timers = self.timers
        while timers and not _runs(timers[0]):
            heapq.heappop(timers)
        return timers[0][0] if timers else None

    def take(self, now: int, max_messages: int, visibility_timeout_ms: int, dead_letters: Callable[[], bool]) -> Taken:
        """Take ready messages and mark them in flight. `dead_letters` says whether the policy's queue exists."""
        taken = Taken([], [], [])
        self.promote(now)
        cutoff = self.cutoff(now)
        policy = self.settings.dead_letter
        limit = min(max_messages, self.settings.max_in_flight - self.in_flight)
        while len(taken.delivered) < limit:
            entry = self._next(now)
            if entry is None:
                break
            if entry.seq in self.leaving:  # it was ready when its deletion began
                self.fly(entry, now)
            elif entry.sent_at <= cutoff:
                self._drop(entry, State.DEAD, now)
                taken.expired.append(entry)
            elif policy is not None and entry.receive_count >= policy.max_receive_count and dead_letters():
                self._drop(entry, State.MOVING, now)
                self.moving += 1
                self.leaving.add(entry.seq)
                taken.doomed.append(entry)
            else:
                self._deliver(entry, now, now + visibility_timeout_ms)
                taken.delivered.append(entry)
        self._took(taken, now)
        return taken

    def _deliver(self, entry: Entry, now: int, visible_at: int) -> None:
        entry.receive_count += 1
        if not entry.first_received_at:
            entry.first_received_at = now
        self.received[entry.seq] = entry
        self.fly(entry, visible_at)

    def fly(self, entry: Entry, visible_at: int) -> None:
        """Put into flight until the instant."""
        entry.state = State.IN_FLIGHT
        entry.visible_at = visible_at
        self.in_flight += 1
        self.timer(visible_at, entry)

    def _land(self, entry: Entry) -> None:
        """No longer in flight."""
        self.in_flight -= 1

    def _drop(self, entry: Entry, state: State, now: int) -> None:
        if entry.state is State.IN_FLIGHT:
            self._land(entry)
        entry.state = state
        self.received.pop(entry.seq, None)
        self._removed(entry, now)

    def moved_away(self, entry: Entry) -> None:
        """The move of a doomed message is committed."""
        self.moving -= 1
        self.leaving.discard(entry.seq)

    def give_up(self, entry: Entry) -> None:
        """A doomed message turned out to be damaged: see `pass_over`."""
        self.moved_away(entry)
        entry.state = State.DEAD

    def undo(self, entry: Entry, now: int) -> None:
        """The move of a doomed message failed: it is received once more, with a timeout that has ended."""
        self.moved_away(entry)
        if entry.seq <= self.purged_seq:
            entry.state = State.DEAD
            return
        self.received[entry.seq] = entry
        self.fly(entry, now)

    def pass_over(self, entry: Entry, now: int) -> None:
        """A message at hand turned out to be damaged: nobody gets it, and its row stays for `chappe doctor`."""
        self._drop(entry, State.DEAD, now)

    def leave(self, entry: Entry) -> None:
        """The deletion of a received message begins: until it is committed the message goes to nobody else."""
        self.leaving.add(entry.seq)

    def stay(self, entry: Entry, now: int) -> None:
        """The deletion was not committed."""
        self.leaving.discard(entry.seq)
        if entry.state is State.IN_FLIGHT:
            self.timer(entry.visible_at, entry)
        elif entry.state is State.MOVING:
            entry.state = State.READY
            self._ready_again(entry, now)

    def delete(self, entry: Entry, now: int) -> None:
        """The deletion of a message is committed."""
        self.leaving.discard(entry.seq)
        if entry.state is not State.DEAD:
            self._drop(entry, State.DEAD, now)

    def change_visibility(self, entry: Entry, now: int, visible_at: int) -> None:
        """`entry` must be in flight; in a standard queue it may also be ready again."""
        entry.visible_at = visible_at
        self.timer(visible_at, entry)
        if visible_at <= now:
            self.promote(now)

    def take_back(self, entry: Entry, now: int) -> None:
        """The newest receive of a message in flight came to nothing."""
        entry.receive_count -= 1
        if not entry.receive_count:
            entry.first_received_at = 0
        self.change_visibility(entry, now, now)

    def restore(self, entries: Iterable[Entry], now: int) -> None:
        """At opening: messages that were received before."""
        for entry in entries:
            self.received[entry.seq] = entry
            self.fly(entry, entry.visible_at)
        self.promote(now)


def _runs(timer: Timer) -> bool:
    at, _, _, entry = timer
    if entry.state is State.IN_FLIGHT:
        return entry.visible_at == at
    return entry.state is State.DELAYED and entry.due == at
