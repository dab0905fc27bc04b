"""Keeping the write-ahead log short without stopping the writer.

A thread of its own copies the log into the database (a passive checkpoint blocks nobody) whenever enough has gathered.
Under steady writes that alone never lets the log start over, because something new has always been appended; so when
the log is long, the commit thread copies the small rest itself between two commits, after which SQLite reuses the log
from its beginning.
"""

from __future__ import annotations

import threading

import apsw

from chappe.engine.embedded.schema import PAGE_BYTES
from chappe.engine.embedded.store import Store

INTERVAL_SECONDS = 0.1
LOG_BYTES_MIN = 4 << 20
LOG_BYTES_MAX = 32 << 20
SMALL_REST_PAGES = 600


class Checkpoints:
    """The commit thread calls `between_commits`; the rest happens on a thread with a connection of its own.

    The log starts over at about half of `reserve_bytes` and never grows far beyond that: what it holds must fit into
    the database when the disk is full and the reserve is all the room there is.
    """

    def __init__(self, store: Store, reserve_bytes: int) -> None:
        log_bytes = min(LOG_BYTES_MAX, max(LOG_BYTES_MIN, reserve_bytes // 2))
        self._start_over_at_pages = log_bytes // PAGE_BYTES
        self._copy_at_pages = self._start_over_at_pages // 4
        self._log_pages_max = self._start_over_at_pages * 7 // 4
        self._log_pages = 0
        self._copied_pages = 0
        self._start_over = False
        self._stop = threading.Event()
        store.db.set_wal_hook(self._committed)
        self._db = apsw.Connection(str(store.path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=store.vfs)
        self._db.set_busy_timeout(1000)
        self._db.wal_autocheckpoint(0)
        self._thread = threading.Thread(target=self._run, name="chappe-checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._db.close()

    def between_commits(self, store: Store) -> None:
        """On the commit thread: let the log start over if it is time, or if the other thread cannot keep up."""
        if self._start_over or self._log_pages >= self._log_pages_max:
            self.start_over(store)

    def start_over(self, store: Store) -> None:
        """On the commit thread: copy what is left of the log, so that the next commit writes at its beginning."""
        self._start_over = False
        store.db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def _committed(self, _db: apsw.Connection, _name: str, log_pages: int) -> int:
        if log_pages < self._log_pages:
            self._copied_pages = 0
        self._log_pages = log_pages
        return apsw.SQLITE_OK

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            if self._log_pages - self._copied_pages < self._copy_at_pages:
                continue
            try:
                log_pages, copied_pages = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            except apsw.Error:  # a full disk, say: the log stays whole, the writer reports it, and this tries again
                self._stop.wait(1.0)
                continue
            self._copied_pages = copied_pages
            if log_pages >= self._start_over_at_pages and log_pages - copied_pages <= SMALL_REST_PAGES:
                self._start_over = True
