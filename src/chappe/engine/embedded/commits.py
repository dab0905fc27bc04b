"""Group commit: one thread owns SQLite; what arrives while it commits forms the next page."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog

from chappe.engine.embedded.entry import Entry
from chappe.engine.embedded.pages import Page, Read
from chappe.engine.embedded.schema import SQLITE_ERRORS, storage_error
from chappe.engine.embedded.store import Store
from chappe.engine.embedded.writes import Settlement, Write
from chappe.model.errors import ChappeError, Closed, StorageFailed, StorageFull

T = TypeVar("T")
_log = structlog.get_logger("chappe.engine")


class CommitStream:
    """Takes writes in order, commits them in pages, and applies their effects in order. Lives on one event loop.

    At most one page is under way. When the next is formed, every earlier effect has been applied, so memory is exactly
    what the disk says plus the receives noted since.
    """

    def __init__(
        self,
        store: Store,
        *,
        next_page_no: int,
        settle: Callable[[Sequence[Page], int], Settlement | None],
        settled: Callable[[Settlement], None],
        mark_ended: Callable[[Sequence[Entry]], None],
        loaded: Callable[[Sequence[Entry]], None],
        on_full: Callable[[], None],
        between_commits: Callable[[Store], None],
    ) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._settle = settle
        self._settled = settled
        self._mark_ended = mark_ended
        self._loaded = loaded
        self._on_full = on_full
        self._between_commits = between_commits
        self._next_no = next_page_no
        self._writes: list[Write] = []
        self._reads: list[Read] = []
        self._jobs: list[tuple[Callable[[Store], Any], asyncio.Future[Any]]] = []
        self._running: Page | None = None
        self._scheduled = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.pages: deque[Page] = deque()
        """Committed and not settled, oldest first."""
        self.journal_bytes = 0
        self.failure: ChappeError | None = None
        """After a failed commit nothing more is written: what the disk holds is then uncertain."""
        self._work: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="chappe-commits", daemon=True)
        self._thread.start()

    # --- from the event loop ---

    def submit(self, write: Write) -> None:
        if self.failure is not None:
            if write.done is not None:
                write.done.set_exception(self.failure)
            return
        self._writes.append(write)
        self._schedule()

    def read(self, read: Read) -> None:
        if self.failure is not None:
            read.finish(self.failure)
            return
        self._reads.append(read)
        self._schedule()

    def run(self, job: Callable[[Store], T]) -> asyncio.Future[T]:
        """Run a function of the store between commits, on the thread that owns it."""
        done: asyncio.Future[T] = self._loop.create_future()
        if self.failure is not None:
            done.set_exception(self.failure)
        else:
            self._jobs.append((job, done))
            self._schedule()
        return done

    def tick(self) -> None:
        """Settle what has grown old although nothing else is being written."""
        if self.pages and self._running is None:
            self._schedule()

    async def close(self) -> None:
        while self._running is not None or self._writes or self._reads or self._jobs:
            self._flush()
            await self._idle.wait()
            await asyncio.sleep(0)
        self.failure = self.failure or Closed("The server is shutting down.")
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)

    def _schedule(self) -> None:
        if self._running is None and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._running is not None:
            return
        page = Page(self._next_no, self._writes, self._reads, self._loop.time())
        page.settlement = self._settle(self.pages, self.journal_bytes)
        jobs = self._jobs
        if not (page.writes or page.reads or jobs or page.settlement):
            return
        self._next_no += 1
        self._writes, self._reads, self._jobs = [], [], []
        self._running = page
        self._idle.clear()
        self._work.put(_Job(page, jobs))

    # --- on the thread ---

    def _run(self) -> None:
        while (job := self._work.get()) is not None:
            page = job.page
            if page.writes or page.settlement:
                try:
                    page.bytes = self._store.commit(page.no, page.writes, page.settlement)
                except ChappeError as error:
                    job.error = error
                except Exception as error:  # noqa: BLE001 - whatever failed, nothing was committed
                    job.error = StorageFailed(f"Committing failed ({type(error).__name__}: {error}).")
            if job.error is None:
                for read in page.reads:
                    job.results.append(_attempt(read.fetch, self._store))
            for function, _ in job.jobs:
                job.job_results.append(_attempt(function, self._store))
            self._loop.call_soon_threadsafe(self._finish, job)
            _attempt(self._between_commits, self._store)

    # --- back on the event loop ---

    def _finish(self, job: _Job) -> None:
        self._running = None
        page = job.page
        if job.error is None:
            try:
                self._committed(page)
                for read, result in zip(page.reads, job.results, strict=True):
                    self._read_done(read, result)
            except Exception as error:  # noqa: BLE001 - a defect must stop the engine, not this callback alone
                _log.exception("commit_not_applied")
                self._fail(page, StorageFailed(f"Memory and disk may differ ({error!r}). Restart the server."))
        elif isinstance(job.error, StorageFull):
            self._refuse_growth(page, job.error)
        else:
            self._fail(page, job.error)
        for (_, done), result in zip(job.jobs, job.job_results, strict=True):
            _resolve(done, result)
        self._flush()
        if self._running is None:
            self._idle.set()

    def _committed(self, page: Page) -> None:
        if page.bytes:
            self.pages.append(page)
            self.journal_bytes += page.bytes
        for write in page.writes:
            if write.apply is not None:
                write.apply(write)
            if write.done is not None and not write.done.done():
                write.done.set_result(None)
        page.forget_writes()
        settlement = page.settlement
        if settlement is not None:
            for _ in range(settlement.pages):
                self.pages.popleft()
            self.journal_bytes -= settlement.bytes
            self._settled(settlement)
            page.settlement = None

    def _read_done(self, read: Read, result: object) -> None:
        if isinstance(result, BaseException):
            read.finish(result)
            return
        rows: Sequence[Entry] = result  # type: ignore[assignment]
        self._mark_ended(rows)
        read.apply(rows)
        self._loaded(rows)
        read.finish()

    def _refuse_growth(self, page: Page, error: StorageFull) -> None:
        """The disk is full: refuse what needs room and try the rest again."""
        self._on_full()
        kept = [write for write in page.writes if not write.grows]
        if len(kept) == len(page.writes) and page.settlement is None:
            kept = []  # not even what frees room can be written; it was not acknowledged either
        for write in page.writes:
            if write not in kept and write.done is not None and not write.done.done():
                write.done.set_exception(error)
        self._writes[:0] = kept
        self._reads[:0] = page.reads

    def _fail(self, page: Page, error: ChappeError) -> None:
        self.failure = error
        _log.error("storage_failed", reason=error.message)
        for write in (*page.writes, *self._writes):
            if write.done is not None and not write.done.done():
                write.done.set_exception(error)
        for read in (*page.reads, *self._reads):
            read.finish(error)
        for _, done in self._jobs:
            _resolve(done, error)
        self._writes, self._reads, self._jobs = [], [], []


class _Job:
    __slots__ = ("error", "job_results", "jobs", "page", "results")

    def __init__(self, page: Page, jobs: list[tuple[Callable[[Store], Any], asyncio.Future[Any]]]) -> None:
        self.page = page
        self.jobs = jobs
        self.error: ChappeError | None = None
        self.results: list[object] = []
        self.job_results: list[object] = []


def _attempt(function: Callable[[Store], object], store: Store) -> object:
    try:
        return function(store)
    except SQLITE_ERRORS as error:
        return storage_error(error, store.path)
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for the result
        return error


def _resolve(done: asyncio.Future[Any], result: object) -> None:
    if done.done():
        return
    if isinstance(result, BaseException):
        done.set_exception(result)
    else:
        done.set_result(result)
