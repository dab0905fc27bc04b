"""Answers already given, so that a request repeated with the same key gets the same answer and does nothing twice."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, Insert, delete, insert, select

from chappe.records.commit import Bulk, GroupCommit, Rows
from chappe.records.reading import Readers
from chappe.records.statements import Binds, ManyRows
from chappe.records.tables import idempotency

KEPT_MS = 86_400_000
"""How long an answer is kept: 24 hours."""


class Answer(msgspec.Struct, frozen=True):
    """What was answered to the first request with this key. `scope` is the caller, `request_digest` what was asked."""

    scope: str
    key: str
    request_digest: str
    http_status: int
    response: str
    expires_at_ms: int


def _keep(rows: list[Binds]) -> Insert:
    return insert(idempotency).values(rows)


_KEEP = Bulk(3, ManyRows([c.name for c in idempotency.columns], _keep))


class IdempotencyRecords:
    """The answers of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers

    @staticmethod
    def rows(answer: Answer) -> Rows:
        """The answer as rows to be stored in one transaction with what it answers."""
        return {_KEEP: [msgspec.structs.astuple(answer)]}

    async def find(self, scope: str, key: str, now_ms: int) -> Answer | None:
        """The answer given to this key, unless it has expired."""
        table = idempotency.c
        query = select(idempotency).where(table.scope == scope, table.key == key)

        def read(connection: Connection) -> Answer | None:
            row = connection.execute(query).one_or_none()
            return None if row is None else Answer(*row)

        found = await self._readers.read(read, urgent=True)
        if found is not None and found.expires_at_ms <= now_ms:
            await self.forget(scope, key)
            return None
        return found

    async def forget(self, scope: str, key: str) -> None:
        """Take back an answer whose request could not be carried out in the end."""
        table = idempotency.c

        def operation(connection: Connection) -> None:
            connection.execute(delete(idempotency).where(table.scope == scope, table.key == key))

        await self._commits.run(operation)

    async def sweep(self, now_ms: int) -> int:
        """Forget expired answers; how many."""
        where = idempotency.c.expires_at_ms <= now_ms
        return await self._commits.run(lambda c: c.execute(delete(idempotency).where(where)).rowcount, urgent=False)
