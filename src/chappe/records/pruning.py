"""Old records, found in the order of their age and removed a few at a time, behind all other writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, or_, select

from chappe.model.customer import Channel, Purpose
from chappe.records.commit import GroupCommit
from chappe.records.erasing import empty_content
from chappe.records.inbound_tables import inbound_messages
from chappe.records.reading import Readers, Reading
from chappe.records.steps import OPEN
from chappe.records.tables import consents, contents, messages

BATCH_ROWS = 200
_NOTHING_SAID = '"content":{}'


class OldRecord(msgspec.Struct, frozen=True):
    """A record that may have come to its end. `used_ms` is when something last happened to it."""

    key: int
    recipient: str
    made_ms: int
    used_ms: int | None = None
    channel: Channel | None = None
    purpose: Purpose | None = None
    has_content: bool = False


class Pruning:
    """Finds and removes old records."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers

    async def messages(self, after_key: int, before_key: int, made_ms: Any) -> list[OldRecord]:
        """Messages that have come to an end, with keys in between, oldest first. `made_ms` gives a key's moment."""
        query = (
            select(messages, contents.c.message.contains(_NOTHING_SAID, autoescape=True).label("said_nothing"))
            .outerjoin(contents, contents.c.id == messages.c.id)
            .where(messages.c.id > after_key, messages.c.id < before_key)
            .where(messages.c.status.not_in([status.value for status in OPEN]))
            .order_by(messages.c.id)
            .limit(BATCH_ROWS)
        )

        def read(connection: Connection) -> list[OldRecord]:
            return [
                OldRecord(
                    row.id,
                    row.recipient,
                    made_ms(row.id),
                    row.updated_at_ms,
                    Channel(row.channel),
                    Purpose(row.purpose),
                    row.said_nothing is not None and not row.said_nothing,
                )
                for row in connection.execute(query)
            ]

        return await self._readers.read(read, Reading.BROWSING)

    async def inbound(self, after_key: int, before_ms: int) -> list[OldRecord]:
        """Texts received before a moment that nobody has to look at or answer any more."""
        query = (
            select(inbound_messages.c.id, inbound_messages.c.recipient, inbound_messages.c.received_at_ms)
            .where(inbound_messages.c.id > after_key, inbound_messages.c.received_at_ms < before_ms)
            .where(inbound_messages.c.review != "open", inbound_messages.c.answer_state != "owed")
            .order_by(inbound_messages.c.id)
            .limit(BATCH_ROWS)
        )
        return await self._readers.read(lambda c: [OldRecord(*row) for row in c.execute(query)], Reading.BROWSING)

    async def consents(self, after_key: int, before_ms: int, now_ms: int) -> list[OldRecord]:
        """Entries of consent records from before a moment that say nothing any more: expired, or followed by others
        that leave nothing of them. Without them the record comes to the same. The last word of a person is never among
        them, unless it has expired.
        """
        query = (
            select(
                consents.c.id, consents.c.recipient, consents.c.recorded_at_ms, consents.c.channel, consents.c.purpose
            )
            .where(consents.c.id > after_key, consents.c.recorded_at_ms < before_ms)
            .where(or_(consents.c.expires_at_ms < now_ms, _says_nothing()))
            .order_by(consents.c.id)
            .limit(BATCH_ROWS)
        )

        def read(connection: Connection) -> list[OldRecord]:
            return [
                OldRecord(key, to, made_ms, None, Channel(channel) if channel else None, Purpose(purpose))
                for key, to, made_ms, channel, purpose in connection.execute(query)
            ]

        return await self._readers.read(read, Reading.BROWSING)

    async def remove_messages(self, whole: Sequence[int], content_only: Sequence[int]) -> None:
        """Remove messages, or of some only what they said. One that somebody has moved on meanwhile stays."""

        def operation(connection: Connection) -> None:
            ended = messages.c.status.not_in([status.value for status in OPEN])
            query = select(messages.c.id).where(messages.c.id.in_([*whole, *content_only]), ended)
            still = set(connection.execute(query).scalars())
            gone = [key for key in whole if key in still]
            connection.execute(delete(messages).where(messages.c.id.in_(gone)))
            connection.execute(delete(contents).where(contents.c.id.in_(gone)))
            empty_content(connection, [key for key in content_only if key in still])

        await self._commits.run(operation, urgent=False)

    async def remove_inbound(self, keys: Sequence[int]) -> None:
        """Remove texts."""
        await self._remove(inbound_messages, keys)

    async def remove_consents(self, keys: Sequence[int]) -> None:
        """Remove entries of consent records."""
        await self._remove(consents, keys)

    async def _remove(self, table: Table, keys: Sequence[int]) -> None:
        gone = delete(table).where(table.c.id.in_(keys))
        await self._commits.run(lambda connection: connection.execute(gone), urgent=False)


def _says_nothing() -> ColumnElement[bool]:
    """A grant that was withdrawn, or said again; a withdrawal that was repeated, or that takes back nothing that is
    still stored and was followed by a grant. What was said on every channel is followed only by what is, too.
    """
    other = consents.alias("other")
    its, others = consents.c, other.c

    def another(*that: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(others.recipient == its.recipient, others.purpose == its.purpose, *that)

    reaches_all_of_it = or_(others.channel == _EVERY, others.channel == its.channel)
    shares_channels = or_(reaches_all_of_it, its.channel == _EVERY)
    later = others.recorded_at_ms > its.recorded_at_ms
    withdrawn = another(~others.granted, others.recorded_at_ms >= its.recorded_at_ms, reaches_all_of_it)
    same = [others[name].is_not_distinct_from(its[name]) for name in ("channel", "level", "details", "expires_at_ms")]
    void = another(others.granted, others.recorded_at_ms <= its.recorded_at_ms, shares_channels)
    return or_(
        and_(its.granted, or_(withdrawn, another(others.granted, later, *same))),
        and_(~its.granted, another(~others.granted, later, reaches_all_of_it)),
        and_(~its.granted, ~void, another(others.granted, later, others.channel == its.channel)),
    )


_EVERY = ""
"""How "every channel" is stored."""
