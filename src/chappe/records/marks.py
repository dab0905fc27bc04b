"""Named numbers that survive a restart: how far something has come."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from chappe.records.commit import GroupCommit
from chappe.records.reading import Readers
from chappe.records.tables import marks


class Marks:
    """The marks of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers

    async def get(self, name: str) -> int:
        """The mark, 0 if it was never set."""
        query = select(marks.c.value).where(marks.c.name == name)
        return await self._readers.read(lambda c: c.execute(query).scalar() or 0)

    async def set(self, name: str, value: int) -> None:
        """Replace the mark."""

        def operation(connection: Connection) -> None:
            changed = connection.execute(update(marks).where(marks.c.name == name).values(value=value))
            if changed.rowcount == 0:
                connection.execute(insert(marks).values(name=name, value=value))

        await self._commits.run(operation, urgent=False, changes_facts=False)
