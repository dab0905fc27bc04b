"""Group commit: what is submitted while a transaction runs forms the next one.

One transaction holds, in this order: the rows of bulk statements, merged over all submissions, statement by statement
in the order of `rank`; then single operations in the order submitted. Urgent submissions go first, and a transaction
takes in only so many rows, so that a flood of ordinary writes delays an urgent one by one transaction at most.

If a transaction fails through one of its submissions, each is tried by itself, so that only the culprit fails.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from time import perf_counter
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from chappe.model.durations import Durations
from chappe.model.errors import Closed
from chappe.records.failures import concerns_one_write, storage_error
from chappe.records.statements import Row

_T = TypeVar("_T")

ROWS_PER_TRANSACTION = 300
"""A transaction takes no further submission once it has this many rows (a single one may be larger)."""


class WritesRows(Protocol):
    """What writes rows inside a transaction."""

    def write(self, connection: Connection, rows: Sequence[Row]) -> None: ...


class Bulk:
    """A bulk statement as the group commit knows it: `rank` orders statements, `merge` unites rows for one key.

    The rows of one that is `packed` become one row of the table, and count as little in the size of a transaction.
    """

    def __init__(
        self,
        rank: int,
        statement: WritesRows,
        merge: Callable[[list[Row]], list[Row]] | None = None,
        *,
        packed: bool = False,
    ) -> None:
        self.packed = packed
        self.rank = rank
        self.statement = statement
        self.merge = merge


Rows = Mapping[Bulk, Sequence[Row]]


class _Submission:
    __slots__ = ("changes_facts", "future", "operation", "row_count", "rows")

    def __init__(
        self,
        future: asyncio.Future[Any],
        rows: Rows,
        operation: Callable[[Connection], Any] | None,
        *,
        changes_facts: bool = False,
    ) -> None:
        self.changes_facts = changes_facts
        self.future = future
        self.rows = rows
        self.operation = operation
        self.row_count = sum(len(some) for bulk, some in rows.items() if not bulk.packed) or 1


class GroupCommit:
    """The one writer of a database. `after_commit` runs in the writer's thread, outside any transaction."""

    def __init__(self, engine: Engine, thread: Executor, *, after_commit: Callable[[], None] | None = None) -> None:
        self._engine = engine
        self._thread = thread
        self._after_commit = after_commit
        self._urgent: deque[_Submission] = deque()
        self._ordinary: deque[_Submission] = deque()
        self._draining: asyncio.Task[None] | None = None
        self._closed = False
        self.changes = 0
        """Operations committed so far, less those that change no facts; counted before their submitters resume."""
        self.durations = Durations()

    def write(self, rows: Rows, *, urgent: bool) -> asyncio.Future[None]:
        """Submit rows of bulk statements. The future resolves after the commit; not waiting for it is fine.

        Fails with `StorageFull`, `StorageFailed`, `DataDamaged`, or `Closed`.
        """
        return self._submit(_Submission(_future(), rows, None), urgent)

    def run(
        self, operation: Callable[[Connection], _T], *, urgent: bool = True, changes_facts: bool = True
    ) -> asyncio.Future[_T]:
        """Submit an operation; the future resolves to its result after the commit.

        The operation may run twice, the first time rolled back. It may raise a `ChappeError`, which fails it alone.
        `changes_facts` False says that messages are decided by nothing that it writes.
        """
        return self._submit(_Submission(_future(), {}, operation, changes_facts=changes_facts), urgent)

    async def close(self) -> None:
        """Commit everything submitted so far and accept nothing more."""
        self._closed = True
        if self._draining is not None:
            await self._draining

    def _submit(self, submission: _Submission, urgent: bool) -> asyncio.Future[Any]:
        if self._closed:
            submission.future.set_exception(Closed("The records are closed; the server is shutting down."))
            return submission.future
        (self._urgent if urgent else self._ordinary).append(submission)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="records group commit")
        return submission.future

    async def _drain(self) -> None:
        # The first submission waits for its peers of this turn of the event loop.
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            begun = perf_counter()  # an event loop's clock may count whole milliseconds
            outcomes = await loop.run_in_executor(self._thread, self._commit, batch)
            self.durations.add(perf_counter() - begun)
            self.changes += sum(submission.changes_facts for submission in batch)
            for submission, outcome in zip(batch, outcomes, strict=True):
                _resolve(submission.future, outcome)
        self._draining = None

    def _next_batch(self) -> list[_Submission]:
        batch: list[_Submission] = []
        row_count = 0
        for waiting in (self._urgent, self._ordinary):
            while waiting and row_count < ROWS_PER_TRANSACTION:
                submission = waiting.popleft()
                row_count += submission.row_count
                batch.append(submission)
        return batch

    def _commit(self, batch: list[_Submission]) -> list[Any]:
        """One outcome per submission: its result, or the exception it failed with. Runs in the writer's thread."""
        try:
            outcomes = self._transact(batch)
        except Exception as error:  # noqa: BLE001 (whatever went wrong is handed to those who submitted)
            if len(batch) > 1 and not (isinstance(error, DBAPIError) and not concerns_one_write(error)):
                return [outcome for submission in batch for outcome in self._commit([submission])]
            failure = storage_error(error) if isinstance(error, DBAPIError) else error
            return [failure] * len(batch)
        if self._after_commit is not None:
            self._after_commit()
        return outcomes

    def _transact(self, batch: list[_Submission]) -> list[Any]:
        with self._engine.begin() as connection:
            for bulk, rows in _merged(batch):
                bulk.statement.write(connection, rows)
            return [None if submission.operation is None else submission.operation(connection) for submission in batch]


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _merged(batch: list[_Submission]) -> list[tuple[Bulk, list[Row]]]:
    together: dict[Bulk, list[Row]] = {}
    for submission in batch:
        for bulk, rows in submission.rows.items():
            together.setdefault(bulk, []).extend(rows)
    ordered = sorted(together.items(), key=lambda item: item[0].rank)
    return [(bulk, bulk.merge(rows) if bulk.merge else rows) for bulk, rows in ordered]


def _resolve(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():  # the submitter was cancelled; what it submitted is committed all the same
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
