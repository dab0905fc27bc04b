"""A FIFO queue in memory: one backlog for the queue, and one for each group that has messages at hand.

Messages are dealt from the queue's backlog to their groups until enough groups have something to deliver. A group keeps
a short head in memory; what is dealt beyond that stays on disk in the group's own gap, so one blocked group with a
million messages neither fills memory nor hides the groups behind it.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from chappe.engine.base import QueueCounts, QueueInfo
from chappe.engine.embedded.attempts import Attempts
from chappe.engine.embedded.backlog import Backlog
from chappe.engine.embedded.entry import Delivery, Entry, State
from chappe.engine.embedded.pages import Read
from chappe.engine.embedded.queue import HEAD_LIMIT, SLICE_BYTES, SLICE_ROWS, Queue, Taken

GROUP_HEAD_LIMIT = 64
_NO_BARRIER = 2**63
ELIGIBLE_TARGET = 32
"""Deal further messages while fewer groups than this could be received from."""


class Group:
    """`returned` are messages whose visibility timeout ended, in order; all of them precede the backlog."""

    __slots__ = ("backlog", "flying", "listed", "name", "returned", "wanted")

    def __init__(self, name: str) -> None:
        self.name = name
        self.returned: list[tuple[int, Entry]] = []
        self.backlog = Backlog(GROUP_HEAD_LIMIT)
        self.flying: set[int] = set()
        """Sequences of the messages in flight; all of them precede the backlog."""
        self.listed = False
        """Whether it stands in the queue's line of eligible groups."""
        self.wanted = False
        """Whether it waits for a slice of its own gap."""

    @property
    def idle(self) -> bool:
        return not (self.flying or self.returned or len(self.backlog))

    @property
    def barrier(self) -> int:
        """Only messages with a smaller sequence may be received: those before the first in flight."""
        return min(self.flying, default=_NO_BARRIER)

    @property
    def blocked(self) -> bool:
        """Whether the first message that is not in flight comes after one that is."""
        return bool(self.flying) and not (self.returned and self.returned[0][0] < self.barrier)

    def first(self) -> Entry | None:
        if self.returned:
            return self.returned[0][1]
        if not self.backlog.head:
            self.backlog.advance()
        return self.backlog.head[0] if self.backlog.head else None

    def pop(self) -> Entry:
        return self.returned.pop(0)[1] if self.returned else self.backlog.head.popleft()


class FifoQueue(Queue):
    def __init__(self, queue_id: int, info: QueueInfo, purged_seq: int, *, stored: int = 0) -> None:
        super().__init__(queue_id, info, purged_seq)
        self._empty(purged_seq)
        self.backlog.gap = stored

    def _empty(self, upto_seq: int) -> None:
        self.backlog = Backlog(HEAD_LIMIT)
        self.backlog.cursor = upto_seq
        self.groups: dict[str, Group] = {}
        self.line: deque[Group] = deque()
        """Groups that can be received from, longest waiting first."""
        self.hungry: deque[Group] = deque()
        """Groups whose next messages must be read from disk."""
        self.dealt = 0
        """Messages that are with their groups and not in flight, in memory or in a group's gap."""
        self.dealt_seq = upto_seq
        self.delays: dict[int, int] = {}
        """instant at which a delay ends -> how many messages; almost always in order"""
        self._current: Group | None = None
        """The group that the receive under way takes from."""
        self._barrier = _NO_BARRIER
        """That group's barrier when the receive began."""
        self.attempts = Attempts()

    @property
    def waiting(self) -> int:
        return len(self.groups) + 1  # at most the first of each group and of the backlog have a timer

    # --- in ---

    def arrive(self, entry: Entry, now: int) -> None:
        if entry.due > now:
            self.restore_delays((entry.due,))
        self.backlog.push(entry)
        self._deal(now)

    def restore_delays(self, instants: Iterable[int]) -> None:
        """Count messages whose delays end at these instants."""
        for due in instants:
            self.delays[due] = self.delays.get(due, 0) + 1

    def _group(self, entry: Entry) -> Group:
        name = entry.group or ""
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name)
        return group

    def _deal(self, now: int) -> None:
        """Give the next messages of the queue's backlog to their groups.

        Delays are the queue's, so where a message is not due, those behind it hardly ever are: deal no further then,
        once many are dealt.
        """
        backlog = self.backlog
        while len(self.line) < ELIGIBLE_TARGET:
            if not backlog.head:
                backlog.advance()
            if not backlog.head:
                return
            if backlog.head[0].due > now and self.dealt >= HEAD_LIMIT:
                self._wait(backlog.head[0])
                return
            entry = backlog.head.popleft()
            group = self._group(entry)
            if entry.settled:
                group.backlog.extend(entry)
            else:
                group.backlog.push(entry)
            self.dealt += 1
            self.dealt_seq = entry.seq
            self._offer(group, now)

    def _offer(self, group: Group, now: int) -> None:
        """Put the group in line if its first message can be received."""
        if group.listed or group.blocked:
            return
        entry = group.first()
        if entry is None:
            if group.backlog.gap and not group.wanted:
                group.wanted = True
                self.hungry.append(group)
            elif group.idle:
                self.groups.pop(group.name, None)
            return
        if entry.due > now:
            self._wait(entry)
            return
        group.listed = True
        self.line.append(group)

    def _wait(self, entry: Entry) -> None:
        if entry.state is not State.DELAYED:
            entry.state = State.DELAYED
            self.timer(entry.due, entry)

    # --- out ---

    def _next(self, now: int) -> Entry | None:
        group = self._current
        if group is not None:
            entry = group.first()
            if entry is not None and entry.due <= now and entry.seq < self._barrier:
                self.dealt -= 1
                return group.pop()
            self._current = None
        if len(self.line) < ELIGIBLE_TARGET:
            self._deal(now)
        while self.line:
            group = self.line.popleft()
            group.listed = False
            entry = group.first()
            if entry is None or group.blocked or entry.due > now:
                self._offer(group, now)
                continue
            self._current, self._barrier = group, group.barrier
            self.dealt -= 1
            return group.pop()
        return None

    def _took(self, taken: Taken, now: int) -> None:
        self._current = None
        for entry in taken.delivered:
            self.attempts.spoil(entry.seq)
        for entry in (*taken.delivered, *taken.doomed, *taken.expired):
            group = self.groups.get(entry.group or "")
            if group is not None:
                self._offer(group, now)

    def take_again(self, attempt_id: str, now: int, visibility_timeout_ms: int) -> list[Delivery]:
        """Repeat a receive of which all messages are as it left them. Empty if there is none."""
        self.promote(now)
        deliveries = self.attempts.find(attempt_id, now) or []
        cutoff = self.cutoff(now)
        if any(delivery.entry.sent_at <= cutoff for delivery in deliveries):
            return []
        for delivery in deliveries:
            entry = delivery.entry
            if entry.state is State.READY:
                self._group(entry).returned.remove((entry.seq, entry))
                self.dealt -= 1
                self.fly(entry, now + visibility_timeout_ms)
            else:
                entry.visible_at = now + visibility_timeout_ms
                self.timer(entry.visible_at, entry)
        return deliveries

    def remember(self, attempt_id: str, deliveries: list[Delivery], now: int) -> None:
        """So that `take_again` can repeat this receive."""
        if all(delivery.entry.receive_count == delivery.receive_count for delivery in deliveries):
            self.attempts.remember(attempt_id, deliveries, now)

    def change_visibility(self, entry: Entry, now: int, visible_at: int) -> None:
        self.attempts.spoil(entry.seq)
        super().change_visibility(entry, now, visible_at)

    def leave(self, entry: Entry) -> None:
        self.attempts.spoil(entry.seq)
        super().leave(entry)

    def fly(self, entry: Entry, visible_at: int) -> None:
        super().fly(entry, visible_at)
        self._group(entry).flying.add(entry.seq)

    def _ready_again(self, entry: Entry, now: int) -> None:
        if entry.seq not in self.received:  # a delay has ended
            self._deal(now)
            waiting = self.groups.get(entry.group or "")
            if waiting is not None:
                self._offer(waiting, now)
            return
        group = self._group(entry)
        group.flying.discard(entry.seq)
        insort(group.returned, (entry.seq, entry), key=_first)
        self.dealt += 1
        self._offer(group, now)

    def _drop(self, entry: Entry, state: State, now: int) -> None:
        self.attempts.spoil(entry.seq)
        if entry.state is State.IN_FLIGHT:
            self._group(entry).flying.discard(entry.seq)
        super()._drop(entry, state, now)

    def _removed(self, entry: Entry, now: int) -> None:
        group = self.groups.get(entry.group or "")
        if group is not None and group is not self._current:
            self._offer(group, now)

    # --- disk ---

    def settled(self, entry: Entry) -> bool:
        if self.backlog.settled(entry):
            return True
        group = self.groups.get(entry.group or "")
        return group is not None and group.backlog.settled(entry)

    def load(self, now: int) -> Read | None:
        if self.hungry:
            group = self.hungry[0]
            after, upto = max(group.backlog.cursor, self.purged_seq), self.dealt_seq
            return Read(
                lambda store: store.read_group(self.id, group.name, after, upto, GROUP_HEAD_LIMIT, SLICE_BYTES),
                lambda rows: self._loaded_group(group, rows, now),
            )
        if self.backlog.wants_refill and len(self.line) < ELIGIBLE_TARGET:
            cursor = self.backlog.cursor
            return Read(
                lambda store: store.read_in_order(self.id, cursor, SLICE_ROWS, SLICE_BYTES),
                lambda rows: self._loaded(rows, now),
            )
        return None

    def _loaded(self, rows: Sequence[Entry], now: int) -> None:
        if rows:
            self.backlog.refill(self.fresh(rows, self.backlog.cursor), cursor=rows[-1].seq)
        else:
            self.backlog.gap = 0
        self._deal(now)

    def _loaded_group(self, group: Group, rows: Sequence[Entry], now: int) -> None:
        if self.hungry and self.hungry[0] is group:
            self.hungry.popleft()
        group.wanted = False
        if self.groups.get(group.name) is not group:  # a purge came between
            self.fresh(rows, rows[-1].seq if rows else 0)
            return
        if rows:
            group.backlog.refill(self.fresh(rows, group.backlog.cursor), cursor=rows[-1].seq)
        else:
            group.backlog.gap = 0
        self._offer(group, now)

    # --- the whole ---

    def counts(self, now: int) -> QueueCounts:
        self.promote(now)
        for due in list(takewhile(lambda due: due <= now, self.delays)):
            del self.delays[due]
        total = len(self.backlog) + self.dealt
        delayed = min(sum(self.delays.values()), total)
        return QueueCounts(total - delayed, self.in_flight + self.moving, delayed)

    def entries(self) -> Iterator[Entry]:
        yield from self.received.values()
        yield from self.backlog.head
        yield from self.backlog.tail
        for group in self.groups.values():
            yield from group.backlog.head
            yield from group.backlog.tail

    def forget_all(self, upto_seq: int) -> None:
        self.purged_seq = upto_seq
        self.received.clear()
        self.timers.clear()
        self.in_flight = 0
        self._empty(upto_seq)

    def expire(self, cutoff: int, now: int) -> list[Entry]:
        self.promote(now)
        expired: list[Entry] = []
        for group in [g for g in self.groups.values() if not g.flying]:
            while (entry := group.first()) is not None and entry.sent_at <= cutoff:
                self.dealt -= 1
                expired.append(group.pop())
        for entry in expired:
            self._drop(entry, State.DEAD, now)
        return expired


def _first(pair: tuple[int, Entry]) -> int:
    return pair[0]
