"""A standard queue in memory: what is ready, tenant by tenant, and what is delayed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from chappe.engine.base import QueueCounts, QueueInfo
from chappe.engine.embedded.entry import Entry, State
from chappe.engine.embedded.pages import Read
from chappe.engine.embedded.queue import HEAD_LIMIT, REFILL_BELOW, SLICE_BYTES, SLICE_ROWS, Queue
from chappe.engine.embedded.store import Store
from chappe.engine.embedded.tenants import Line, Tenant

PARKED_LIMIT = 10_000
"""Delayed messages of one queue kept in memory; up to twice as many before the later ones are left to the disk."""
LOOK_AHEAD_MS = 2_000
"""How long before it is due a parked message is read from disk."""

TENANT_HEAD_LIMIT = 64
TENANT_REFILL_BELOW = 16
TENANTS_PER_READ = 30

_EVERYTHING = (1 << 62, 0)
_UNKNOWN = 1 << 60
"""A gap whose length nobody counted, and a sequence beyond all."""


class StandardQueue(Queue):
    """Messages without a group are those of `plain`, which is all there is in most queues. Each group has a tenant
    beside it (see `tenants`), and then they take turns.

    Delayed messages are *parked*: on disk they are ordered by due time. Those with (due, seq) at or below `horizon` are
    in memory; later ones are on disk, and in memory only until they are settled.
    """

    def __init__(self, queue_id: int, info: QueueInfo, purged_seq: int, *, stored: int = 0, parked: int = 0) -> None:
        super().__init__(queue_id, info, purged_seq)
        self._empty(purged_seq)
        self.plain.backlog.gap = stored
        self.parked_on_disk = parked
        self.horizon = (0, 0) if parked else _EVERYTHING

    def _empty(self, upto_seq: int) -> None:
        self.plain = Tenant(None, HEAD_LIMIT, upto_seq)
        self.tenants: dict[str, Tenant] = {}
        self.line = Line()
        self.hungry: deque[Tenant] = deque()
        """Tenants whose next messages must be read from disk."""
        self.grouped_ready = 0
        """Messages of all tenants but `plain` that are ready, at hand or on disk."""
        self.parked: dict[int, Entry] = {}
        """Never-received messages that came with a delay, due or not."""
        self.parked_waiting = 0
        self.parked_on_disk = 0
        self.horizon = _EVERYTHING

    @property
    def waiting(self) -> int:
        return self.parked_waiting

    def arrive(self, entry: Entry, now: int) -> None:
        if entry.parked:
            self._park(entry)
        else:
            self._owner(entry).backlog.push(entry)
            self._ready(entry)

    def _owner(self, entry: Entry) -> Tenant:
        return self.plain if entry.group is None else self._tenant(entry.group)

    def _tenant(self, name: str) -> Tenant:
        tenant = self.tenants.get(name)
        if tenant is None:
            if not self.tenants:
                self.line.place(self.plain)
            tenant = self.tenants[name] = Tenant(name, TENANT_HEAD_LIMIT, self.purged_seq)
        return tenant

    def restore_tenants(self, names: Iterable[str], ready: int) -> None:
        """At opening: groups that have messages on disk, and how many messages those are."""
        self.grouped_ready = ready
        for name in names:
            tenant = self._tenant(name)
            tenant.backlog.gap = _UNKNOWN
            self._want(tenant)

    def _ready(self, entry: Entry) -> None:
        """A message of its owner became ready."""
        if entry.group is not None:
            self.grouped_ready += 1
        if self.tenants:
            self._stand_in_line(self._owner(entry))

    def _stand_in_line(self, tenant: Tenant) -> None:
        if tenant.ready:
            if not tenant.wanted or tenant.late or tenant.backlog.head:
                self.line.place(tenant)
                if len(self.line) > 1024 and len(self.line) > 4 * len(self.tenants):
                    self.line.tidy()
        elif tenant.idle and tenant.name is not None and self.tenants.get(tenant.name) is tenant:
            tenant.ticket = None  # another tenant of this name may come to stand in line
            del self.tenants[tenant.name]

    def _want(self, tenant: Tenant) -> None:
        if tenant.backlog.gap and not tenant.wanted and tenant is not self.plain:
            tenant.wanted = True
            self.hungry.append(tenant)

    def _park(self, entry: Entry) -> None:
        entry.state = State.DELAYED
        self.parked[entry.seq] = entry
        self.parked_waiting += 1
        self.timer(entry.due, entry)

    def _next(self, now: int) -> Entry | None:
        if not self.tenants:
            return self._pop(self.plain)
        while (tenant := self.line.next()) is not None:
            entry = self._pop(tenant)
            if len(tenant.backlog.head) < TENANT_REFILL_BELOW:
                self._want(tenant)
            self._stand_in_line(tenant)
            if entry is not None or tenant.backlog.gap:
                # None: it is this tenant's turn and what it has is on disk, so nobody goes before it is read
                return entry
        return None

    def _pop(self, tenant: Tenant) -> Entry | None:
        entry = tenant.pop()
        if entry is not None:
            if entry.parked:
                self.parked.pop(entry.seq, None)
            if entry.group is not None:
                self.grouped_ready -= 1
        return entry

    def _ready_again(self, entry: Entry, now: int) -> None:
        if entry.seq in self.parked:
            self.parked_waiting -= 1
        self._owner(entry).late[entry.seq] = entry
        self._ready(entry)

    def _no_longer_late(self, entry: Entry) -> None:
        """A message that stood among the late ones is taken away from there."""
        del self._owner(entry).late[entry.seq]
        if entry.group is not None:
            self.grouped_ready -= 1

    def fly(self, entry: Entry, visible_at: int) -> None:
        super().fly(entry, visible_at)
        owner = self._owner(entry)
        owner.in_flight += 1
        if self.tenants:
            self._stand_in_line(owner)

    def change_visibility(self, entry: Entry, now: int, visible_at: int) -> None:
        if entry.state is State.READY:
            if visible_at > now:
                self._no_longer_late(entry)
                self.fly(entry, visible_at)
            return
        super().change_visibility(entry, now, visible_at)

    def delete(self, entry: Entry, now: int) -> None:
        if entry.state is State.READY:
            self._no_longer_late(entry)
        super().delete(entry, now)

    def _land(self, entry: Entry) -> None:
        super()._land(entry)
        owner = self._owner(entry)
        owner.in_flight -= 1
        if self.tenants:
            self._stand_in_line(owner)

    def settled(self, entry: Entry) -> bool:
        if entry.parked:
            if entry.seq in self.parked and (entry.due, entry.seq) > self.horizon:
                self._leave_to_disk(entry)
            elif len(self.parked) > 2 * PARKED_LIMIT:
                self._evict()
            return entry.state is State.EVICTED
        if entry.group is None:
            return self.plain.backlog.settled(entry)
        tenant = self.tenants.get(entry.group)
        return tenant is not None and tenant.backlog.settled(entry)

    def _evict(self) -> None:
        """Leave to the disk what is due last."""
        settled = sorted((e.due, e.seq, e) for e in self.parked.values() if e.settled)
        for due, seq, entry in settled[PARKED_LIMIT:]:
            self.horizon = min(self.horizon, (due, seq - 1))
            self._leave_to_disk(entry)
            self.dropped.append(entry)

    def _leave_to_disk(self, entry: Entry) -> None:
        if entry.state is State.DELAYED:
            self.parked_waiting -= 1
        else:
            self._no_longer_late(entry)
        entry.state = State.EVICTED
        del self.parked[entry.seq]
        self.parked_on_disk += 1

    def load(self, now: int) -> Read | None:
        backlog = self.plain.backlog
        if self._wants_parked(now):  # some are late already
            return self._load_parked()
        if backlog.gap and len(backlog.head) < REFILL_BELOW:
            cursor = backlog.cursor
            return Read(lambda store: store.read_in_order(self.id, cursor, SLICE_ROWS, SLICE_BYTES), self._loaded)
        if self.hungry:
            return self._load_tenants()
        return self._load_parked() if self._wants_parked(now + LOOK_AHEAD_MS) else None

    def _wants_parked(self, due_by: int) -> bool:
        due_at_hand = len(self.parked) - self.parked_waiting
        return self.parked_on_disk > 0 and self.horizon[0] <= due_by and due_at_hand < HEAD_LIMIT

    def _load_parked(self) -> Read:
        horizon = self.horizon
        return Read(
            lambda store: store.read_due(self.id, horizon, SLICE_ROWS, SLICE_BYTES),
            lambda rows: self._loaded_parked(horizon, rows),
        )

    def _loaded(self, rows: Sequence[Entry]) -> None:
        self._refill(self.plain, rows)
        if self.tenants:
            self._stand_in_line(self.plain)

    def _load_tenants(self) -> Read:
        """Tenants stay hungry until their rows are there, so that a read that failed is made again."""
        tenants = list(islice(self.hungry, TENANTS_PER_READ))
        places = [(tenant.name or "", tenant.backlog.cursor) for tenant in tenants]
        slices: list[list[Entry]] = []
        """By tenant, because a damaged row does not tell whose it is."""

        def read(store: Store) -> list[Entry]:
            slices[:] = [
                store.read_group(self.id, name, after, _UNKNOWN, TENANT_HEAD_LIMIT, SLICE_BYTES)
                for name, after in places
            ]
            return list(chain.from_iterable(slices))

        return Read(read, lambda rows: self._loaded_tenants(tenants, slices))

    def _loaded_tenants(self, tenants: list[Tenant], slices: list[list[Entry]]) -> None:
        for tenant, rows in zip(tenants, slices, strict=True):
            if self.hungry and self.hungry[0] is tenant:
                self.hungry.popleft()
            tenant.wanted = False
            if self.tenants.get(tenant.name or "") is tenant:
                self._refill(tenant, rows)
                self._stand_in_line(tenant)
            else:  # a purge came between
                self.fresh(rows, _UNKNOWN)

    def _refill(self, tenant: Tenant, rows: Sequence[Entry]) -> None:
        if rows:
            tenant.backlog.refill(self.fresh(rows, tenant.backlog.cursor), cursor=rows[-1].seq)
        else:
            tenant.backlog.gap = 0
            tenant.backlog.advance()

    def _missing(self, row: Entry) -> bool:
        return super()._missing(row) and row.seq not in self.parked

    def _loaded_parked(self, after: tuple[int, int], rows: Sequence[Entry]) -> None:
        if self.horizon != after:  # others were left to the disk meanwhile, which may be due before these
            self.fresh(rows, _UNKNOWN)
            return
        if not rows:
            self.parked_on_disk = 0
            self.horizon = _EVERYTHING
            return
        self.horizon = (rows[-1].due, rows[-1].seq)
        for row in self.fresh(rows):
            self.parked_on_disk -= 1
            self._park(row)
        if self.parked_on_disk <= 0:
            self.parked_on_disk = 0
            self.horizon = _EVERYTHING

    def counts(self, now: int) -> QueueCounts:
        self.promote(now)
        ready = len(self.plain.backlog) + len(self.plain.late) + self.grouped_ready
        return QueueCounts(ready, self.in_flight + self.moving, self.parked_waiting + self.parked_on_disk)

    def at_hand_beyond(self, horizon: tuple[int, int], now: int) -> int:
        """How many of the messages that `Store.count_due` counted are in memory, and counted there."""
        received = (e for e in self.received.values() if e.parked and not e.noted)
        at_hand = chain(received, self.parked.values())
        return sum(1 for e in at_hand if e.settled and e.due <= now and (e.due, e.seq) > horizon)

    def entries(self) -> Iterator[Entry]:
        yield from self.received.values()
        yield from self.parked.values()
        for tenant in self._all_tenants():
            yield from tenant.backlog.head
            yield from tenant.backlog.tail

    def _all_tenants(self) -> list[Tenant]:
        return [self.plain, *self.tenants.values()]

    def forget_all(self, upto_seq: int) -> None:
        self.purged_seq = upto_seq
        self.received.clear()
        self.timers.clear()
        self.in_flight = 0
        self._empty(upto_seq)

    def take_out(self, row: Entry) -> Entry | None:
        """Remove a live message that is not in `received`. None if it is only on disk: then its row was uncounted.

        Needed after a crash only, for a receipt whose receive was not yet on disk.
        """
        if row.parked:
            found = self.parked.pop(row.seq, None)
            if found is None:
                self.parked_on_disk = max(0, self.parked_on_disk - 1)
            elif found.state is State.DELAYED:
                self.parked_waiting -= 1
            else:
                self._no_longer_late(found)
            return found
        backlog = self._owner(row).backlog
        if row.group is not None:
            self.grouped_ready -= 1
        for found in backlog.head:
            if found.seq == row.seq:
                backlog.head.remove(found)
                return found
        backlog.gap = max(0, backlog.gap - 1)
        return None

    def expire(self, cutoff: int, now: int) -> list[Entry]:
        self.promote(now)
        expired: list[Entry] = []
        for tenant in self._all_tenants():
            past = self._past(tenant, cutoff)
            expired += past
            if past and self.tenants:
                self._stand_in_line(tenant)
        for entry in expired:
            self.parked.pop(entry.seq, None)
            if entry.group is not None:
                self.grouped_ready -= 1
            self._drop(entry, State.DEAD, now)
        return expired

    def _past(self, tenant: Tenant, cutoff: int) -> list[Entry]:
        """Take out the tenant's messages at hand that were sent at or before the instant."""
        head = tenant.backlog.head
        if not head:
            tenant.backlog.advance()
        if not head:
            self._want(tenant)
        past: list[Entry] = []
        while head and head[0].sent_at <= cutoff:
            past.append(head.popleft())
        late = [entry for entry in tenant.late.values() if entry.sent_at <= cutoff]
        for entry in late:
            del tenant.late[entry.seq]
        return past + late
