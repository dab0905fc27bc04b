"""How messages fare, as mailbox providers and carriers report it: what rules about rates decide by.

There are few measurements, a day brings one or two, and every decision may ask. So those that can still matter are held
in memory, and looked at without waiting.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select

from chappe.model.errors import RateNotFound
from chappe.model.sends import Rate
from chappe.records import ids
from chappe.records.commit import GroupCommit
from chappe.records.rate_tables import sender_rates
from chappe.records.reading import Readers, Reading


class RateRecord(msgspec.Struct, frozen=True):
    """A measurement on record. `source` tells people where it is from, `author` is the id of an API key."""

    key: int
    rate: Rate
    source: str
    author: str


class RateRecords:
    """The measurements of a database. `telling` may be read from any thread."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers
        self.telling: tuple[Rate, ...] = ()
        """Those that a verdict can depend on, oldest first."""

    async def start(self) -> None:
        """Read what there is."""
        self.telling = await self._readers.read(_telling)

    async def add(self, record: RateRecord) -> None:
        """Record a measurement; every decision that begins afterwards knows it."""
        rate = record.rate

        def operation(connection: Connection) -> tuple[Rate, ...]:
            same = (sender_rates.c.metric == rate.metric, sender_rates.c.at_ms == rate.at_ms)
            of_sender = sender_rates.c.sender.is_(None) if rate.sender is None else sender_rates.c.sender == rate.sender
            connection.execute(delete(sender_rates).where(*same, of_sender))
            values = {"id": record.key, **msgspec.structs.asdict(rate)}
            connection.execute(insert(sender_rates), values | {"source": record.source, "author": record.author})
            return _telling(connection)

        self._tell(await self._commits.run(operation))

    async def remove(self, key: int) -> None:
        """Forget a measurement. Raises `RateNotFound`."""

        def operation(connection: Connection) -> tuple[Rate, ...]:
            if connection.execute(delete(sender_rates).where(sender_rates.c.id == key)).rowcount == 0:
                text = ids.key_text(ids.RATE, key)
                raise RateNotFound(f"There is no measurement {text}.", id=text)
            return _telling(connection)

        self._tell(await self._commits.run(operation))

    def _tell(self, rates: tuple[Rate, ...]) -> None:
        self.telling = rates
        self._commits.changes += 1  # what was read between the commit and this must not be taken for fresh

    async def page(self, before_key: int | None, limit: int, metric: str | None = None) -> list[RateRecord]:
        """Measurements, those recorded last first."""
        query = select(sender_rates).order_by(sender_rates.c.id.desc()).limit(limit)
        if before_key is not None:
            query = query.where(sender_rates.c.id < before_key)
        if metric is not None:
            query = query.where(sender_rates.c.metric == metric)
        return await self._readers.read(
            lambda c: [RateRecord(row.id, _rate(row), row.source, row.author) for row in c.execute(query)],
            Reading.BROWSING,
        )


def telling(rates: Iterable[Rate]) -> tuple[Rate, ...]:
    """Of measurements in the order of their moments, those on which a verdict can depend: the newest of each metric and
    sender, and every one that is higher than all that came after it. For wherever a rule draws its line, the last one
    that crossed it is among these.
    """
    highest: dict[tuple[str, str | None], float] = {}
    found = []
    for rate in reversed(list(rates)):
        about = (rate.metric, rate.sender)
        if about not in highest or rate.value > highest[about]:
            highest[about] = rate.value
            found.append(rate)
    return tuple(reversed(found))


def _telling(connection: Connection) -> tuple[Rate, ...]:
    query = select(sender_rates).order_by(sender_rates.c.at_ms, sender_rates.c.id)
    return telling(map(_rate, connection.execute(query)))


def _rate(row: Row[tuple[object, ...]]) -> Rate:
    return Rate(row.metric, row.at_ms, row.value, row.sender)
