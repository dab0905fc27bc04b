"""Answers already given, so that a request repeated with the same key gets the same answer and does nothing twice."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Insert, delete, insert, select, tuple_

from chappe.records.commit import Bulk, GroupCommit, Rows
from chappe.records.reading import Readers, Reading
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
    def rows(answers: Sequence[Answer]) -> Rows:
        """Answers as rows to be stored in one transaction with what they answer."""
        return {_KEEP: [msgspec.structs.astuple(answer) for answer in answers]}

    async def find(self, scope: str, keys: Sequence[str], now_ms: int) -> dict[str, Answer]:
        """The answers given to these keys, expired ones left out (and forgotten)."""
        query = select(idempotency).where(idempotency.c.scope == scope, idempotency.c.key.in_(keys))
        found = await self._readers.read(lambda c: [Answer(*row) for row in c.execute(query)], Reading.URGENT)
        await self.forget([answer for answer in found if answer.expires_at_ms <= now_ms])
        return {answer.key: answer for answer in found if answer.expires_at_ms > now_ms}

    async def forget(self, answers: Sequence[Answer]) -> None:
        """Take back answers: expired ones, and those to requests that could not be carried out in the end."""
        if not answers:
            return
        places = [(answer.scope, answer.key) for answer in answers]

        def operation(connection: Connection) -> None:
            connection.execute(delete(idempotency).where(tuple_(idempotency.c.scope, idempotency.c.key).in_(places)))

        await self._commits.run(operation, changes_facts=False)

    async def sweep(self, now_ms: int) -> int:
        """Forget expired answers; how many."""
        expired = delete(idempotency).where(idempotency.c.expires_at_ms <= now_ms)
        return await self._commits.run(lambda c: c.execute(expired).rowcount, urgent=False, changes_facts=False)
