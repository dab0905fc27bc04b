"""SQLite under the embedded engine: schema, the transaction of one page, and reads. Used by one thread at a time.

queues         settings and counts        messages       settled messages
journal        pages not settled yet      received       delivery state of settled messages
deduplication  keys of the last minutes   garbage        what purges and deleted queues left behind
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import apsw
import apsw.bestpractice
import msgspec

from chappe.engine.base import DEDUPLICATION_WINDOW_MS, QueueInfo, QueueSettings
from chappe.engine.embedded.entry import Entry
from chappe.engine.embedded.writes import Page, Settlement, Statement
from chappe.model.errors import ChappeError, DataDamaged, StorageFailed, StorageFull

APPLICATION_ID = 0x43685070
SCHEMA_VERSION = 1
DATABASE = "queues.db"
PAGE_BYTES = 8192

_SCHEMA = """
CREATE TABLE meta (next_seq INTEGER NOT NULL, receipt_key BLOB NOT NULL);
INSERT INTO meta VALUES (1, randomblob(32));
CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    settings BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL,
    modified_at_ms INTEGER NOT NULL,
    purged_seq INTEGER NOT NULL DEFAULT 0,
    vanished_ms INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL DEFAULT 0,
    parked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE journal (no INTEGER PRIMARY KEY, crc INTEGER NOT NULL, page BLOB NOT NULL);
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    queue_id INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    group_name TEXT,
    id BLOB NOT NULL,
    sent_at_ms INTEGER NOT NULL,
    source TEXT,
    crc INTEGER NOT NULL,
    attributes BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX messages_in_order ON messages (queue_id, seq) WHERE parked = 0;
CREATE INDEX messages_due ON messages (queue_id, parked, due_ms, seq) WHERE due_ms > 0;
CREATE INDEX messages_by_group ON messages (queue_id, group_name, seq) WHERE group_name IS NOT NULL;
CREATE TABLE received (
    seq INTEGER PRIMARY KEY,
    receive_count INTEGER NOT NULL,
    first_received_at_ms INTEGER NOT NULL,
    visible_at_ms INTEGER NOT NULL
);
CREATE TABLE deduplication (no INTEGER PRIMARY KEY, expires_at_ms INTEGER NOT NULL, entries BLOB NOT NULL);
CREATE TABLE garbage (queue_id INTEGER NOT NULL, upto_seq INTEGER NOT NULL);
"""

_ROWS_PER_INSERT = 50
_PLACES = f"({', '.join('?' * 11)})"
_INSERT_ONE = f"INSERT INTO messages VALUES {_PLACES}"  # noqa: S608
_INSERT_MANY = f"INSERT INTO messages VALUES {', '.join([_PLACES] * _ROWS_PER_INSERT)}"  # noqa: S608
_COLUMNS = "seq, queue_id, id, sent_at_ms, due_ms, group_name, source, parked, crc, attributes, body"
_SELECT = {
    "order": f"SELECT {_COLUMNS} FROM messages WHERE queue_id = ? AND parked = 0 AND seq > ? ORDER BY seq LIMIT ?",  # noqa: S608
    "due": f"SELECT {_COLUMNS} FROM messages WHERE queue_id = ? AND parked = 1 AND due_ms > 0"  # noqa: S608
    " AND (due_ms, seq) > (?, ?) ORDER BY due_ms, seq LIMIT ?",
    "group": f"SELECT {_COLUMNS} FROM messages WHERE queue_id = ? AND group_name = ? AND seq > ? AND seq <= ?"  # noqa: S608
    " ORDER BY seq LIMIT ?",
    "one": f"SELECT {_COLUMNS} FROM messages WHERE seq = ?",  # noqa: S608
}

Deduplication = tuple[int, bytes, int, bytes, int]
"""(queue id, key, seq, message id, sent at in ms)"""


class SentRow(msgspec.Struct, frozen=True, array_like=True):
    """A new message in a journal page."""

    seq: int
    queue_id: int
    id: bytes
    sent_at: int
    due: int
    group: str | None
    deduplication_key: bytes | None
    source: str | None
    parked: bool
    attributes: bytes
    body: bytes


class PageRow(msgspec.Struct, frozen=True, array_like=True):
    """What a journal page says: new messages, delivery states (seq, count, first received, visible at), ended messages.

    Within a page an end prevails over a state; both refer to messages of earlier pages.
    """

    sent: list[SentRow]
    received: list[tuple[int, int, int, int]]
    deleted: list[int]


_encoder = msgspec.msgpack.Encoder()
_page_decoder = msgspec.msgpack.Decoder(PageRow)
_settings_decoder = msgspec.json.Decoder(QueueSettings)
_deduplication_decoder = msgspec.msgpack.Decoder(list[Deduplication])


class QueueRow(msgspec.Struct, frozen=True):
    id: int
    info: QueueInfo
    purged_seq: int
    vanished_ms: int
    """Messages sent at or before this instant were past a retention that applied at the time."""
    stored: int
    parked: int


def storage_error(error: apsw.Error, path: Path) -> ChappeError:
    """What an SQLite error means to the engine's callers."""
    if isinstance(error, apsw.FullError):
        return StorageFull(f"The disk that holds {path} is full: free space or enlarge it.", path=str(path))
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        return DataDamaged(f"{path} is damaged ({error}). Stop the server and run `chappe doctor`.", path=str(path))
    return StorageFailed(
        f"Writing to {path} failed ({type(error).__name__}: {error}). Check the disk, then restart.",
        path=str(path),
    )


def content_crc(message_id: bytes, attributes: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(attributes, zlib.crc32(message_id)))


class Store:
    """The database file of one data folder, open."""

    def __init__(self, folder: Path, *, make: bool = False, readonly: bool = False, vfs: str | None = None) -> None:
        """With `make`, an empty database is given its tables; without, one must be there. Raises `DataDamaged`,
        `StorageFull`, `StorageFailed`.
        """
        self.path = folder / DATABASE
        self.vfs = vfs
        if readonly:
            flags = apsw.SQLITE_OPEN_READONLY
        elif make:
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        else:
            flags = apsw.SQLITE_OPEN_READWRITE
        if not make and not self.path.exists():
            raise DataDamaged(f"{self.path} is missing. Restore it from a backup.", path=str(self.path))
        try:
            self.db = apsw.Connection(str(self.path), flags=flags, vfs=vfs, statementcachesize=64)
            try:
                self._prepare(make=make, readonly=readonly)
            except BaseException:
                self.db.close()
                raise
        except apsw.Error as error:
            raise storage_error(error, self.path) from error

    def _prepare(self, *, make: bool, readonly: bool) -> None:
        db = self.db
        db.set_busy_timeout(10_000)
        db.pragma("cache_size", -65_536)
        if not readonly:
            empty = make and not db.execute("SELECT count(*) FROM sqlite_master").get
            if empty:
                self.path.chmod(0o600)  # SQLite gives its other files the same mode
                db.pragma("page_size", PAGE_BYTES)
            db.pragma("journal_mode", "wal")
            db.pragma("synchronous", "FULL")
            db.wal_autocheckpoint(0)
            if empty:
                with db:
                    db.pragma("application_id", APPLICATION_ID)
                    db.pragma("user_version", SCHEMA_VERSION)
                    db.execute(_SCHEMA)
        if db.pragma("application_id") != APPLICATION_ID:
            raise DataDamaged(
                f"{self.path} is not a Chappe queue database. Restore it from a backup, or use another folder.",
                path=str(self.path),
            )
        if (version := db.pragma("user_version")) != SCHEMA_VERSION:
            raise DataDamaged(
                f"{self.path} has format {version}; this version of Chappe reads format {SCHEMA_VERSION}.",
                path=str(self.path),
            )

    def close(self) -> None:
        self.db.close()

    # --- writing ---

    def commit(self, page: Page) -> None:
        """Make a page durable: its journal row, what it settles, and changes to queues, in one transaction."""
        data = _encode_page(page)
        statements = [s for write in page.writes if write.statements for s in write.statements]
        try:
            if page.settlement is None and not statements:
                if data is not None:
                    self._append(page, data)  # one statement is a transaction by itself
                return
            execute = self.db.execute
            execute("BEGIN IMMEDIATE")
            try:
                if data is not None:
                    self._append(page, data)
                if page.settlement is not None:
                    self.settle(page.settlement)
                self.run(statements)
                execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    execute("ROLLBACK")
                raise
        except apsw.Error as error:
            raise storage_error(error, self.path) from error

    def _append(self, page: Page, data: bytes) -> None:
        page.bytes = len(data)
        self.db.execute("INSERT INTO journal VALUES (?, ?, ?)", (page.no, zlib.crc32(data), data))

    def run(self, statements: Iterable[Statement]) -> None:
        for sql, bindings in statements:
            self.db.execute(sql, bindings)

    def settle(self, settlement: Settlement) -> None:
        """Apply a settlement inside the transaction under way."""
        self.drop_pages(settlement.upto_no, next_seq=settlement.next_seq)
        self.insert_messages([_message_row(e) for e in settlement.inserted.values()])
        if settlement.deleted:
            self.delete_messages(list(settlement.deleted))
        if settlement.noted:
            states = [(e.seq, e.receive_count, e.first_received_at, e.visible_at) for e in settlement.noted.values()]
            self.note_received(states)
        self.add_counts(settlement.counts)
        if settlement.deduplication:
            self.add_deduplication(settlement.deduplication)

    def insert_messages(self, rows: list[tuple[Any, ...]]) -> None:
        """Insert into `messages`, many rows a statement: each statement that is stepped takes the interpreter lock."""
        whole = len(rows) - len(rows) % _ROWS_PER_INSERT
        for start in range(0, whole, _ROWS_PER_INSERT):
            values = tuple(chain.from_iterable(rows[start : start + _ROWS_PER_INSERT]))
            self.db.execute(_INSERT_MANY, values)
        self.db.executemany(_INSERT_ONE, rows[whole:])

    def delete_messages(self, seqs: list[int]) -> None:
        """Delete from `messages` and `received`."""
        listed = (msgspec.json.encode(seqs).decode(),)
        self.db.execute("DELETE FROM messages WHERE seq IN (SELECT value FROM json_each(?))", listed)
        self.db.execute("DELETE FROM received WHERE seq IN (SELECT value FROM json_each(?))", listed)

    def note_received(self, states: list[tuple[int, int, int, int]]) -> None:
        """Set rows of `received`: (sequence, count, first received at, visible at). Each message must have a row."""
        self.db.execute(
            "INSERT OR REPLACE INTO received"
            " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)"
            " WHERE EXISTS (SELECT 1 FROM messages WHERE seq = value ->> 0)",
            (msgspec.json.encode(states).decode(),),
        )

    def add_counts(self, counts: dict[int, list[int]]) -> None:
        """Change the counts of queues: queue id -> [stored in order, parked]."""
        for queue_id, (stored, parked) in counts.items():
            self.db.execute(
                "UPDATE queues SET stored = stored + ?, parked = parked + ? WHERE id = ?", (stored, parked, queue_id)
            )

    def drop_pages(self, upto_no: int, *, next_seq: int) -> None:
        """Drop settled journal pages. No sequence below `next_seq` will be given out again."""
        self.db.execute("DELETE FROM journal WHERE no <= ?", (upto_no,))
        self.db.execute("UPDATE meta SET next_seq = max(next_seq, ?)", (next_seq,))

    def add_deduplication(self, entries: list[Deduplication]) -> None:
        expires_at_ms = max(sent_at for *_, sent_at in entries) + DEDUPLICATION_WINDOW_MS
        self.db.execute(
            "INSERT INTO deduplication (expires_at_ms, entries) VALUES (?, ?)",
            (expires_at_ms, _encoder.encode(entries)),
        )

    def collect_garbage(self, max_rows: int) -> bool:
        """Delete up to so many rows of purged or deleted queues, in a transaction of its own. True if more is left."""
        db = self.db
        with db:
            row = db.execute("SELECT rowid, queue_id, upto_seq FROM garbage LIMIT 1").fetchone()
            if row is None:
                return False
            rowid, queue_id, upto_seq = row
            seqs: list[tuple[Any, ...]] = []
            for parked in (0, 1):
                seqs += db.execute(
                    "SELECT seq FROM messages WHERE queue_id = ? AND parked = ? AND seq <= ? LIMIT ?",
                    (queue_id, parked, upto_seq, max_rows - len(seqs)),
                )
            if len(seqs) < max_rows:
                db.execute("DELETE FROM garbage WHERE rowid = ?", (rowid,))
            self.delete_messages([seq for (seq,) in seqs])
        return True

    def create_queue(self, info: QueueInfo) -> int:
        """In a transaction of its own. Returns the queue's id, which is never used again."""
        try:
            self.db.execute(
                "INSERT INTO queues (name, settings, created_at_ms, modified_at_ms) VALUES (?, ?, ?, ?)",
                (info.name, encode_settings(info.settings), info.created_at_ms, info.modified_at_ms),
            )
        except apsw.Error as error:
            raise storage_error(error, self.path) from error
        return self.db.last_insert_rowid()

    # --- reading ---

    def read_in_order(self, queue_id: int, after_seq: int, max_rows: int, max_bytes: int) -> list[Entry]:
        """The queue's next settled messages by sequence; always at least one if there is one."""
        return self._read("order", (queue_id, after_seq, max_rows), max_bytes)

    def read_due(self, queue_id: int, after: tuple[int, int], max_rows: int, max_bytes: int) -> list[Entry]:
        """The queue's parked messages after (due, seq), in that order."""
        return self._read("due", (queue_id, *after, max_rows), max_bytes)

    def read_group(
        self, queue_id: int, group: str, after_seq: int, upto_seq: int, max_rows: int, max_bytes: int
    ) -> list[Entry]:
        return self._read("group", (queue_id, group, after_seq, upto_seq, max_rows), max_bytes)

    def read_one(self, seq: int) -> Entry | None:
        rows = self._read("one", (seq,), 0)
        return rows[0] if rows else None

    def _read(self, name: str, bindings: tuple[Any, ...], max_bytes: int) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        try:
            for row in self.db.execute(_SELECT[name], bindings):
                entry = self._entry(row)
                entries.append(entry)
                size += entry.content_bytes
                if size >= max_bytes:
                    break
        except apsw.Error as error:
            raise storage_error(error, self.path) from error
        return entries

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        seq, queue_id, message_id, sent_at, due, group, source, parked, crc, attributes, body = row
        if content_crc(message_id, attributes, body) != crc:
            raise DataDamaged(
                f"{self.path}: message {message_id.hex()} (sequence {seq}) fails its checksum. Stop the server and run"
                " `chappe doctor`.",
                sequence=seq,
            )
        return Entry(
            seq=seq,
            queue_id=queue_id,
            id=message_id,
            sent_at=sent_at,
            due=due,
            group=group,
            source=source,
            content=(attributes, body),
            parked=bool(parked),
            settled=True,
        )

    def journal(self, after_no: int = 0, upto_no: int = (1 << 62)) -> Iterator[tuple[int, PageRow, int]]:
        """Pages not settled yet, oldest first: (number, page, bytes). Raises `DataDamaged`."""
        for no, crc, data in self.db.execute(
            "SELECT no, crc, page FROM journal WHERE no > ? AND no <= ? ORDER BY no", (after_no, upto_no)
        ):
            try:
                if zlib.crc32(data) != crc:
                    raise msgspec.DecodeError("checksum mismatch")
                yield no, _page_decoder.decode(data), len(data)
            except msgspec.DecodeError as error:
                raise DataDamaged(
                    f"{self.path}: journal page {no} is damaged ({error}). Acknowledged messages may be lost; restore a"
                    " backup or run `chappe doctor` to see what is readable.",
                    page=no,
                ) from error

    def queues(self) -> Iterator[QueueRow]:
        for queue_id, name, settings, created_at, modified_at, *rest in self.db.execute(
            "SELECT id, name, settings, created_at_ms, modified_at_ms, purged_seq, vanished_ms, stored, parked"
            " FROM queues"
        ):
            try:
                info = QueueInfo(name, _settings_decoder.decode(settings), created_at, modified_at)
            except msgspec.DecodeError as error:
                raise DataDamaged(f"{self.path}: the settings of queue {name} are damaged ({error}).") from error
            yield QueueRow(queue_id, info, *rest)

    def received(self) -> Iterator[Entry]:
        """Settled messages that were received before, without their content."""
        for row in self.db.execute(
            "SELECT m.seq, m.queue_id, m.id, m.sent_at_ms, m.due_ms, m.group_name, m.source, m.parked,"
            " r.receive_count, r.first_received_at_ms, r.visible_at_ms"
            " FROM received r JOIN messages m ON m.seq = r.seq ORDER BY r.visible_at_ms"
        ):
            seq, queue_id, message_id, sent_at, due, group, source, parked, count, first, visible_at = row
            yield Entry(
                seq=seq,
                queue_id=queue_id,
                id=message_id,
                sent_at=sent_at,
                due=due,
                group=group,
                source=source,
                parked=bool(parked),
                settled=True,
                noted=True,
                receive_count=count,
                first_received_at=first,
                visible_at=visible_at,
            )

    def deduplication(self, now: int) -> Iterator[Deduplication]:
        for (data,) in self.db.execute("SELECT entries FROM deduplication WHERE expires_at_ms > ? ORDER BY no", (now,)):
            yield from _deduplication_decoder.decode(data)

    def count_due(self, queue_id: int, purged_seq: int, after: tuple[int, int], upto_ms: int) -> int:
        """How many of the queue's parked messages after (due, seq), never received, are due by the instant."""
        return int(
            self.db.execute(
                "SELECT count(*) FROM messages WHERE queue_id = ? AND parked = 1 AND due_ms > 0"
                " AND (due_ms, seq) > (?, ?) AND due_ms <= ? AND seq > ?"
                " AND seq NOT IN (SELECT seq FROM received)",
                (queue_id, *after, upto_ms, purged_seq),
            ).get
        )

    def delays(self, queue_id: int, purged_seq: int, now: int) -> Iterator[int]:
        """When the delays of a FIFO queue's messages end, earliest first."""
        for (due,) in self.db.execute(
            "SELECT due_ms FROM messages"
            " WHERE queue_id = ? AND parked = 0 AND due_ms > 0 AND due_ms > ? AND seq > ? ORDER BY due_ms",
            (queue_id, now, purged_seq),
        ):
            yield due

    def free_bytes(self) -> int:
        """Pages of the database that hold nothing and will be used before the file grows."""
        return int(self.db.pragma("freelist_count")) * PAGE_BYTES

    def receipt_key(self) -> bytes:
        """The secret that signs this folder's receipts."""
        return bytes(self.db.execute("SELECT receipt_key FROM meta").get)

    def next_seq(self) -> int:
        return int(self.db.execute("SELECT next_seq FROM meta").get)


def encode_settings(settings: QueueSettings) -> bytes:
    return msgspec.json.encode(settings)


def _encode_page(page: Page) -> bytes | None:
    sent: list[tuple[Any, ...]] = []
    received: list[tuple[int, int, int, int]] = []
    deleted: list[int] = []
    for write in page.writes:
        if write.sent:
            sent += [_sent_row(e) for e in write.sent]
        if write.received:
            received += [(e.seq, e.receive_count, e.first_received_at, e.visible_at) for e in write.received]
        if write.deleted:
            deleted += [e.seq for e in write.deleted]
    if sent or received or deleted:
        return _encoder.encode((sent, received, deleted))
    return None


def _sent_row(e: Entry) -> tuple[Any, ...]:
    """In the order of `SentRow`."""
    attributes, body = e.content or (b"", b"")
    return (
        e.seq,
        e.queue_id,
        e.id,
        e.sent_at,
        e.due,
        e.group,
        e.deduplication_key,
        e.source,
        e.parked,
        attributes,
        body,
    )


def _message_row(e: Entry) -> tuple[Any, ...]:
    attributes, body = e.content or (b"", b"")
    crc = content_crc(e.id, attributes, body)
    return (e.seq, e.queue_id, e.parked, e.due, e.group, e.id, e.sent_at, e.source, crc, attributes, body)
