"""Opening a data folder after any end: replay the journal into rows, then build each queue's window from them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import apsw

from chappe.engine.base import DEDUPLICATION_WINDOW_MS
from chappe.engine.embedded.entry import Place
from chappe.engine.embedded.fifo import FifoQueue
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.rows import Deduplication, PageRow, Received, Row, message_row
from chappe.engine.embedded.standard import StandardQueue
from chappe.engine.embedded.store import Store

GROUP_BYTES = 4 << 20
"""About how much of the journal is settled in one transaction, so that it needs little room even on a full disk."""


class _Outcome:
    """What the whole journal says of each message in the end."""

    def __init__(self) -> None:
        self.deleted: set[int] = set()
        self.received: dict[int, Received] = {}
        self.groups: list[int] = []
        """The last page of each group to be settled together."""
        self.last_no = 0
        self._group_bytes = 0

    def add(self, no: int, page: PageRow, page_bytes: int) -> None:
        self.last_no = no
        self.deleted.update(page.deleted)
        for state in page.received:
            self.received[state[0]] = state
        self._group_bytes += page_bytes
        if self._group_bytes >= GROUP_BYTES:
            self.groups.append(no)
            self._group_bytes = 0


def replay(store: Store) -> int:
    """Settle the entire journal. Returns the number for the next page.

    Pages hold results, not steps, and each group's transaction drops its pages, so it does not matter where an
    interrupted replay stopped.
    """
    outcome = _Outcome()
    for no, page, page_bytes in store.journal():
        outcome.add(no, page, page_bytes)
    purged = {row.id: row.purged_seq for row in store.queues()}
    done_no = 0
    for last_no in (*outcome.groups, outcome.last_no):
        # So that each group is written at the log's beginning instead of making it longer.
        store.db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        with store.db:
            _settle_group(store, outcome, purged, done_no, last_no)
        done_no = last_no
    return outcome.last_no + 1


def _settle_group(store: Store, outcome: _Outcome, purged: dict[int, int], after_no: int, last_no: int) -> None:
    rows: list[Row] = []
    deleted: list[int] = []
    received: dict[int, Received] = {}
    deduplication: list[Deduplication] = []
    counts: dict[int, list[int]] = {}
    last_seq = 0
    for _, page, _ in store.journal(after_no, last_no):
        deleted += page.deleted
        received |= {seq: outcome.received[seq] for seq, *_ in page.received if seq not in outcome.deleted}
        for sent in page.sent:
            last_seq = max(last_seq, sent.seq)
            if sent.queue_id not in purged:  # its queue was deleted
                continue
            if sent.deduplication_key is not None:
                deduplication.append((sent.queue_id, sent.deduplication_key, sent.seq, sent.id, sent.sent_at))
            if sent.seq > purged[sent.queue_id] and sent.seq not in outcome.deleted:
                rows.append(message_row(sent))
                counts.setdefault(sent.queue_id, [0, 0, 0])[sent.place] += 1
    store.insert_messages(rows)
    _delete(store, deleted, purged, counts)
    store.note_received(list(received.values()))
    store.add_counts(counts)
    if deduplication:
        store.add_deduplication(deduplication)
    store.drop_pages(last_no, next_seq=last_seq + 1)


def _delete(store: Store, deleted: list[int], purged: dict[int, int], counts: dict[int, list[int]]) -> None:
    for seq in deleted:
        for queue_id, place in store.db.execute("DELETE FROM messages WHERE seq = ? RETURNING queue_id, place", (seq,)):
            if seq > purged.get(queue_id, 1 << 62):
                counts.setdefault(queue_id, [0, 0, 0])[place] -= 1
    store.db.executemany("DELETE FROM received WHERE seq = ?", [(seq,) for seq in deleted])


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
        received_at = Counter(entry.place for entry in known)
        stored = max(0, row.stored - received_at[Place.IN_ORDER])
        queue: Queue
        if row.info.settings.fifo:
            queue = FifoQueue(row.id, row.info, row.purged_seq, stored=stored)
            queue.restore_delays(store.delays(row.id, row.purged_seq, now))
        else:
            parked = max(0, row.parked - received_at[Place.PARKED])
            queue = StandardQueue(row.id, row.info, row.purged_seq, stored=stored, parked=parked)
            if row.grouped:
                queue.restore_tenants(store.groups(row.id), max(0, row.grouped - received_at[Place.GROUPED]))
        queue.vanished_ms = row.vanished_ms
        queue.restore(known, now)
        queues[row.id] = queue
    return queues


def load_deduplication(store: Store, now: int) -> list[Deduplication]:
    """Keys accepted within the window."""
    store.db.execute("DELETE FROM deduplication WHERE expires_at_ms <= ?", (now,))
    return [d for d in store.deduplication(now) if d[4] + DEDUPLICATION_WINDOW_MS > now]
