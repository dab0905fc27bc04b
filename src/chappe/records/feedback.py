"""Labels that people gave to messages and texts, kept to train on.

A label of a message names the message only: its text stands in its own record, and goes when that goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from chappe.model.customer import Content, CustomerMessage
from chappe.records.classification_tables import feedback
from chappe.records.commit import GroupCommit
from chappe.records.reading import Readers, Reading
from chappe.records.rule_sets import Author
from chappe.records.tables import contents


class FeedbackRecord(msgspec.Struct, frozen=True):
    """One label. Of `message` (its key) and `text` one is set."""

    key: int
    label: str
    kind: str | None
    at_ms: int
    author: Author
    message: int | None = None
    text: str | None = None


class Labelled(msgspec.Struct, frozen=True):
    """A label with the content that it is about."""

    key: int
    label: str
    kind: str | None
    content: Content


_message_decoder = msgspec.json.Decoder(CustomerMessage)


class FeedbackRecords:
    """The labels of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers

    async def add(self, records: Sequence[FeedbackRecord]) -> None:
        """Store labels. A message's newest label takes the place of its others."""

        def operation(connection: Connection) -> None:
            labelled = [record.message for record in records if record.message is not None]
            if labelled:
                connection.execute(delete(feedback).where(feedback.c.message.in_(labelled)))
            connection.execute(insert(feedback), [_row(record) for record in records])

        await self._commits.run(operation)

    async def labelled(self, after: int, limit: int) -> list[Labelled]:
        """Labels with larger keys and what they are about, oldest first; those whose message is gone are left out."""
        query = (
            select(feedback, contents.c.message.label("content"))
            .join(contents, contents.c.id == feedback.c.message, isouter=True)
            .where(feedback.c.id > after, feedback.c.text.is_not(None) | contents.c.message.is_not(None))
            .order_by(feedback.c.id)
            .limit(limit)
        )
        return await self._readers.read(lambda c: [_labelled(row) for row in c.execute(query)], Reading.BROWSING)


def _row(record: FeedbackRecord) -> dict[str, Any]:
    return {
        "id": record.key,
        "message": record.message,
        "text": record.text,
        "label": record.label,
        "kind": record.kind,
        "note": record.author.reason or None,
        "author": record.author.key_id,
        "author_name": record.author.name,
        "at_ms": record.at_ms,
    }


def _labelled(row: Any) -> Labelled:
    content = Content(text=row.text) if row.text is not None else _message_decoder.decode(row.content).content
    return Labelled(row.id, row.label, row.kind, content)
