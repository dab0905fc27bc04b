"""The open records: one object per subject over one database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.exc import DBAPIError

from chappe.model.durations import Durations
from chappe.model.errors import ChappeError
from chappe.records import ids
from chappe.records.audit import AuditRecords
from chappe.records.audit_tables import legal_holds, person_keys
from chappe.records.classification_tables import feedback
from chappe.records.commit import GroupCommit
from chappe.records.data_request_tables import data_requests
from chappe.records.data_requests import DataRequests
from chappe.records.database import Database
from chappe.records.erased import ErasedAddresses
from chappe.records.erasing import Erasing
from chappe.records.failures import storage_error
from chappe.records.feedback import FeedbackRecords
from chappe.records.idempotency import IdempotencyRecords
from chappe.records.inbound import InboundRecords
from chappe.records.inbound_tables import inbound_messages, opt_outs
from chappe.records.knowledge import Known, Subject, look_up
from chappe.records.lists.store import ListImports
from chappe.records.lists.writing import ListWriting
from chappe.records.marks import Marks
from chappe.records.messages import MessageRecords
from chappe.records.model_activations import ModelActivationRecords
from chappe.records.news import News
from chappe.records.opt_outs import OptOutRecords
from chappe.records.people import PeopleRecords
from chappe.records.profile_tables import erased_addresses, people
from chappe.records.profiles import ProfileRecords
from chappe.records.pruning import Pruning
from chappe.records.rate_tables import sender_rates
from chappe.records.rates import RateRecords
from chappe.records.reading import CONNECTIONS, GroupRead, Readers, Reading
from chappe.records.registries.store import Registries
from chappe.records.reviews import ReviewRecords
from chappe.records.rule_sets import RuleSetRecords
from chappe.records.tables import consents, messages, suppressions

_log = structlog.get_logger("chappe.records")
FILE_NAME = "records.db"
SWEEP_INTERVAL_SECONDS = 600


class Records:
    """Everything durable that is not a queue. Use from one event loop."""

    def __init__(
        self, database: Database, writer: ThreadPoolExecutor, keys: ids.KeySource, now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._writer = writer
        self._now_ms = now_ms
        self.folder = database.path.parent
        self._readers = Readers(database.reader)
        self._commits = GroupCommit(database.writer, writer, after_commit=database.after_commit)
        self.registries = Registries(database.path.parent, self._commits, self._readers, now_ms)
        self.news = News()
        self.profiles = ProfileRecords(self._commits, self._readers, self.news, keys.next)
        self.erased = ErasedAddresses(self._commits, self._readers, self.news)
        self.rates = RateRecords(self._commits, self._readers)
        look_up_all = partial(
            look_up,
            self.registries.answers,
            self.profiles.known,
            self.erased.suppressions,
            lambda: self.rates.telling,
        )
        self._urgent_look_ups = GroupRead(self._readers, look_up_all, Reading.URGENT)
        self._look_ups = GroupRead(self._readers, look_up_all, Reading.ORDINARY)
        self.keys = keys
        self.messages = MessageRecords(self._commits, self._readers)
        self.people = PeopleRecords(self._commits, self._readers, self.news)
        self.inbound = InboundRecords(self._commits, self._readers, self.news)
        self.opt_outs = OptOutRecords(self._commits, self._readers, self.news)
        self.idempotency = IdempotencyRecords(self._commits, self._readers)
        self.marks = Marks(self._commits, self._readers)
        writing = ListWriting(self._commits, self.profiles, self.news, keys.next)
        self.lists = ListImports(database.path.parent, writing, self.marks, now_ms)
        self.audit = AuditRecords(self._commits, self._readers)
        self.data_requests = DataRequests(self._commits, self._readers, self.news)
        self.pruning = Pruning(self._commits, self._readers)
        self.erasing = Erasing(self._commits, self._readers, self.news)
        self.rule_sets = RuleSetRecords(self._commits, self._readers)
        self.feedback = FeedbackRecords(self._commits, self._readers)
        self.model_activations = ModelActivationRecords(self._commits, self._readers)
        self.reviews = ReviewRecords(self._commits, self._readers)
        self._sweeping = asyncio.create_task(self._sweep(), name="records sweep")

    @classmethod
    async def open(cls, folder: Path, *, now_ms: Callable[[], int], node: int = 0, make: bool = True) -> Records:
        """Open `folder`/records.db, or create it unless `make` says that it must be there.

        The folder must exist, and no other process may use it.

        Raises `DataDamaged`, `StorageFailed`, `StorageFull`.
        """
        writer = ThreadPoolExecutor(1, "records-write")
        loop = asyncio.get_running_loop()
        try:
            database, last = await loop.run_in_executor(writer, _open, folder / FILE_NAME, make)
        except BaseException:
            writer.shutdown()
            raise
        records = cls(database, writer, ids.KeySource(now_ms, last=last, node=node), now_ms)
        try:
            await records.registries.start()
            await records.profiles.start()
            await records.erased.start()
            await records.rates.start()
            await records.lists.start()
        except BaseException:
            await records.close()
            raise
        return records

    @property
    def commit_durations(self) -> Durations:
        """How long transactions took, from when they were handed to the writing thread."""
        return self._commits.durations

    @property
    def changes(self) -> int:
        """Grows with every write that may decide about a message; see `GroupCommit.changes`."""
        return self._commits.changes

    async def look_up(self, subjects: Sequence[Subject], *, urgent: bool) -> list[Known]:
        """What is known about each subject, in order."""
        return await (self._urgent_look_ups if urgent else self._look_ups).ask(subjects)

    async def close(self) -> None:
        """Commit what was submitted and release the file."""
        self._sweeping.cancel()
        await asyncio.gather(self._sweeping, return_exceptions=True)
        await self.registries.close()
        await self.lists.close()
        await self._commits.close()
        self._readers.close()
        await asyncio.get_running_loop().run_in_executor(self._writer, self._database.close)
        self._writer.shutdown()

    async def _sweep(self) -> None:
        while True:
            try:
                await self.idempotency.sweep(self._now_ms())
            except ChappeError as error:
                _log.warning("answers_not_swept", code=error.code, reason=error.message)
            await asyncio.sleep(SWEEP_INTERVAL_SECONDS)


_KEY_COLUMNS = (
    messages.c.id,
    consents.c.id,
    suppressions.c.id,
    inbound_messages.c.id,
    opt_outs.c.id,
    person_keys.c.person,
    legal_holds.c.id,
    people.c.id,
    feedback.c.id,
    erased_addresses.c.id,
    data_requests.c.id,
    sender_rates.c.id,
)


def _open(path: Path, make: bool) -> tuple[Database, int]:
    database = Database.open(path, readers=CONNECTIONS, make=make)
    try:
        with database.reader.connect() as connection:
            last = max(_largest_key(connection, column) for column in _KEY_COLUMNS)
    except DBAPIError as error:
        database.reader.dispose()
        database.writer.dispose()
        raise storage_error(error) from error
    database.start()
    return database, last


def _largest_key(connection: Connection, column: ColumnElement[int]) -> int:
    return connection.execute(select(func.max(column))).scalar() or 0
