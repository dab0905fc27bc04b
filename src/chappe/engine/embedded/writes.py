"""What operations hand to the commit stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chappe.engine.embedded.entry import Entry

Statement = tuple[str, tuple[Any, ...]]


class Write:
    """The durable effect of one operation: all of it is committed, or none.

    `sent` are new messages, `received` those whose delivery state changed, `deleted` those that end here; `statements`
    are changes to queues themselves. After the commit `apply` changes memory, then `done` is resolved. `grows` marks
    what is refused when the disk is full.
    """

    __slots__ = ("apply", "deleted", "done", "grows", "received", "sent", "statements")

    def __init__(
        self,
        *,
        sent: list[Entry] | None = None,
        received: list[Entry] | None = None,
        deleted: list[Entry] | None = None,
        statements: list[Statement] | None = None,
        apply: Callable[[Write], None] | None = None,
        done: asyncio.Future[None] | None = None,
        grows: bool = False,
    ) -> None:
        self.sent = sent
        self.received = received
        self.deleted = deleted
        self.statements = statements
        self.apply = apply
        self.done = done
        self.grows = grows

    def let_go(self) -> None:
        """Of all but `done`, for which deduplication keeps a write for as long as its keys count."""
        self.sent = self.received = self.deleted = self.statements = self.apply = None

    def committed(self) -> asyncio.Future[None]:
        """Done when the write is durable."""
        assert self.done is not None
        return self.done


class Settlement:
    """Rows to change so that journal pages up to `upto_no` can be dropped."""

    __slots__ = (
        "bytes",
        "counts",
        "deduplication",
        "deleted",
        "inserted",
        "next_seq",
        "noted",
        "pages",
        "upto_no",
    )

    def __init__(self, next_seq: int) -> None:
        self.upto_no = 0
        self.next_seq = next_seq
        self.pages = 0
        self.bytes = 0
        self.inserted: dict[int, Entry] = {}
        self.deleted: dict[int, Entry] = {}
        self.noted: dict[int, Entry] = {}
        self.counts: dict[int, list[int]] = {}
        """queue id -> change of the number of rows at each `Place`"""
        self.deduplication: list[tuple[int, bytes, int, bytes, int]] = []
        """(queue id, key, seq, message id, sent at)"""

    def count(self, entry: Entry, change: int) -> None:
        self.counts.setdefault(entry.queue_id, [0, 0, 0])[entry.place] += change
