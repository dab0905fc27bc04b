"""What the operations of the embedded engine share: its queues, the commit stream, and what of it all is in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from chappe.engine.base import NewMessage
from chappe.engine.embedded.checkpoints import Checkpoints
from chappe.engine.embedded.commits import CommitStream
from chappe.engine.embedded.deduplication import DeduplicationKeys
from chappe.engine.embedded.entry import Content, Entry, Receipts, State
from chappe.engine.embedded.folder import DataFolder
from chappe.engine.embedded.pages import Page
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.recovery import load_deduplication, load_queues, replay
from chappe.engine.embedded.settling import plan
from chappe.engine.embedded.store import Store
from chappe.engine.embedded.writes import Settlement, Write
from chappe.model.errors import Closed, QueueNotFound, StorageFull

_log = structlog.get_logger("chappe.engine")

RESIDENT_BYTES = 64 << 20
"""Contents of settled messages kept in memory, over all queues."""
SETTLE_PAUSE_SECONDS = 1.0
"""How long no page is settled after the disk was found full."""


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class Core:
    """The state of an open engine. `serve` hands ready messages to waiting receives; the receiving part sets it."""

    def __init__(self, folder: DataFolder, store: Store, clock: Callable[[], int]) -> None:
        self.folder = folder
        self.store = store
        self.clock = clock
        self._loop = asyncio.get_running_loop()
        now = clock()
        next_page_no = replay(store)
        self._next_seq = self.first_seq = store.next_seq()
        self.receipts = Receipts(store.receipt_key())
        self.by_id = load_queues(store, now)
        self.by_name = {queue.name: queue for queue in self.by_id.values()}
        self.names = sorted(self.by_name)
        self.keys = DeduplicationKeys(load_deduplication(store, now))
        self.ended: set[int] = set()
        """Settled messages (by sequence) that ended and still have a row: rows that are read are checked against it."""
        self.resident_bytes = 0
        self.full: StorageFull | None = None
        """Set while the disk is full."""
        self.room_bytes = 0
        """While there is no reserve: what may still be written before the room inside the database is as small."""
        self.garbage = True
        """Whether purges or deleted queues may have left rows behind."""
        self.closing = False
        self.serve: Callable[[Queue], None] = lambda queue: None
        self._settle_not_before = 0.0
        self._checkpoints = Checkpoints(store, folder.reserve_bytes)
        self.commits = CommitStream(
            store,
            next_page_no=next_page_no,
            settle=self._plan_settlement,
            settled=self._settled,
            mark_ended=self._mark_ended,
            loaded=self._loaded,
            on_full=self.on_full,
            between_commits=self._checkpoints.between_commits,
        )

    async def close(self) -> None:
        await self.commits.close()
        self._checkpoints.close()
        self.store.close()
        self.folder.close()

    def check_open(self) -> None:
        if self.closing:
            raise Closed("The server is shutting down.")

    def queue(self, name: str) -> Queue:
        """Raises `QueueNotFound`, and `Closed` after `close`."""
        self.check_open()
        queue = self.by_name.get(name)
        if queue is None:
            raise QueueNotFound(f"There is no queue named {name}.", queue=name)
        return queue

    def new_seq(self) -> int:
        seq = self._next_seq
        self._next_seq = seq + 1
        return seq

    @property
    def last_seq(self) -> int:
        """The highest sequence given out."""
        return self._next_seq - 1

    def commit(self, write: Write) -> asyncio.Future[None]:
        """Submit the write; done when it is durable and applied to memory."""
        write.done = self._loop.create_future()
        self.commits.submit(write)
        return write.done

    # --- messages end, and contents leave memory ---

    def end(self, entry: Entry) -> None:
        """The message is over; its row, if any, goes when the page that says so is settled."""
        entry.state = State.DEAD
        if entry.settled:
            self.ended.add(entry.seq)
        self.release(entry)

    def expire(self, entries: list[Entry]) -> None:
        """Messages past their retention are gone at once: nobody could see them again anyway."""
        for entry in entries:
            self.end(entry)
        self.commits.submit(Write(deleted=entries))

    def release(self, entry: Entry) -> None:
        """Let go of a content that is on disk or no longer needed."""
        if entry.content is not None:
            if entry.settled:
                self.resident_bytes -= entry.content_bytes
            entry.content = None

    async def contents(self, entries: Sequence[Entry]) -> list[Content | None]:
        """What the messages carry, read from disk where it is not at hand. None where one has ended meanwhile.

        What is at hand is held from the start: entries may let go of it while the others are read.
        """
        at_hand = [entry.content for entry in entries]
        missing = [entry.seq for entry, content in zip(entries, at_hand, strict=True) if content is None]
        if not missing:
            return at_hand

        def read(store: Store) -> list[Entry | None]:
            return [store.read_one(seq) for seq in missing]

        rows = {row.seq: row.content for row in await self.commits.run(read) if row is not None}
        return [
            None if entry.state is State.DEAD else content or rows.get(entry.seq)
            for entry, content in zip(entries, at_hand, strict=True)
        ]

    def _mark_ended(self, rows: Sequence[Entry]) -> None:
        """Rows came from disk: some may have ended meanwhile."""
        for entry in rows:
            if entry.seq in self.ended:
                entry.state = State.DEAD

    def _loaded(self, rows: Sequence[Entry]) -> None:
        """Their queue has taken in what it wants of them, and let go of the contents of the others."""
        for entry in rows:
            self.resident_bytes += entry.content_bytes
            if self.resident_bytes > RESIDENT_BYTES:
                self.release(entry)

    # --- settling ---

    def _plan_settlement(self, pages: Sequence[Page], journal_bytes: int) -> Settlement | None:
        loop_time = self._loop.time()
        if loop_time < self._settle_not_before:
            return None
        return plan(
            pages,
            journal_bytes,
            loop_time=loop_time,
            now=self.clock(),
            next_seq=self._next_seq,
            is_counted=self._is_counted,
        )

    def _is_counted(self, entry: Entry) -> bool:
        """Whether its queue's counts include its row. A purge has set them to 0, whatever is settled later."""
        queue = self.by_id.get(entry.queue_id)
        return queue is not None and entry.seq > queue.purged_seq

    def _settled(self, settlement: Settlement) -> None:
        for entry in settlement.inserted.values():
            self._got_row(entry)
        for entry in settlement.noted.values():
            entry.noted = True
        for entry in settlement.deleted.values():
            self.ended.discard(entry.seq)
            entry.settled = False  # another deletion of it may stand in a later page

    def _got_row(self, entry: Entry) -> None:
        queue = self.by_id.get(entry.queue_id)
        if queue is None or entry.seq <= queue.purged_seq:
            return  # its row goes with the garbage
        entry.settled = True
        if entry.state is State.DEAD:
            self.ended.add(entry.seq)
            return
        if queue.settled(entry) or entry.state is State.IN_FLIGHT:
            entry.content = None
        self.resident_bytes += entry.content_bytes
        if self.resident_bytes > RESIDENT_BYTES:
            self.release(entry)
        while queue.dropped:
            self.release(queue.dropped.pop())

    # --- a full disk ---

    async def make_room(self) -> int:
        """Let the log start over; returns the bytes that are free inside the database."""

        def make_room(store: Store) -> int:
            self._checkpoints.start_over(store)
            return store.free_bytes()

        return await self.commits.run(make_room)

    def need_room(self, messages: Sequence[NewMessage]) -> None:
        """Raises `StorageFull` where new messages cannot be taken."""
        if self.full is None and not self.folder.reserved:
            # Each is written twice before the first copy makes room: to the journal and as a row.
            self.room_bytes -= 2 * sum(len(message.body) + len(message.attributes) for message in messages)
            if self.room_bytes < 0:
                self.on_full()
        if self.full is not None:
            raise self.full

    def on_full(self) -> None:
        """The disk is full: refuse new messages, and free the reserve for everything else."""
        self.folder.give_up_reserve()
        if self.full is None:
            self.full = StorageFull(
                f"The disk that holds {self.folder.path} is full, so new messages are refused; receives and deletes are"
                " served. Free space or enlarge it.",
                path=str(self.folder.path),
            )
            _log.error("disk_full", path=str(self.folder.path))
        self._settle_not_before = self._loop.time() + SETTLE_PAUSE_SECONDS
