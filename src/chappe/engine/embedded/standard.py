"""A standard queue in memory: a backlog in order, and beside it what came due out of order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

from chappe.engine.base import QueueCounts, QueueInfo
from chappe.engine.embedded.backlog import Backlog
from chappe.engine.embedded.entry import Entry, State
from chappe.engine.embedded.pages import Read
from chappe.engine.embedded.queue import HEAD_LIMIT, REFILL_BELOW, SLICE_BYTES, SLICE_ROWS, Queue

PARKED_LIMIT = 10_000
"""Delayed messages of one queue kept in memory; up to twice as many before the later ones are left to the disk."""
LOOK_AHEAD_MS = 2_000
"""How long before it is due a parked message is read from disk."""

_EVERYTHING = (1 << 62, 0)


class StandardQueue(Queue):
    """Ready messages come from two sides in turn, so that neither starves: the backlog, in the order sent, and `late`,
    those whose delay or visibility timeout has ended, in the order in which that happened.

    Delayed messages are *parked*: on disk they are ordered by due time. Those with (due, seq) at or below `horizon` are
    in memory; later ones are on disk, and in memory only until they are settled.
    """

    def __init__(self, queue_id: int, info: QueueInfo, purged_seq: int, *, stored: int = 0, parked: int = 0) -> None:
        super().__init__(queue_id, info, purged_seq)
        self.backlog = Backlog(HEAD_LIMIT, gap=stored)
        self.backlog.cursor = purged_seq
        self.late: deque[Entry] = deque()
        self.parked: dict[int, Entry] = {}
        """Never-received messages that came with a delay, due or not."""
        self.parked_waiting = 0
        self.parked_on_disk = parked
        self.horizon = (0, 0) if parked else _EVERYTHING
        self._late_next = False

    @property
    def waiting(self) -> int:
        return self.parked_waiting

    def arrive(self, entry: Entry, now: int) -> None:
        if entry.parked:
            self._park(entry)
        else:
            self.backlog.push(entry)

    def _park(self, entry: Entry) -> None:
        entry.state = State.DELAYED
        self.parked[entry.seq] = entry
        self.parked_waiting += 1
        self.timer(entry.due, entry)

    def _next(self, now: int) -> Entry | None:
        head = self.backlog.head
        self._late_next = not self._late_next
        if self.late and (self._late_next or not head):
            entry = self._next_late()
            if entry is not None:
                return entry
        if not head:
            self.backlog.advance()
        if head:
            return head.popleft()
        return self._next_late()

    def _next_late(self) -> Entry | None:
        while self.late:
            entry = self.late.popleft()
            if entry.state is State.READY:
                self.parked.pop(entry.seq, None)
                return entry
        return None

    def _ready_again(self, entry: Entry, now: int) -> None:
        if entry.seq in self.parked:
            self.parked_waiting -= 1
        self.late.append(entry)

    def settled(self, entry: Entry) -> bool:
        if entry.parked:
            if entry.seq in self.parked and (entry.due, entry.seq) > self.horizon:
                self._leave_to_disk(entry)
            elif len(self.parked) > 2 * PARKED_LIMIT:
                self._evict()
            return entry.state is State.EVICTED
        return self.backlog.settled(entry)

    def _evict(self) -> None:
        """Leave to the disk what is due last."""
        settled = sorted((e.due, e.seq, e) for e in self.parked.values() if e.settled)
        for due, seq, entry in settled[PARKED_LIMIT:]:
            self.horizon = min(self.horizon, (due, seq - 1))
            self._leave_to_disk(entry)

    def _leave_to_disk(self, entry: Entry) -> None:
        if entry.state is State.DELAYED:
            self.parked_waiting -= 1
        entry.state = State.EVICTED
        del self.parked[entry.seq]
        self.parked_on_disk += 1

    def load(self, now: int) -> Read | None:
        backlog = self.backlog
        if backlog.gap and len(backlog.head) < REFILL_BELOW:
            cursor = backlog.cursor
            return Read(lambda store: store.read_in_order(self.id, cursor, SLICE_ROWS, SLICE_BYTES), self._loaded)
        if self.parked_on_disk and self.horizon[0] <= now + LOOK_AHEAD_MS and len(self.late) < HEAD_LIMIT:
            horizon = self.horizon
            return Read(lambda store: store.read_due(self.id, horizon, SLICE_ROWS, SLICE_BYTES), self._loaded_parked)
        return None

    def _loaded(self, rows: Sequence[Entry]) -> None:
        backlog = self.backlog
        if not rows:
            backlog.gap = 0
            backlog.advance()
            return
        backlog.refill((row for row in rows if self._missing(row)), cursor=rows[-1].seq)

    def _missing(self, row: Entry) -> bool:
        """Whether a row that was read is alive and not in memory already."""
        return self.missing(row) and row.seq not in self.parked

    def _loaded_parked(self, rows: Sequence[Entry]) -> None:
        if not rows:
            self.parked_on_disk = 0
            self.horizon = _EVERYTHING
            return
        self.horizon = max(self.horizon, (rows[-1].due, rows[-1].seq))
        for row in rows:
            if self._missing(row):
                self.parked_on_disk -= 1
                self._park(row)
        if self.parked_on_disk <= 0:
            self.parked_on_disk = 0
            self.horizon = _EVERYTHING

    def counts(self, now: int) -> QueueCounts:
        self.promote(now)
        ready = len(self.backlog) + sum(1 for e in self.late if e.state is State.READY)
        return QueueCounts(ready, self.in_flight + self.moving, self.parked_waiting + self.parked_on_disk)

    def at_hand_beyond(self, horizon: tuple[int, int], now: int) -> int:
        """How many of the messages that `Store.count_due` counted are in memory, and counted there."""
        received = (e for e in self.received.values() if e.parked and not e.noted)
        at_hand = chain(received, self.parked.values())
        return sum(1 for e in at_hand if e.settled and e.due <= now and (e.due, e.seq) > horizon)

    def entries(self) -> Iterator[Entry]:
        yield from self.received.values()
        yield from self.parked.values()
        yield from self.backlog.head
        yield from self.backlog.tail

    def forget_all(self, upto_seq: int) -> None:
        self.purged_seq = upto_seq
        self.received.clear()
        self.timers.clear()
        self.in_flight = 0
        self.backlog = Backlog(HEAD_LIMIT)
        self.backlog.cursor = upto_seq
        self.late.clear()
        self.parked.clear()
        self.parked_waiting = self.parked_on_disk = 0
        self.horizon = _EVERYTHING

    def take_out(self, seq: int, parked: bool) -> Entry | None:
        """Remove a live message that is not in `received`. None if it is only on disk: then its row was uncounted.

        Needed after a crash only, for a receipt whose receive was not yet on disk.
        """
        if parked:
            found = self.parked.pop(seq, None)
            if found is None:
                self.parked_on_disk = max(0, self.parked_on_disk - 1)
            elif found.state is State.DELAYED:
                self.parked_waiting -= 1
            return found
        for found in self.backlog.head:
            if found.seq == seq:
                self.backlog.head.remove(found)
                return found
        self.backlog.gap = max(0, self.backlog.gap - 1)
        return None

    def expire(self, cutoff: int, now: int) -> list[Entry]:
        self.promote(now)
        expired: list[Entry] = []
        head = self.backlog.head
        if not head:
            self.backlog.advance()
        while head and head[0].sent_at <= cutoff:
            expired.append(head.popleft())
        for entry in [e for e in self.late if e.state is State.READY and e.sent_at <= cutoff]:
            self.late.remove(entry)
            self.parked.pop(entry.seq, None)
            expired.append(entry)
        for entry in expired:
            self._drop(entry, State.DEAD, now)
        return expired
