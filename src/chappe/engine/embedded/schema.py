"""The database file: its tables, how it is opened, and what its errors mean.

queues         settings and counts        messages       settled messages
journal        pages not settled yet      received       delivery state of settled messages
deduplication  keys of the last minutes   garbage        what purges and deleted queues left behind
"""

from __future__ import annotations

from pathlib import Path

import apsw

from chappe.model.errors import ChappeError, DataDamaged, StorageFailed, StorageFull

APPLICATION_ID = 0x43685070
SCHEMA_VERSION = 1
PAGE_BYTES = 8192

SCHEMA = """
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
    parked INTEGER NOT NULL DEFAULT 0,
    grouped INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE journal (no INTEGER PRIMARY KEY, crc INTEGER NOT NULL, page BLOB NOT NULL);
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    queue_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    group_name TEXT,
    id BLOB NOT NULL,
    sent_at_ms INTEGER NOT NULL,
    source TEXT,
    crc INTEGER NOT NULL,
    attributes BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX messages_in_order ON messages (queue_id, seq) WHERE place = 0;
CREATE INDEX messages_due ON messages (queue_id, place, due_ms, seq) WHERE due_ms > 0;
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


def open_database(path: Path, *, make: bool, readonly: bool, vfs: str | None) -> apsw.Connection:
    """Open the file and check that it is ours.

    With `make`, an empty one is given its tables; without, it must be there. Raises `DataDamaged`, `StorageFull`,
    `StorageFailed`.
    """
    name = str(path)
    if readonly:
        name, flags = _untouched(path), apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    elif make:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    else:
        flags = apsw.SQLITE_OPEN_READWRITE
    if not make and not path.exists():
        raise DataDamaged(f"{path} is missing. Restore it from a backup.", path=str(path))
    try:
        db = apsw.Connection(name, flags=flags, vfs=vfs, statementcachesize=64)
        try:
            db.set_busy_timeout(10_000)
            db.pragma("cache_size", -65_536)
            if not readonly:
                _prepare(db, path, make=make)
            _check(db, path)
        except BaseException:
            db.close()
            raise
    except apsw.Error as error:
        raise storage_error(error, path) from error
    return db


def _untouched(path: Path) -> str:
    """The URI under which SQLite reads the file without making others beside it.

    A log that was left by a crash, or that a running server writes, can only be read with its index (`-shm`).
    """
    log, index = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    at_rest = not index.exists() and (not log.exists() or not log.stat().st_size)
    return path.absolute().as_uri() + ("?immutable=1" if at_rest else "")


def _prepare(db: apsw.Connection, path: Path, *, make: bool) -> None:
    empty = make and not db.execute("SELECT count(*) FROM sqlite_master").get
    if empty:
        path.chmod(0o600)  # SQLite gives its other files the same mode
        db.pragma("page_size", PAGE_BYTES)
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "FULL")
    db.wal_autocheckpoint(0)
    if empty:
        with db:
            db.pragma("application_id", APPLICATION_ID)
            db.pragma("user_version", SCHEMA_VERSION)
            db.execute(SCHEMA)


def _check(db: apsw.Connection, path: Path) -> None:
    if db.pragma("application_id") != APPLICATION_ID:
        raise DataDamaged(
            f"{path} is not a Chappe queue database. Restore it from a backup, or use another folder.", path=str(path)
        )
    if (version := db.pragma("user_version")) != SCHEMA_VERSION:
        raise DataDamaged(
            f"{path} has format {version}; this version of Chappe reads format {SCHEMA_VERSION}.", path=str(path)
        )


SQLITE_ERRORS = (apsw.Error, UnicodeDecodeError)
"""What reading may raise; a text column of a damaged page may hold what is no text."""


def storage_error(error: apsw.Error | UnicodeDecodeError, path: Path) -> ChappeError:
    """What an SQLite error means to the engine's callers."""
    if isinstance(error, apsw.FullError):
        return StorageFull(f"The disk that holds {path} is full: free space or enlarge it.", path=str(path))
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError)):
        return DataDamaged(f"{path} is damaged ({error}). Stop the server and run `chappe doctor`.", path=str(path))
    return StorageFailed(
        f"Writing to {path} failed ({type(error).__name__}: {error}). Check the disk, then restart.",
        path=str(path),
    )
