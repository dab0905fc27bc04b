"""Removing what is stored of an address, a bounded number of rows at a time, each with what it adds to the count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection, Table, delete, select, update

from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Status
from chappe.records.commit import GroupCommit
from chappe.records.data_requests import add_progress
from chappe.records.inbound_tables import inbound_messages, opt_outs
from chappe.records.news import News
from chappe.records.opt_outs import OptOutRecord, opt_out_of
from chappe.records.people import ConsentRecord, consent_of
from chappe.records.profile_tables import addresses, people
from chappe.records.reading import Readers, Reading
from chappe.records.recipients import recipient_hash
from chappe.records.tables import consents, contents, messages, suppressions

BATCH_ROWS = 100


class MessageOutline(msgspec.Struct, frozen=True):
    """What an erasure has to know of a message."""

    key: int
    status: Status
    purpose: Purpose
    channel: Channel
    updated_at_ms: int
    has_content: bool


class Erasing:
    """Reads what there is of an address, and removes it as told. All of it may be done again."""

    def __init__(self, commits: GroupCommit, readers: Readers, news: News) -> None:
        self._commits = commits
        self._readers = readers
        self._news = news

    async def messages(self, recipient: str, after_key: int) -> list[MessageOutline]:
        """Messages to an address with larger keys, oldest first."""
        query = (
            select(messages, contents.c.message)
            .outerjoin(contents, contents.c.id == messages.c.id)
            .where(messages.c.recipient_hash == recipient_hash(recipient), messages.c.recipient == recipient)
            .where(messages.c.id > after_key)
            .order_by(messages.c.id)
            .limit(BATCH_ROWS)
        )

        def read(connection: Connection) -> list[MessageOutline]:
            return [
                MessageOutline(
                    row.id,
                    Status(row.status),
                    Purpose(row.purpose),
                    Channel(row.channel),
                    row.updated_at_ms,
                    _says_something(row.message),
                )
                for row in connection.execute(query)
            ]

        return await self._readers.read(read, Reading.BROWSING)

    async def consents(self, recipient: str) -> list[ConsentRecord]:
        """The whole consent record of an address."""
        query = select(consents).where(consents.c.recipient == recipient).order_by(consents.c.id)
        return await self._readers.read(lambda c: [consent_of(row) for row in c.execute(query)], Reading.BROWSING)

    async def opt_outs(self, recipient: str) -> list[OptOutRecord]:
        """Every request to stop from an address."""
        query = select(opt_outs).where(opt_outs.c.recipient == recipient).order_by(opt_outs.c.id)
        return await self._readers.read(lambda c: [opt_out_of(row) for row in c.execute(query)], Reading.BROWSING)

    async def inbound(self, recipient: str) -> list[tuple[int, int | None]]:
        """The keys of texts from an address, and of the requests to stop that they are."""
        query = select(inbound_messages.c.id, inbound_messages.c.opt_out)
        query = query.where(inbound_messages.c.recipient == recipient)
        return await self._readers.read(lambda c: [(row[0], row[1]) for row in c.execute(query)], Reading.BROWSING)

    async def remove_messages(self, request: int, whole: Sequence[int], content_only: Sequence[int]) -> None:
        """Remove messages, or of some of them only what they said."""

        def operation(connection: Connection) -> dict[str, int]:
            gone = _delete(connection, messages, whole)
            said = _delete(connection, contents, whole) + empty_content(connection, content_only)
            return {"messages": gone, "contents": said}

        await self._counted(request, operation)

    async def remove(self, request: int, what: str, keys: Sequence[int]) -> None:
        """Remove `consents`, `opt_outs` or `inbound` by their keys."""
        table = {"consents": consents, "opt_outs": opt_outs, "inbound": inbound_messages}[what]
        for start in range(0, len(keys), BATCH_ROWS):
            part = keys[start : start + BATCH_ROWS]
            await self._counted(request, partial(_removed, what, table, part))

    async def remove_wishes(self, request: int, recipient: str, person: str | None) -> None:
        """Remove suppressions, which the digest replaces, and the profile with all its addresses."""

        def operation(connection: Connection) -> dict[str, int]:
            gone = connection.execute(delete(suppressions).where(suppressions.c.recipient == recipient)).rowcount
            connection.execute(delete(addresses).where(addresses.c.recipient == recipient))
            profiles = 0
            if person is not None:
                profiles = connection.execute(delete(people).where(people.c.person == person)).rowcount
            return {"suppressions": gone, "profiles": profiles}

        await self._counted(request, operation)
        self._news.tell([recipient])

    async def _counted(self, request: int, operation: Callable[[Connection], Mapping[str, int]]) -> None:
        def whole(connection: Connection) -> None:
            add_progress(connection, request, operation(connection))

        await self._commits.run(whole, urgent=False)


def empty_content(connection: Connection, keys: Sequence[int]) -> int:
    """Leave of messages what the log of them needs, and nothing of what they said; how many."""
    rows = connection.execute(select(contents).where(contents.c.id.in_(keys))).all() if keys else []
    for key, text in rows:
        kept = msgspec.structs.replace(_decoder.decode(text), content=Content(), metadata=None)
        connection.execute(update(contents).where(contents.c.id == key).values(message=_encoder.encode(kept).decode()))
    return len(rows)


_decoder = msgspec.json.Decoder(CustomerMessage)
_encoder = msgspec.json.Encoder()


def _says_something(message: str | None) -> bool:
    return message is not None and _decoder.decode(message).content != Content()


def _removed(what: str, table: Table, keys: Sequence[int], connection: Connection) -> dict[str, int]:
    return {what: _delete(connection, table, keys)}


def _delete(connection: Connection, table: Table, keys: Sequence[int]) -> int:
    if not keys:
        return 0
    return connection.execute(delete(table).where(table.c.id.in_(keys))).rowcount
