"""Opening a data folder after any end: replay the journal into rows, then build each queue's window from them."""

from __future__ import annotations

from typing import Any

from chappe.engine.base import DEDUPLICATION_WINDOW_MS
from chappe.engine.embedded.fifo import FifoQueue
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.standard import StandardQueue
from chappe.engine.embedded.store import Deduplication, PageRow, SentRow, Store, content_crc


class _Replay:
    """The journal's outcome. Pages hold results, not steps, so replaying one twice changes nothing."""

    def __init__(self, purged: dict[int, int]) -> None:
        self.purged = purged
        """queue id -> highest purged sequence; messages of other queues are gone with their queue."""
        self.sent: dict[int, SentRow] = {}
        self.received: dict[int, tuple[int, int, int, int]] = {}
        self.deleted: set[int] = set()
        self.deduplication: list[Deduplication] = []
        self.last_no = 0
        self.last_seq = 0

    def add(self, no: int, page: PageRow) -> None:
        self.last_no = no
        for row in page.sent:
            self.last_seq = max(self.last_seq, row.seq)
            if row.queue_id not in self.purged:
                continue
            if row.deduplication_key is not None:
                self.deduplication.append((row.queue_id, row.deduplication_key, row.seq, row.id, row.sent_at))
            if row.seq > self.purged[row.queue_id]:
                self.sent[row.seq] = row
        for state in page.received:
            self.received[state[0]] = state
        for seq in page.deleted:
            self.sent.pop(seq, None)
            self.received.pop(seq, None)
            self.deleted.add(seq)


def replay(store: Store) -> int:
    """Settle the entire journal in one transaction. Returns the number for the next page."""
    db = store.db
    purged = {row.id: row.purged_seq for row in store.queues()}
    outcome = _Replay(purged)
    for no, page in store.journal():
        outcome.add(no, page)
    last = db.execute("SELECT max(no) FROM journal").get or 0
    with db:
        counts: dict[int, list[int]] = {}
        _insert(store, outcome, counts)
        _delete(store, outcome, counts)
        store.note_received(list(outcome.received.values()))
        for queue_id, (stored, parked) in counts.items():
            db.execute(
                "UPDATE queues SET stored = stored + ?, parked = parked + ? WHERE id = ?",
                (stored, parked, queue_id),
            )
        if outcome.deduplication:
            store.add_deduplication(outcome.deduplication)
        db.execute("UPDATE meta SET next_seq = max(next_seq, ?)", (outcome.last_seq + 1,))
        db.execute("DELETE FROM journal")
    return int(last) + 1


def _insert(store: Store, outcome: _Replay, counts: dict[int, list[int]]) -> None:
    rows: list[tuple[Any, ...]] = []
    for r in outcome.sent.values():
        crc = content_crc(r.id, r.attributes, r.body)
        rows.append(
            (
                r.seq,
                r.queue_id,
                r.parked,
                r.due,
                r.group,
                r.id,
                r.sent_at,
                r.source,
                crc,
                r.attributes,
                r.body,
            )
        )
        counts.setdefault(r.queue_id, [0, 0])[r.parked] += 1
    store.insert_messages(rows)


def _delete(store: Store, outcome: _Replay, counts: dict[int, list[int]]) -> None:
    for seq in outcome.deleted:
        for queue_id, parked in store.db.execute(
            "DELETE FROM messages WHERE seq = ? RETURNING queue_id, parked", (seq,)
        ):
            if seq > outcome.purged.get(queue_id, 1 << 62):
                counts.setdefault(queue_id, [0, 0])[parked] -= 1
    store.db.executemany("DELETE FROM received WHERE seq = ?", [(seq,) for seq in outcome.deleted])


def load_queues(store: Store, now: int) -> dict[int, Queue]:
    """Every queue with its window, after `replay`."""
    rows = {row.id: row for row in store.queues()}
    received: dict[int, list[Any]] = {}
    for entry in store.received():
        row = rows.get(entry.queue_id)
        if row is not None and entry.seq > row.purged_seq:
            received.setdefault(entry.queue_id, []).append(entry)
    queues: dict[int, Queue] = {}
    for row in rows.values():
        known = received.get(row.id, [])
        parked = sum(1 for e in known if e.parked)
        stored = max(0, row.stored - (len(known) - parked))
        queue: Queue
        if row.info.settings.fifo:
            queue = FifoQueue(row.id, row.info, row.purged_seq, stored=stored)
            queue.restore_delays(store.delays(row.id, row.purged_seq, now))
        else:
            queue = StandardQueue(row.id, row.info, row.purged_seq, stored=stored, parked=max(0, row.parked - parked))
        queue.vanished_ms = row.vanished_ms
        queue.restore(known, now)
        queues[row.id] = queue
    return queues


def load_deduplication(store: Store, now: int) -> list[Deduplication]:
    """Keys accepted within the window."""
    store.db.execute("DELETE FROM deduplication WHERE expires_at_ms <= ?", (now,))
    return [d for d in store.deduplication(now) if d[4] + DEDUPLICATION_WINDOW_MS > now]
