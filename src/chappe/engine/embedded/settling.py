"""From journal to rows: which pages to settle next, and what of them is still worth a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chappe.engine.base import DEDUPLICATION_WINDOW_MS
from chappe.engine.embedded.entry import Entry, State
from chappe.engine.embedded.pages import Page
from chappe.engine.embedded.writes import Settlement

SETTLE_AFTER_SECONDS = 3.0
"""How long a page stays in the journal when there is room: most messages are deleted sooner and never become rows."""
GATHER_SECONDS = 0.2
"""How much longer the oldest page waits so that several are settled together."""
JOURNAL_BYTES = 32 << 20
CHUNK = 400
"""Rows changed in one commit, at the usual pace; more when the journal grows beyond its size."""


def plan(
    pages: Sequence[Page],
    journal_bytes: int,
    *,
    loop_time: float,
    now: int,
    next_seq: int,
    is_counted: Callable[[Entry], bool],
) -> Settlement | None:
    """Choose the oldest pages to settle with the next commit. None if there is nothing to do yet.

    `is_counted` says whether its queue's counts include the row of a message.
    """
    if not pages:
        return None
    pressure = journal_bytes / JOURNAL_BYTES
    if pressure < 1 and loop_time - pages[0].created_at < SETTLE_AFTER_SECONDS + GATHER_SECONDS:
        return None
    settlement = Settlement(next_seq)
    budget = int(CHUNK * max(1.0, pressure * pressure))
    oldest = loop_time - SETTLE_AFTER_SECONDS
    for page in pages:
        if budget <= 0 or (page.created_at > oldest and journal_bytes - settlement.bytes < JOURNAL_BYTES):
            break
        budget -= _add(page, settlement, now, is_counted)
    return settlement


def _add(page: Page, settlement: Settlement, now: int, is_counted: Callable[[Entry], bool]) -> int:
    """Add what a page means for the rows; returns about how many rows that is."""
    settlement.pages += 1
    settlement.bytes += page.bytes
    settlement.upto_no = page.no
    rows = 0
    inserted, deleted, noted = settlement.inserted, settlement.deleted, settlement.noted
    for entry in page.sent:
        if entry.state is not State.DEAD:
            inserted[entry.seq] = entry
            settlement.count(entry, 1)
            rows += 1
        if entry.deduplication_key is not None and entry.sent_at + DEDUPLICATION_WINDOW_MS > now:
            settlement.deduplication.append(
                (entry.queue_id, entry.deduplication_key, entry.seq, entry.id, entry.sent_at)
            )
    for entry in page.received:
        if entry.state is not State.DEAD and (entry.settled or entry.seq in inserted):
            noted[entry.seq] = entry
            rows += 1
    for entry in page.deleted:
        if entry.settled and entry.seq not in deleted:
            deleted[entry.seq] = entry
            noted.pop(entry.seq, None)
            if is_counted(entry):
                settlement.count(entry, -1)
            rows += 1
    return rows + 1
