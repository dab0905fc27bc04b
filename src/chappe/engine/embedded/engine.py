"""The embedded engine: the operations of the contract over windows in memory and the commit stream."""

from __future__ import annotations

import asyncio
import os
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from pathlib import Path

from chappe.engine.base import (
    MAX_RECEIVE,
    NewMessage,
    QueueCounts,
    QueueInfo,
    QueueSettings,
    ReceivedMessage,
    SentMessage,
)
from chappe.engine.embedded.checkpoints import Checkpoints
from chappe.engine.embedded.commits import CommitStream
from chappe.engine.embedded.deduplication import DeduplicationKeys, Original
from chappe.engine.embedded.entry import Entry, Receipt, Receipts, State, id_text
from chappe.engine.embedded.fifo import FifoQueue
from chappe.engine.embedded.folder import DataFolder
from chappe.engine.embedded.polling import serve_pollers, wait_for_messages
from chappe.engine.embedded.queue import Queue, Taken
from chappe.engine.embedded.recovery import load_deduplication, load_queues, replay
from chappe.engine.embedded.settling import plan
from chappe.engine.embedded.standard import StandardQueue
from chappe.engine.embedded.store import Store, encode_settings
from chappe.engine.embedded.upkeep import Upkeep
from chappe.engine.embedded.writes import Page, Settlement, Write
from chappe.model.errors import (
    ChappeError,
    Closed,
    InFlightLimit,
    InvalidInput,
    MessageNotInFlight,
    QueueExists,
    QueueNotFound,
    ReceiptExpired,
    StorageFull,
)

RESIDENT_BYTES = 64 << 20
"""Contents of settled messages kept in memory, over all queues."""
NAME_CHARACTERS = 256
DEDUPLICATION_KEY_BYTES = 64
DEFAULT_RESERVE_BYTES = 64 << 20
SETTLE_PAUSE_SECONDS = 1.0
"""How long no page is settled after the disk was found full."""


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class EmbeddedEngine:
    """Implements `chappe.engine.base.Engine`. Open one with `await EmbeddedEngine.open(folder)`."""

    def __init__(self, folder: DataFolder, store: Store, clock: Callable[[], int]) -> None:
        self.folder = folder
        self._store = store
        self.clock = clock
        now = clock()
        next_page_no = replay(store)
        self._next_seq = self._first_seq = store.next_seq()
        self._receipts = Receipts(store.receipt_key())
        self.by_id = load_queues(store, now)
        self._by_name = {queue.name: queue for queue in self.by_id.values()}
        self._names = sorted(self._by_name)
        self.keys = DeduplicationKeys(load_deduplication(store, now))
        self._ended: set[int] = set()
        """Settled messages (by sequence) that ended and still have a row: rows that are read are checked against it."""
        self._resident_bytes = 0
        self._full: StorageFull | None = None
        self._settle_not_before = 0.0
        self._checkpoints = Checkpoints(store)
        self.commits = CommitStream(
            store,
            next_page_no=next_page_no,
            settle=self._plan_settlement,
            settled=self._settled,
            loaded=self._loaded,
            on_full=self._on_full,
            between_commits=self._checkpoints.between_commits,
        )
        self._upkeep = Upkeep(self)
        self._structure = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        clock: Callable[[], int] = now_ms,
        reserve_bytes: int = DEFAULT_RESERVE_BYTES,
        vfs: str | None = None,
    ) -> EmbeddedEngine:
        """Open or create a data folder. `clock` gives ms since the epoch; `vfs` names an SQLite VFS (for tests).

        Raises `DataFolderInUse`, `DataDamaged`, `StorageFull`, `StorageFailed`.
        """
        folder = DataFolder(Path(path), reserve_bytes=reserve_bytes)
        try:
            store = Store(folder.path, vfs=vfs)
            try:
                engine = cls(folder, store, clock)
            except BaseException:
                store.close()
                raise
        except BaseException:
            folder.close()
            raise
        if not folder.build_reserve():
            engine._on_full()
        return engine

    async def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._upkeep.close()
        for queue in self.by_id.values():
            self._dismiss(queue)
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.commits.close()
        self._checkpoints.close()
        self._store.close()
        self.folder.close()

    # --- queues ---

    async def create_queue(self, name: str, settings: QueueSettings) -> QueueInfo:
        if not 1 <= len(name) <= NAME_CHARACTERS:
            raise InvalidInput(f"A queue name has 1 to {NAME_CHARACTERS} characters, not {len(name)}.")
        _check_settings(settings)
        self._check_open()
        async with self._structure:
            if name in self._by_name:
                raise QueueExists(f"A queue named {name} exists.", queue=name)
            if self._full is not None:
                raise self._full
            now = self.clock()
            info = QueueInfo(name, settings, now, now)
            queue_id = await self.commits.run(lambda store: store.create_queue(info))
            kind = FifoQueue if settings.fifo else StandardQueue
            queue = kind(queue_id, info, purged_seq=0)
            self.by_id[queue_id] = queue
            self._by_name[name] = queue
            insort(self._names, name)
            return info

    async def get_queue(self, name: str) -> QueueInfo:
        return self._queue(name).info

    async def list_queues(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[QueueInfo]:
        start = max(bisect_right(self._names, after) if after else 0, bisect_left(self._names, prefix))
        found: list[QueueInfo] = []
        for name in self._names[start:]:
            if not name.startswith(prefix) or len(found) >= limit:
                break
            found.append(self._by_name[name].info)
        return found

    async def set_queue(self, name: str, settings: QueueSettings) -> QueueInfo:
        queue = self._queue(name)
        if settings.fifo != queue.settings.fifo:
            raise InvalidInput("A queue cannot change between standard and FIFO; create another.", queue=name)
        _check_settings(settings)
        now = self.clock()
        info = QueueInfo(name, settings, queue.info.created_at_ms, now)
        vanished_ms = queue.cutoff(now)
        await self._commit(
            Write(
                statements=[
                    (
                        "UPDATE queues SET settings = ?, modified_at_ms = ?, vanished_ms = ? WHERE id = ?",
                        (encode_settings(settings), info.modified_at_ms, vanished_ms, queue.id),
                    )
                ],
                apply=lambda _: queue.set_info(info, vanished_ms),
            )
        )
        return info

    async def delete_queue(self, name: str) -> None:
        async with self._structure:
            queue = self._queue(name)
            await self._commit(
                Write(
                    statements=[
                        ("INSERT INTO garbage VALUES (?, ?)", (queue.id, self._next_seq)),
                        ("DELETE FROM queues WHERE id = ?", (queue.id,)),
                    ],
                    apply=lambda _: self._forget_queue(queue),
                )
            )

    def _forget_queue(self, queue: Queue) -> None:
        queue.deleted = True
        del self._by_name[queue.name]
        self._names.remove(queue.name)
        self._dismiss(queue)
        self._forget_entries(queue)
        queue.forget_all(self._next_seq)
        self.by_id.pop(queue.id, None)
        self._upkeep.garbage = True

    async def purge(self, name: str) -> None:
        queue = self._queue(name)
        upto = self._next_seq - 1
        await self._commit(
            Write(
                statements=[
                    ("INSERT INTO garbage VALUES (?, ?)", (queue.id, upto)),
                    (
                        "UPDATE queues SET purged_seq = ?, stored = 0, parked = 0 WHERE id = ?",
                        (upto, queue.id),
                    ),
                ],
                apply=lambda _: self._purged(queue, upto),
            )
        )

    def _purged(self, queue: Queue, upto: int) -> None:
        """Sends submitted after the purge may share its page and have arrived before it is applied: keep those."""
        later = [e for e in queue.entries() if e.seq > upto]
        self._forget_entries(queue, upto)
        queue.forget_all(upto)
        now = self.clock()
        for entry in later:
            if entry.state is State.IN_FLIGHT:
                queue.received[entry.seq] = entry
                queue.fly(entry, entry.visible_at)
            elif entry.state is not State.MOVING:
                entry.state = State.READY
                queue.arrive(entry, now)
        self._upkeep.garbage = True

    def _forget_entries(self, queue: Queue, upto: int | None = None) -> None:
        for entry in list(queue.entries()):
            if upto is None or entry.seq <= upto:
                self._release(entry)
                entry.state = State.DEAD
                entry.settled = False  # its row goes with the garbage

    async def counts(self, name: str) -> QueueCounts:
        queue = self._queue(name)
        now = self.clock()
        counts = queue.counts(now)
        self.serve(queue)
        if isinstance(queue, StandardQueue) and queue.parked_on_disk and queue.horizon[0] <= now:
            horizon = queue.horizon
            due = await self.commits.run(lambda store: store.count_due(queue.id, horizon, now))
            due = min(due, counts.delayed)
            counts = QueueCounts(counts.ready + due, counts.in_flight, counts.delayed - due)
        return counts

    # --- send ---

    async def send(self, name: str, messages: Sequence[NewMessage]) -> list[SentMessage]:
        queue = self._queue(name)
        if not 1 <= len(messages) <= MAX_RECEIVE:
            raise InvalidInput(f"A send carries 1 to {MAX_RECEIVE} messages, not {len(messages)}.")
        for message in messages:
            _check_message(message)
        if self._full is not None:
            raise self._full
        now = self.clock()
        if queue.settings.fifo:
            return await self._send_fifo(queue, messages, now)
        entries = [self._new_entry(queue, message, now) for message in messages]
        await self._commit(Write(sent=entries, apply=self._arrived, grows=True))
        return [SentMessage(id_text(e.id), e.seq) for e in entries]

    def _new_entry(self, queue: Queue, message: NewMessage, now: int) -> Entry:
        delay = queue.settings.delay_ms if message.delay_ms is None else message.delay_ms
        seq = self._next_seq
        self._next_seq = seq + 1
        return Entry(
            seq=seq,
            queue_id=queue.id,
            id=_random_id(),
            sent_at=now,
            due=now + delay if delay > 0 else 0,
            group=message.group,
            deduplication_key=message.deduplication_key,
            content=(message.attributes, message.body),
            parked=delay > 0 and not queue.settings.fifo,
        )

    async def _send_fifo(self, queue: Queue, messages: Sequence[NewMessage], now: int) -> list[SentMessage]:
        for message in messages:
            if message.group is None:
                raise InvalidInput("A message for a FIFO queue needs a group.", queue=queue.name)
            if message.delay_ms:
                raise InvalidInput("In a FIFO queue the delay is the queue's, not a message's.", queue=queue.name)
        entries: list[Entry] = []
        originals: list[Write] = []
        sent: list[SentMessage] = []
        write = Write(sent=entries, apply=self._arrived, grows=True)
        for message in messages:
            key = message.deduplication_key
            original = self.keys.find(queue.id, key, now) if key is not None else None
            if original is not None:
                sent.append(SentMessage(id_text(original.id), original.seq, duplicate=True))
                if original.write is not None and original.write is not write:
                    originals.append(original.write)
                continue
            entry = self._new_entry(queue, message, now)
            entries.append(entry)
            sent.append(SentMessage(id_text(entry.id), entry.seq))
            if key is not None:
                self.keys.add(queue.id, key, Original(entry.seq, entry.id, now, write))
        try:
            if entries:
                await self._commit(write)
        except ChappeError:
            for entry in entries:
                if entry.deduplication_key is not None:
                    self.keys.withdraw(queue.id, entry.deduplication_key, entry.seq)
            raise
        for original_write in originals:
            await asyncio.shield(original_write.committed())
        return sent

    def _arrived(self, write: Write) -> None:
        now = self.clock()
        queue: Queue | None = None
        for entry in write.sent or ():
            if queue is None or queue.id != entry.queue_id:
                queue = self.by_id.get(entry.queue_id)
            if queue is None:  # deleted meanwhile
                entry.state = State.DEAD
            else:
                queue.arrive(entry, now)
        if queue is not None and queue.pollers:
            self.serve(queue)

    # --- receive ---

    async def receive(
        self,
        name: str,
        *,
        max_messages: int = 1,
        visibility_timeout_ms: int | None = None,
        wait_ms: int = 0,
    ) -> list[ReceivedMessage]:
        queue = self._queue(name)
        if not 1 <= max_messages <= MAX_RECEIVE:
            raise InvalidInput(f"A receive takes 1 to {MAX_RECEIVE} messages, not {max_messages}.")
        timeout = queue.settings.visibility_timeout_ms if visibility_timeout_ms is None else visibility_timeout_ms
        _check_duration(timeout, "visibility_timeout_ms")
        _check_duration(wait_ms, "wait_ms")
        taken: list[Entry] = []
        if not queue.pollers:
            taken = await self._take_loading(queue, max_messages, timeout)
        if not taken and wait_ms > 0 and not queue.deleted and not self._closing:
            taken = await wait_for_messages(self, queue, max_messages, timeout, wait_ms)
        elif not taken and not queue.settings.fifo and queue.in_flight >= queue.settings.max_in_flight:
            raise InFlightLimit(
                f"The queue has {queue.in_flight} messages in flight, the most its settings allow. Delete received"
                " messages or wait for their visibility timeouts.",
                queue=name,
            )
        if not taken:
            return []
        return await self._deliver(queue, taken)

    async def _take_loading(self, queue: Queue, max_messages: int, timeout: int) -> list[Entry]:
        """Take what is ready, reading from disk as far as needed."""
        while True:
            taken = self.take(queue, max_messages, timeout)
            if taken:
                self.load(queue)
                return taken
            if queue.moving and queue.move is not None:  # answer "nothing" when the dead letters are in their queue
                await asyncio.wait([queue.move])
            loading = self.load(queue)
            if loading is None:
                return taken
            await asyncio.shield(loading)
            if queue.deleted:
                return []

    def take(self, queue: Queue, max_messages: int, timeout: int) -> list[Entry]:
        """Take what is at hand and note it in the commit stream."""
        now = self.clock()
        taken = queue.take(now, max_messages, timeout, lambda: self._dead_letter_target(queue) is not None)
        self._note(queue, taken, now)
        return taken.delivered

    def _note(self, queue: Queue, taken: Taken, now: int) -> None:
        if taken.delivered:
            self.commits.submit(Write(received=taken.delivered))
        if taken.expired:
            self.expired(taken.expired)
        if taken.doomed:
            self._move(queue, taken.doomed, now)

    def expired(self, entries: list[Entry]) -> None:
        """Messages past their retention: gone at once, since nobody could see them again anyway."""
        for entry in entries:
            self._end(entry)
        self.commits.submit(Write(deleted=entries))

    def load(self, queue: Queue) -> asyncio.Future[None] | None:
        """Start reading what the queue wants from disk; the future is done when it is at hand. None if nothing."""
        if queue.loading is not None and not queue.loading.done():
            return queue.loading
        read = queue.load(self.clock())
        if read is None:
            return None
        queue.loading = read.done = asyncio.get_running_loop().create_future()
        read.done.add_done_callback(lambda done: self._load_ended(queue, done))
        self.commits.read(read)
        return read.done

    def _load_ended(self, queue: Queue, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and done.exception() is None and queue.pollers:
            self.serve(queue)

    def _loaded(self, rows: Sequence[Entry]) -> None:
        """Rows came from disk: mark those that have ended meanwhile."""
        for entry in rows:
            if entry.seq in self._ended:
                entry.state = State.DEAD
            else:
                self._resident_bytes += entry.content_bytes

    async def _deliver(self, queue: Queue, taken: list[Entry]) -> list[ReceivedMessage]:
        receipts = [self._receipts.of(entry) for entry in taken]
        missing = [entry for entry in taken if entry.content is None]
        if missing:
            try:
                await self._fetch(missing)
            except asyncio.CancelledError:
                self.put_back(queue, taken)
                raise
        received: list[ReceivedMessage] = []
        for entry, receipt in zip(taken, receipts, strict=True):
            if entry.content is None:  # purged or deleted while its content was read
                continue
            attributes, body = entry.content
            received.append(
                ReceivedMessage(
                    id_text(entry.id),
                    receipt,
                    entry.seq,
                    body,
                    attributes,
                    entry.group,
                    entry.sent_at,
                    entry.first_received_at,
                    entry.receive_count,
                    entry.source,
                )
            )
            if entry.settled:
                self._release(entry)
        return received

    async def _fetch(self, entries: list[Entry]) -> None:
        """Read the contents of settled messages."""

        def fetch(store: Store) -> list[Entry | None]:
            return [store.read_one(entry.seq) for entry in entries]

        rows = await self.commits.run(fetch)
        for entry, row in zip(entries, rows, strict=True):
            if row is not None and entry.content is None and entry.state is not State.DEAD:
                entry.content = row.content
                self._resident_bytes += entry.content_bytes

    def put_back(self, queue: Queue, taken: list[Entry]) -> None:
        """A receive was cancelled after it took messages: make them ready again."""
        now = self.clock()
        flying = [entry for entry in taken if entry.state is State.IN_FLIGHT]
        for entry in flying:
            queue.change_visibility(entry, now, now)
        if flying:
            self.commits.submit(Write(received=flying))
        self.serve(queue)

    # --- dead letters ---

    def _dead_letter_target(self, queue: Queue) -> Queue | None:
        policy = queue.settings.dead_letter
        return self._by_name.get(policy.queue) if policy is not None else None

    def _move(self, queue: Queue, doomed: list[Entry], now: int) -> None:
        task = queue.move = asyncio.get_running_loop().create_task(self._move_all(queue, doomed, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _move_all(self, queue: Queue, doomed: list[Entry], now: int) -> None:
        target = self._dead_letter_target(queue)
        try:
            await self._fetch([entry for entry in doomed if entry.content is None])
            if target is None or self._full is not None:
                raise StorageFull("No room to move messages to the dead-letter queue.")
            copies = [self._copy(entry, queue, target, now) for entry in doomed if entry.state is State.MOVING]

            def moved(write: Write) -> None:
                queue.moving -= len(doomed)
                for entry in doomed:
                    self._end(entry)
                self._arrived(write)

            await self._commit(Write(sent=copies, deleted=doomed, apply=moved, grows=True))
        except ChappeError:
            for entry in doomed:
                if entry.state is State.MOVING:
                    queue.undo(entry, self.clock())

    def _copy(self, entry: Entry, source: Queue, target: Queue, now: int) -> Entry:
        seq = self._next_seq
        self._next_seq = seq + 1
        return Entry(
            seq=seq,
            queue_id=target.id,
            id=entry.id,
            sent_at=now if target.settings.fifo else entry.sent_at,
            group=entry.group,
            source=source.name,
            content=entry.content,
        )

    # --- delete and change visibility ---

    async def delete(self, name: str, receipts: Sequence[str]) -> list[ChappeError | None]:
        queue = self._queue(name)
        outcomes: list[ChappeError | None] = []
        entries: list[Entry] = []
        for text in receipts:
            try:
                entry = await self._entry_to_delete(queue, self._receipts.parse(text, queue.id))
            except ChappeError as error:
                outcomes.append(error)
            else:
                outcomes.append(None)
                if entry is not None:
                    entries.append(entry)
        if entries:
            await self._commit(Write(deleted=entries, apply=self._deleted))
        return outcomes

    async def _entry_to_delete(self, queue: Queue, receipt: Receipt) -> Entry | None:
        """The live message of a receipt; None if it is gone already."""
        entry = queue.received.get(receipt.seq)
        if entry is None:
            if receipt.seq >= self._first_seq:
                return None
            return await self._unknown_receive(queue, receipt)
        if queue.settings.fifo and (
            entry.receive_count != receipt.receive_count
            or entry.state is not State.IN_FLIGHT
            or entry.visible_at <= self.clock()
        ):
            raise ReceiptExpired("The receipt handle has expired.")
        return entry

    async def _unknown_receive(self, queue: Queue, receipt: Receipt) -> Entry | None:
        """A receipt from before the last start. If its receive did not reach the disk, the message counts as ready."""
        row = await self.commits.run(lambda store: store.read_one(receipt.seq))
        if receipt.seq in queue.received:
            return await self._entry_to_delete(queue, receipt)
        if row is None or row.queue_id != queue.id or receipt.seq in self._ended:
            return None
        if row.seq <= queue.purged_seq:
            return None
        if not isinstance(queue, StandardQueue):
            raise ReceiptExpired("The receipt handle has expired.")
        row.content = None
        entry = queue.take_out(row.seq, row.parked) or row
        entry.state = State.MOVING
        return entry

    def _deleted(self, write: Write) -> None:
        now = self.clock()
        for entry in write.deleted or ():
            queue = self.by_id.get(entry.queue_id)
            if queue is not None:
                queue.delete(entry, now)
                if queue.pollers:
                    self.serve(queue)
            self._end(entry)

    async def change_visibility(self, name: str, changes: Sequence[tuple[str, int]]) -> list[ChappeError | None]:
        queue = self._queue(name)
        now = self.clock()
        queue.promote(now)
        outcomes: list[ChappeError | None] = []
        entries: list[Entry] = []
        for _, timeout_ms in changes:
            _check_duration(timeout_ms, "timeout_ms")
        for text, timeout_ms in changes:
            try:
                entry = self._entry_in_flight(queue, self._receipts.parse(text, queue.id))
            except ChappeError as error:
                outcomes.append(error)
                continue
            outcomes.append(None)
            queue.change_visibility(entry, now, now + timeout_ms)
            entries.append(entry)
        if entries:
            # Memory changes before the commit here, as for a receive: until it is durable nobody was promised anything,
            # and a crash makes the message visible earlier or later, never lost.
            await self._commit(Write(received=entries))
            self.serve(queue)
        return outcomes

    def _entry_in_flight(self, queue: Queue, receipt: Receipt) -> Entry:
        entry = queue.received.get(receipt.seq)
        if entry is None or entry.state is not State.IN_FLIGHT or entry.receive_count != receipt.receive_count:
            raise MessageNotInFlight("The message is not in flight under this receipt handle.")
        return entry

    # --- memory and disk ---

    def _check_open(self) -> None:
        if self._closing:
            raise Closed("The server is shutting down.")

    def _queue(self, name: str) -> Queue:
        self._check_open()
        queue = self._by_name.get(name)
        if queue is None:
            raise QueueNotFound(f"There is no queue named {name}.", queue=name)
        return queue

    async def _commit(self, write: Write) -> None:
        write.done = done = asyncio.get_running_loop().create_future()
        self.commits.submit(write)
        await done

    def _end(self, entry: Entry) -> None:
        """The message is over; its row, if any, goes when the page that says so is settled."""
        entry.state = State.DEAD
        if entry.settled:
            self._ended.add(entry.seq)
        self._release(entry)

    def _release(self, entry: Entry) -> None:
        """Let go of a content that is on disk or no longer needed."""
        if entry.content is not None:
            if entry.settled:
                self._resident_bytes -= entry.content_bytes
            entry.content = None

    def _plan_settlement(self, pages: Sequence[Page], journal_bytes: int) -> Settlement | None:
        loop_time = asyncio.get_running_loop().time()
        if loop_time < self._settle_not_before:
            return None
        return plan(
            pages,
            journal_bytes,
            loop_time=loop_time,
            now=self.clock(),
            next_seq=self._next_seq,
        )

    def _settled(self, settlement: Settlement) -> None:
        for entry in settlement.inserted.values():
            self._got_row(entry)
        for entry in settlement.noted.values():
            entry.noted = True
        for seq in settlement.deleted:
            self._ended.discard(seq)

    def _got_row(self, entry: Entry) -> None:
        queue = self.by_id.get(entry.queue_id)
        if queue is None or entry.seq <= queue.purged_seq:
            return  # its row goes with the garbage
        entry.settled = True
        if entry.state is State.DEAD:
            self._ended.add(entry.seq)
            return
        self._resident_bytes += entry.content_bytes
        if queue.settled(entry) or entry.state is State.IN_FLIGHT or self._resident_bytes > RESIDENT_BYTES:
            self._release(entry)

    def _on_full(self) -> None:
        """The disk is full: refuse new messages, and free the reserve for everything else."""
        self.folder.give_up_reserve()
        if self._full is None:
            self._full = StorageFull(
                f"The disk that holds {self.folder.path} is full, so new messages are refused; receives and deletes are"
                " served. Free space or enlarge it.",
                path=str(self.folder.path),
            )
        self._settle_not_before = asyncio.get_running_loop().time() + SETTLE_PAUSE_SECONDS
        self._upkeep.full = True

    def room_again(self) -> None:
        """Upkeep found room for the reserve."""
        self._full = None

    # --- waiting receivers ---

    def serve(self, queue: Queue) -> None:
        serve_pollers(self, queue)

    def _dismiss(self, queue: Queue) -> None:
        """Let waiting receivers return empty."""
        if queue.wake is not None:
            queue.wake.cancel()
            queue.wake = None
        pollers, queue.pollers = queue.pollers, {}
        for poller in pollers:
            if not poller.taken.done():
                poller.taken.set_result([])


def _random_id() -> bytes:
    """16 random bytes with the version and variant bits of a UUIDv4."""
    value = int.from_bytes(os.urandom(16), "big")
    return (value & ~(0xF000 << 64) & ~(0xC000 << 48) | (4 << 76) | (2 << 62)).to_bytes(16, "big")


def _check_settings(settings: QueueSettings) -> None:
    _check_duration(settings.delay_ms, "delay_ms")
    _check_duration(settings.visibility_timeout_ms, "visibility_timeout_ms")
    _check_duration(settings.retention_ms or 0, "retention_ms")
    if settings.dead_letter is not None and settings.dead_letter.max_receive_count < 1:
        raise InvalidInput("max_receive_count is at least 1.", field="max_receive_count")


def _check_message(message: NewMessage) -> None:
    if message.delay_ms is not None:
        _check_duration(message.delay_ms, "delay_ms")
    key = message.deduplication_key
    if key is not None and not 1 <= len(key) <= DEDUPLICATION_KEY_BYTES:
        raise InvalidInput(f"A deduplication key has 1 to {DEDUPLICATION_KEY_BYTES} bytes, not {len(key)}.")


def _check_duration(value_ms: int, name: str) -> None:
    if value_ms < 0:
        raise InvalidInput(f"{name} is {value_ms}; a duration is at least 0.", field=name)
