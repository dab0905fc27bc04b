"""Committing batches of a list, each together with the mark of how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from chappe.model.customer import Recipient
from chappe.records.commit import GroupCommit
from chappe.records.lists.reading import Record
from chappe.records.news import News
from chappe.records.people import ConsentRecord, SuppressionRecord, consent_row, suppression_row
from chappe.records.profiles import PersonLine, ProfileRecords
from chappe.records.shared_suppressions import keep
from chappe.records.tables import consents, marks, suppressions

_KEY = "id"


class ListWriting:
    """Writes batches; `next_key` gives each new record its key."""

    def __init__(self, commits: GroupCommit, profiles: ProfileRecords, news: News, next_key: Callable[[], int]) -> None:
        self._commits = commits
        self._profiles = profiles
        self._news = news
        self._next_key = next_key

    async def commit(self, records: Sequence[Record], mark: str, done: int) -> int:
        """Store those records that are not stored yet, and set the mark to `done`; how many were new."""
        lines = [record for record in records if isinstance(record, PersonLine)]
        if lines:
            self._profiles.anybody = True

        def operation(connection: Connection) -> int:
            changed = self._profiles.bring_in(connection, lines)
            new = self._new_rows(connection, records)
            for table, rows in new.items():
                connection.execute(insert(table), rows)
            if connection.execute(update(marks).where(marks.c.name == mark).values(value=done)).rowcount == 0:
                connection.execute(insert(marks).values(name=mark, value=done))
            return sum(map(len, new.values())) + changed

        return await self._news.told(self._commits.run(operation, urgent=False), lambda _: _recipients(records))

    async def forget(self, mark: str) -> None:
        """Remove the mark of a list that is done."""

        def operation(connection: Connection) -> None:
            connection.execute(delete(marks).where(marks.c.name == mark))

        await self._commits.run(operation, urgent=False)

    def _new_rows(self, connection: Connection, records: Sequence[Record]) -> dict[Table, list[dict[str, Any]]]:
        new: dict[Table, list[dict[str, Any]]] = {}
        for table, same, rows in _by_table(records):
            stored = {_values(row, same): row for row in _stored(connection, table, rows)}
            if table is suppressions:
                again = [stored[values] for row in rows if (values := _values(row, same)) in stored]
                keep(connection, {row[_KEY]: row["recipient"] for row in again})
            found = set(stored)
            for row in rows:
                values = _values(row, same)
                if values not in found:
                    found.add(values)
                    new.setdefault(table, []).append(row | {_KEY: self._next_key()})
        return new


def _by_table(records: Sequence[Record]) -> list[tuple[Table, list[str], list[dict[str, Any]]]]:
    """The rows for each table, and the columns in which two rows that say the same agree."""
    agreed = [consent_row(record) for record in records if isinstance(record, ConsentRecord)]
    suppressed = [suppression_row(record) for record in records if isinstance(record, SuppressionRecord)]
    every = [column.name for column in consents.columns if column.name != _KEY]
    return [(consents, every, agreed), (suppressions, ["recipient", "channel", "purpose"], suppressed)]


def _values(row: Mapping[str, Any], same: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in same)


def _recipients(records: Sequence[Record]) -> list[Recipient]:
    return [to for record in records for to in (record.addresses if isinstance(record, PersonLine) else (record.to,))]


def _stored(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> Sequence[Any]:
    if not rows:
        return ()
    recipients = {row["recipient"] for row in rows}
    return connection.execute(select(table).where(table.c.recipient.in_(recipients))).mappings().all()
