"""One turn of the commit stream: what is committed together, and what is read right after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from chappe.engine.embedded.entry import Entry
from chappe.engine.embedded.store import Store
from chappe.engine.embedded.writes import Settlement, Write


class Read:
    """Rows wanted in memory. Runs after a page's commit, and its result is applied after that page's effects, so that
    memory and disk agree about what was read."""

    __slots__ = ("apply", "done", "fetch")

    def __init__(
        self,
        fetch: Callable[[Store], Sequence[Entry]],
        apply: Callable[[Sequence[Entry]], None],
    ) -> None:
        self.fetch = fetch
        self.apply = apply
        self.done: asyncio.Future[None] | None = None

    def finish(self, error: BaseException | None = None) -> None:
        """Tell whoever waits that the rows are there, or why not."""
        if self.done is None or self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Page:
    """One commit: writes in order, the journal row that holds them, and what it settles of earlier pages."""

    __slots__ = ("bytes", "created_at", "deleted", "no", "reads", "received", "sent", "settlement", "writes")

    def __init__(self, no: int, writes: list[Write], reads: list[Read], created_at: float) -> None:
        self.no = no
        self.writes = writes
        self.reads = reads
        self.created_at = created_at
        self.bytes = 0
        self.settlement: Settlement | None = None
        self.sent: list[Entry] = []
        self.received: list[Entry] = []
        self.deleted: list[Entry] = []

    def forget_writes(self) -> None:
        """After the commit: keep what settling needs, which is the messages.

        Seconds pass until then, and the writes with their futures would take as much memory as the messages of a page.
        """
        for write in self.writes:
            self.sent += write.sent or ()
            self.received += write.received or ()
            self.deleted += write.deleted or ()
            write.let_go()
        self.writes = []
