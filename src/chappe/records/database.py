"""Opening the database: one file, one writing connection, a few reading ones, and its write-ahead log kept short.

SQLite in WAL mode with `synchronous=FULL`: a COMMIT returns when the log is on stable storage. The log is copied into
the database by a thread of its own (a checkpoint in line would show as a pause of every commit behind it). Under steady
writes such a checkpoint never quite catches up, so that the log could not start over and would grow; once it is larger
than `LOG_LIMIT_PAGES`, the writer finishes the little that remains and starts it over.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from chappe.model.errors import DataDamaged, NotFound, StorageFailed
from chappe.records.failures import storage_error
from chappe.records.tables import SCHEMA_VERSION, metadata, schema

CHECKPOINT_INTERVAL_SECONDS = 0.5
LOG_LIMIT_PAGES = 16_384
"""64 MiB of log."""
_FURTHER_PASSES = 2
_BUSY_TIMEOUT_MS = 10_000
_LOG_READERS_WAIT_MS = 25
_WRITER_CACHE_KIB = 65_536
_READER_CACHE_KIB = 16_384
_PREPARED_STATEMENTS = 512
"""Kept per connection: each bulk statement has nine sizes."""


class Database:
    """An open database. `writer` has one connection, used by one thread at a time; `reader` has several."""

    def __init__(self, path: Path, writer: Engine, reader: Engine) -> None:
        self.path = path
        self.writer = writer
        self.reader = reader
        self._checkpoints = _Checkpoints(path)

    @classmethod
    def open(cls, path: Path, *, readers: int, make: bool) -> Database:
        """Open the database, or with `make` create it. Raises `DataDamaged`, `StorageFailed`, `StorageFull`."""
        if not make and (not path.exists() or not path.stat().st_size):
            raise DataDamaged(
                f"{path} is missing: it holds what people consented to and objected to, so nothing is sent without it. "
                "Restore it from a backup.",
                path=str(path),
            )
        try:
            path.touch(mode=0o600)  # SQLite gives its other files the same mode
        except OSError as error:
            raise StorageFailed(f"{path} cannot be made: {error.strerror}.", path=str(path)) from error
        writer = _engine(path, connections=1, setup=_set_up_writer, begin="BEGIN IMMEDIATE")
        try:
            with writer.begin() as connection:
                _create_or_check(connection, path)
        except DBAPIError as error:
            writer.dispose()
            raise storage_error(error) from error
        except BaseException:
            writer.dispose()
            raise
        reader = _engine(path, connections=readers, setup=_set_up_reader, begin=None)
        return cls(path, writer, reader)

    def start(self) -> None:
        """Begin to keep the log short."""
        self._checkpoints.start()

    def after_commit(self) -> None:
        """To be called by the writing thread after each commit, outside any transaction."""
        self._checkpoints.dirty = True
        if self._checkpoints.log_pages > LOG_LIMIT_PAGES:
            self._checkpoints.log_pages = 0
            with self.writer.connect() as connection:
                _start_log_over(connection.connection.driver_connection)

    def close(self) -> None:
        """Copy the whole log into the database and release the file."""
        self._checkpoints.stop()
        self.reader.dispose()
        with self.writer.connect() as connection:
            _checkpoint(connection.connection.driver_connection, "TRUNCATE")
        self.writer.dispose()


def check(path: Path) -> list[str]:
    """What is wrong with a database that no server has open: one line per finding, none if it is sound.

    Reads every page, so it takes time in proportion to the size of the file. Writes nothing.
    """
    if not path.exists():
        return [f"{path} does not exist"]
    engine = _engine(_untouched(path), connections=1, setup=_set_up_reader, begin=None)
    try:
        with engine.connect() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
            findings = [f"{path}: {line}" for line in found if line != "ok"]
            if not findings:
                _check_version(connection, path)
            return findings
    except DBAPIError as error:
        return [storage_error(error).message]
    except DataDamaged as error:
        return [error.message]
    finally:
        engine.dispose()


def open_for_reading(path: Path) -> Engine:
    """One connection that reads a database, whether or not a server has it open, and writes nothing.

    Raises `NotFound`.
    """
    if not path.exists():
        raise NotFound(f"there are no records at {path}; name the data folder with --data", path=str(path))
    return _engine(_untouched(path), connections=1, setup=_set_up_reader, begin=None)


def _untouched(path: Path) -> str:
    """The URI under which SQLite reads the file without making others beside it.

    A log that was left by a crash, or that a running server writes, can only be read with its index (`-shm`).
    """
    log, index = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    at_rest = not index.exists() and (not log.exists() or not log.stat().st_size)
    return f"{path.absolute().as_uri()}?mode=ro&uri=true" + ("&immutable=1" if at_rest else "")


def _create_or_check(connection: Connection, path: Path) -> None:
    names = set(inspect(connection).get_table_names())
    if not names:
        metadata.create_all(connection)
        connection.execute(insert(schema).values(version=SCHEMA_VERSION))
        return
    _check_version(connection, path)
    missing = {table.name for table in metadata.sorted_tables} - names
    if missing:
        raise DataDamaged(f"{path} lacks the tables {', '.join(sorted(missing))}; restore it from a backup.")


def _check_version(connection: Connection, path: Path) -> None:
    if not inspect(connection).has_table(schema.name):
        raise DataDamaged(f"{path} is a database, but not one of Chappe's; move it away or name another folder.")
    versions = connection.execute(select(schema.c.version)).scalars().all()
    if list(versions) != [SCHEMA_VERSION]:
        found = ", ".join(map(str, versions)) or "none"
        raise DataDamaged(
            f"{path} has records of format {found}, and this version of Chappe reads format {SCHEMA_VERSION}; "
            "use the version of Chappe that wrote them."
        )


def _engine(
    path: Path | str, *, connections: int, setup: Callable[[sqlite3.Connection], None], begin: str | None
) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "cached_statements": _PREPARED_STATEMENTS},
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, not the driver's
        setup(connection)

    if begin is not None:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

    return engine


def _set_up_writer(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StorageFailed(f"The file system does not support SQLite's write-ahead log (mode {mode}).")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    # What is erased is gone from the file, too. How SQLite was built decides otherwise.
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute(f"PRAGMA cache_size=-{_WRITER_CACHE_KIB}")


def _set_up_reader(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only=ON")
    connection.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB}")


def _checkpoint(connection: Any, mode: str) -> int:
    """Run a checkpoint; the pages that the log holds."""
    _busy, log_pages, _copied = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    return int(log_pages)


def _start_log_over(connection: Any) -> None:
    # Readers who still read from the log are waited for, but not long: the next checkpoint asks again.
    connection.execute(f"PRAGMA busy_timeout={_LOG_READERS_WAIT_MS}")
    try:
        _checkpoint(connection, "RESTART")
    finally:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")


class _Checkpoints:
    """A thread that copies the log into the database now and then while there is something new in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="records-checkpoint", daemon=True)
        self.dirty = False
        self.log_pages = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        try:
            while not self._stop.wait(CHECKPOINT_INTERVAL_SECONDS):
                if self.dirty:
                    self.dirty = False
                    self._once(connection)
        finally:
            connection.close()

    def _once(self, connection: sqlite3.Connection) -> None:
        try:
            log_pages = _checkpoint(connection, "PASSIVE")
            if log_pages > LOG_LIMIT_PAGES:
                # What came in meanwhile is little, and after another pass next to nothing: the writer is to wait for
                # no more than that.
                for _ in range(_FURTHER_PASSES):
                    log_pages = _checkpoint(connection, "PASSIVE")
            self.log_pages = log_pages
        except sqlite3.Error:
            # A full or failing disk: the log keeps everything, and writers report their own errors.
            self.dirty = True
