"""What the embedded engine asks of SQLite: the transaction of one page, settling, and reads. One thread at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import apsw
import msgspec
import structlog

from chappe.engine.base import DEDUPLICATION_WINDOW_MS, QueueInfo
from chappe.engine.embedded.entry import Entry, Place, State
from chappe.engine.embedded.rows import (
    MESSAGE_COLUMNS,
    Deduplication,
    PageRow,
    QueueRow,
    Received,
    Row,
    decode_deduplication,
    decode_page,
    decode_settings,
    encode_deduplication,
    encode_page,
    encode_settings,
    entry_of,
    is_whole,
    message_row,
    received_row,
)
from chappe.engine.embedded.schema import PAGE_BYTES, SQLITE_ERRORS, open_database, storage_error
from chappe.engine.embedded.writes import Settlement, Statement, Write
from chappe.model.errors import DataDamaged

DATABASE = "queues.db"
_log = structlog.get_logger("chappe.engine")

_ROWS_PER_INSERT = 50
_PLACES = f"({', '.join('?' * 11)})"
_INSERT_ONE = f"INSERT INTO messages VALUES {_PLACES}"  # noqa: S608
_INSERT_MANY = f"INSERT INTO messages VALUES {', '.join([_PLACES] * _ROWS_PER_INSERT)}"  # noqa: S608
_FROM = f"SELECT {MESSAGE_COLUMNS} FROM messages"  # noqa: S608
_SELECT = {
    "order": f"{_FROM} WHERE queue_id = ? AND place = 0 AND seq > ? ORDER BY seq LIMIT ?",
    "due": f"{_FROM} WHERE queue_id = ? AND place = 1 AND due_ms > 0 AND (due_ms, seq) > (?, ?)"
    " ORDER BY due_ms, seq LIMIT ?",
    "group": f"{_FROM} WHERE queue_id = ? AND group_name = ? AND seq > ? AND seq <= ? AND place <> 1"
    " ORDER BY seq LIMIT ?",
    "one": f"{_FROM} WHERE seq = ?",
    "all": _FROM,
}


class Store:
    """The database file of one data folder, open."""

    def __init__(self, folder: Path, *, make: bool = False, readonly: bool = False, vfs: str | None = None) -> None:
        """See `open_database`."""
        self.path = folder / DATABASE
        self.vfs = vfs
        self._damaged_seqs: set[int] = set()
        self.db = open_database(self.path, make=make, readonly=readonly, vfs=vfs)

    def close(self) -> None:
        self.db.close()

    # --- writing ---

    def commit(self, no: int, writes: list[Write], settlement: Settlement | None) -> int:
        """Make a page durable in one transaction: its journal row, what it settles, changes to queues.

        Returns the bytes of the journal row, 0 if the page needs none.
        """
        data = encode_page(writes)
        statements = [statement for write in writes for statement in write.statements or ()]
        try:
            if settlement is None and not statements:
                self._append(no, data)  # one statement is a transaction by itself
            else:
                self._commit_all(no, data, settlement, statements)
        except apsw.Error as error:
            raise storage_error(error, self.path) from error
        return len(data) if data is not None else 0

    def _commit_all(
        self, no: int, data: bytes | None, settlement: Settlement | None, statements: list[Statement]
    ) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            self._append(no, data)
            if settlement is not None:
                self.settle(settlement)
            for sql, bindings in statements:
                self.db.execute(sql, bindings)
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def _append(self, no: int, data: bytes | None) -> None:
        if data is not None:
            self.db.execute("INSERT INTO journal VALUES (?, ?, ?)", (no, zlib.crc32(data), data))

    def settle(self, settlement: Settlement) -> None:
        """Apply a settlement inside the transaction under way."""
        self.drop_pages(settlement.upto_no, next_seq=settlement.next_seq)
        self.insert_messages([message_row(e) for e in settlement.inserted.values()])
        if settlement.deleted:
            self.delete_messages(list(settlement.deleted))
        if settlement.noted:
            self.note_received([received_row(e) for e in settlement.noted.values()])
        self.add_counts(settlement.counts)
        if settlement.deduplication:
            self.add_deduplication(settlement.deduplication)

    def insert_messages(self, rows: list[Row]) -> None:
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

    def note_received(self, states: list[Received]) -> None:
        """Set rows of `received`: (sequence, count, first received at, visible at). Each message must have a row."""
        self.db.execute(
            "INSERT OR REPLACE INTO received"
            " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)"
            " WHERE EXISTS (SELECT 1 FROM messages WHERE seq = value ->> 0)",
            (msgspec.json.encode(states).decode(),),
        )

    def add_counts(self, counts: dict[int, list[int]]) -> None:
        """Change the counts of queues: queue id -> [in order, parked, grouped], as in `Place`."""
        for queue_id, changes in counts.items():
            self.db.execute(
                "UPDATE queues SET stored = stored + ?, parked = parked + ?, grouped = grouped + ? WHERE id = ?",
                (*changes, queue_id),
            )

    def drop_pages(self, upto_no: int, *, next_seq: int) -> None:
        """Drop settled journal pages. No sequence below `next_seq` will be given out again."""
        self.db.execute("DELETE FROM journal WHERE no <= ?", (upto_no,))
        self.db.execute("UPDATE meta SET next_seq = max(next_seq, ?)", (next_seq,))

    def add_deduplication(self, entries: list[Deduplication]) -> None:
        expires_at_ms = max(sent_at for *_, sent_at in entries) + DEDUPLICATION_WINDOW_MS
        self.db.execute(
            "INSERT INTO deduplication (expires_at_ms, entries) VALUES (?, ?)",
            (expires_at_ms, encode_deduplication(entries)),
        )

    def collect_garbage(self, max_rows: int) -> bool:
        """Delete up to so many rows of purged or deleted queues, in a transaction of its own. True if more is left."""
        db = self.db
        with db:
            row = db.execute("SELECT rowid, queue_id, upto_seq FROM garbage LIMIT 1").fetchone()
            if row is None:
                return False
            rowid, queue_id, upto_seq = row
            seqs: list[Row] = []
            for place in Place:
                seqs += db.execute(
                    "SELECT seq FROM messages WHERE queue_id = ? AND place = ? AND seq <= ? LIMIT ?",
                    (queue_id, place, upto_seq, max_rows - len(seqs)),
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

    def _read(self, name: str, bindings: Row, max_bytes: int) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        try:
            for row in self.db.execute(_SELECT[name], bindings):
                entry = entry_of(row) if is_whole(row) else self._damaged(row)
                entries.append(entry)
                size += entry.content_bytes
                if size >= max_bytes:
                    break
        except SQLITE_ERRORS as error:
            raise storage_error(error, self.path) from error
        return entries

    def _damaged(self, row: Row) -> Entry:
        """A row that fails its checksum is passed over, so that one bad message does not hold up its queue.

        It stays in the file; `chappe doctor` finds it.
        """
        self._report_damaged(*row[:2])
        return Entry(
            seq=row[0],
            queue_id=0,
            id=b"",
            sent_at=0,
            due=row[3] if isinstance(row[3], int) else 0,
            settled=True,
            state=State.DEAD,
        )

    def _report_damaged(self, seq: int, queue_id: int) -> None:
        if seq not in self._damaged_seqs:
            self._damaged_seqs.add(seq)
            _log.error("message_damaged", path=str(self.path), sequence=seq, queue_id=queue_id, advice="chappe doctor")

    def journal(self, after_no: int = 0, upto_no: int = (1 << 62)) -> Iterator[tuple[int, PageRow, int]]:
        """Pages not settled yet, oldest first: (number, page, bytes). Raises `DataDamaged`."""
        for no, crc, data in self.db.execute(
            "SELECT no, crc, page FROM journal WHERE no > ? AND no <= ? ORDER BY no", (after_no, upto_no)
        ):
            try:
                if not isinstance(data, bytes) or zlib.crc32(data) != crc:
                    raise msgspec.DecodeError("checksum mismatch")
                yield no, decode_page(data), len(data)
            except msgspec.DecodeError as error:
                raise DataDamaged(
                    f"{self.path}: journal page {no} is damaged ({error}). Acknowledged messages may be lost; restore a"
                    " backup or run `chappe doctor` to see what is readable.",
                    page=no,
                ) from error

    def queues(self) -> Iterator[QueueRow]:
        for queue_id, name, settings, created_at, modified_at, *rest in self.db.execute(
            "SELECT id, name, settings, created_at_ms, modified_at_ms, purged_seq, vanished_ms, stored, parked, grouped"
            " FROM queues"
        ):
            self._expect_integers("the table of queues", queue_id, created_at, modified_at, *rest)
            try:
                info = QueueInfo(str(name), decode_settings(_blob(settings)), created_at, modified_at)
            except msgspec.DecodeError as error:
                raise DataDamaged(f"{self.path}: the settings of queue {name} are damaged ({error}).") from error
            yield QueueRow(queue_id, info, *rest)

    def _expect_integers(self, what: str, *values: object) -> None:
        """Values that SQLite read from a damaged page may be of any type."""
        if not all(type(value) is int for value in values):
            raise DataDamaged(f"{self.path}: {what} is damaged. Restore a backup, or see what `chappe doctor` finds.")

    def received(self) -> Iterator[Entry]:
        """Settled messages that were received before, without their content.

        One whose place is none is passed over here; its checksum, which needs the content, is checked when it is read.
        """
        for row in self.db.execute(
            "SELECT m.seq, m.queue_id, m.id, m.sent_at_ms, m.due_ms, m.group_name, m.source, m.place,"
            " r.receive_count, r.first_received_at_ms, r.visible_at_ms"
            " FROM received r JOIN messages m ON m.seq = r.seq ORDER BY r.visible_at_ms"
        ):
            seq, queue_id, message_id, sent_at, due, group, source, place, count, first, visible_at = row
            self._expect_integers("the table of receives", seq, queue_id, sent_at, due, place, count, first, visible_at)
            if place not in _KNOWN_PLACES:
                self._report_damaged(seq, queue_id)
                continue
            yield Entry(
                seq=seq,
                queue_id=queue_id,
                id=message_id,
                sent_at=sent_at,
                due=due,
                group=group,
                source=source,
                place=Place(place),
                settled=True,
                noted=True,
                receive_count=count,
                first_received_at=first,
                visible_at=visible_at,
            )

    def deduplication(self, now: int) -> Iterator[Deduplication]:
        for (data,) in self.db.execute("SELECT entries FROM deduplication WHERE expires_at_ms > ? ORDER BY no", (now,)):
            try:
                yield from decode_deduplication(_blob(data))
            except msgspec.DecodeError as error:
                raise DataDamaged(f"{self.path}: the deduplication keys are damaged ({error}).") from error

    def count_due(self, queue_id: int, purged_seq: int, after: tuple[int, int], upto_ms: int) -> int:
        """How many of the queue's parked messages after (due, seq), never received, are due by the instant."""
        return int(
            self.db.execute(
                "SELECT count(*) FROM messages WHERE queue_id = ? AND place = 1 AND due_ms > 0"
                " AND (due_ms, seq) > (?, ?) AND due_ms <= ? AND seq > ?"
                " AND seq NOT IN (SELECT seq FROM received)",
                (queue_id, *after, upto_ms, purged_seq),
            ).get
        )

    def delays(self, queue_id: int, purged_seq: int, now: int) -> Iterator[int]:
        """When the delays of a FIFO queue's messages end, earliest first."""
        for (due,) in self.db.execute(
            "SELECT due_ms FROM messages"
            " WHERE queue_id = ? AND place = 0 AND due_ms > 0 AND due_ms > ? AND seq > ? ORDER BY due_ms",
            (queue_id, now, purged_seq),
        ):
            self._expect_integers("the table of messages", due)
            yield due

    def groups(self, queue_id: int) -> Iterator[str]:
        """The groups of a queue's messages. Skips from one to the next in the index, however many messages each has."""
        sql = "SELECT min(group_name) FROM messages WHERE queue_id = ? AND group_name IS NOT NULL"
        name = self.db.execute(sql, (queue_id,)).get
        while name is not None:
            yield name
            name = self.db.execute(f"{sql} AND group_name > ?", (queue_id, name)).get

    def free_bytes(self) -> int:
        """Pages of the database that hold nothing and will be used before the file grows."""
        return int(self.db.pragma("freelist_count")) * PAGE_BYTES

    def receipt_key(self) -> bytes:
        """The secret that signs this folder's receipts."""
        return self._meta()[1]

    def next_seq(self) -> int:
        return self._meta()[0]

    def _meta(self) -> tuple[int, bytes]:
        row = self.db.execute("SELECT next_seq, receipt_key FROM meta").fetchone()
        next_seq, receipt_key = row or (0, None)
        if not isinstance(receipt_key, bytes):
            raise DataDamaged(f"{self.path}: the table meta is damaged. Restore a backup.")
        self._expect_integers("the table meta", next_seq)
        return next_seq, receipt_key

    def all_rows(self) -> Iterator[Row]:
        """Every row of `messages`, in the order of `MESSAGE_COLUMNS`, unchecked."""
        yield from self.db.execute(_SELECT["all"])


_KNOWN_PLACES = frozenset(Place)


def _blob(value: object) -> bytes:
    """What SQLite read from a damaged page may be of any type; nothing that is not bytes can be decoded."""
    return value if isinstance(value, bytes) else b""
