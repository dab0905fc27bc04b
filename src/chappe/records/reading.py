"""Reads: on threads and connections of their own, and point look-ups that arrive together answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from chappe.records.failures import storage_error

_T = TypeVar("_T")
_Subject = TypeVar("_Subject")
_Found = TypeVar("_Found")


class Reading(Enum):
    """What a read is for. Each has threads that the others cannot take; the value is how many."""

    URGENT = 2
    """A message that somebody waits for."""
    ORDINARY = 3
    """Everything else that the pipeline does."""
    BROWSING = 1
    """People who look: a list may go through many rows."""


CONNECTIONS = sum(reading.value for reading in Reading)


class Readers:
    """Runs read functions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = {
            reading: ThreadPoolExecutor(reading.value, f"records-{reading.name.lower()}") for reading in Reading
        }

    async def read(self, function: Callable[[Connection], _T], reading: Reading = Reading.ORDINARY) -> _T:
        """The function's result on a fresh view of the database. Raises `StorageFailed`, `DataDamaged`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads[reading], self._run, function)

    def _run(self, function: Callable[[Connection], _T]) -> _T:
        try:
            with self._engine.connect() as connection:
                return function(connection)
        except DBAPIError as error:
            raise storage_error(error) from error

    def close(self) -> None:
        """Wait for the reads under way."""
        for threads in self._threads.values():
            threads.shutdown()


class GroupRead(Generic[_Subject, _Found]):
    """Answers requests about many subjects; requests that arrive while one read runs share the next.

    `look_up` receives the subjects of all requests and gives one finding for each, in order. What was committed
    before a request was made is seen by it.
    """

    def __init__(
        self,
        readers: Readers,
        look_up: Callable[[Connection, Sequence[_Subject]], Sequence[_Found]],
        reading: Reading,
    ) -> None:
        self._readers = readers
        self._look_up = look_up
        self._reading = reading
        self._waiting: list[tuple[Sequence[_Subject], asyncio.Future[list[_Found]]]] = []
        self._draining: asyncio.Task[None] | None = None

    async def ask(self, subjects: Sequence[_Subject]) -> list[_Found]:
        """One finding per subject, in order."""
        future: asyncio.Future[list[_Found]] = asyncio.get_running_loop().create_future()
        self._waiting.append((subjects, future))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="records group read")
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            subjects = [subject for asked, _ in waiting for subject in asked]
            try:
                found = await self._readers.read(partial(self._answer, subjects), self._reading)
            except Exception as error:  # noqa: BLE001 (handed to those who asked)
                for _, future in waiting:
                    _settle(future, error)
            else:
                start = 0
                for asked, future in waiting:
                    _settle(future, list(found[start : start + len(asked)]))
                    start += len(asked)
        self._draining = None

    def _answer(self, subjects: Sequence[_Subject], connection: Connection) -> Sequence[_Found]:
        return self._look_up(connection, subjects)


def _settle(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
