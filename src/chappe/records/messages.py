"""Messages to people: adding them, moving them on, and finding them again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    delete,
    func,
    insert,
    select,
    update,
)

from chappe.model.customer import Channel, CustomerMessage, Purpose, Status
from chappe.model.errors import MessageNotFound, NotCancellable
from chappe.records import ids
from chappe.records.audit_pages import audit_rows, note_stored
from chappe.records.commit import Bulk, GroupCommit, Rows
from chappe.records.news import News
from chappe.records.reading import Readers, Reading
from chappe.records.recipients import recipient_hash, recipient_text
from chappe.records.statements import Binds, ManyRows, Row
from chappe.records.steps import ADVANCE, CANCELLABLE, OPEN, UNCHANGED, Transition, step_row
from chappe.records.tables import contents, messages
from chappe.records.timeline import Event, from_lines, to_line

_encoder = msgspec.json.Encoder()


class NewMessages:
    """Messages to be stored together, made ready one by one so that a large batch can be spread over time."""

    def __init__(self) -> None:
        self.message_rows: list[Row] = []
        self.content_rows: list[Row] = []

    def append(self, key: int, message: CustomerMessage, accepted: Event) -> None:
        """Add a message under its key, with its first event."""
        recipient = recipient_text(message.to)
        self.message_rows.append(
            (
                key,
                accepted.status.value,
                message.purpose.value,
                message.channel.value,
                recipient,
                recipient_hash(recipient),
                accepted.at_ms,
                0,
                None,
                None,
                to_line(accepted),
            )
        )
        self.content_rows.append((key, _encoder.encode(message).decode()))


class Summary(msgspec.Struct, frozen=True):
    """A message without its content, as the list shows it."""

    key: int
    status: Status
    purpose: Purpose
    channel: Channel
    recipient: str
    updated_at_ms: int
    attempts: int
    events: list[Event]


class Stored(msgspec.Struct, frozen=True):
    """A message as accepted, and what became of it."""

    message: CustomerMessage
    summary: Summary


class Filter(msgspec.Struct, frozen=True):
    """Which messages to list, newest first. `before_key` is the key the last page ended with."""

    status: Status | None = None
    purpose: Purpose | None = None
    channel: Channel | None = None
    recipient: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    before_key: int | None = None


def _insert_messages(rows: list[Binds]) -> Any:
    return insert(messages).values(rows)


def _insert_contents(rows: list[Binds]) -> Any:
    return insert(contents).values(rows)


_ADD_MESSAGES = Bulk(0, ManyRows([c.name for c in messages.columns], _insert_messages))
_ADD_CONTENTS = Bulk(1, ManyRows([c.name for c in contents.columns], _insert_contents))

_message_decoder = msgspec.json.Decoder(CustomerMessage)


class MessageRecords:
    """The messages of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers
        self.counted = News()
        """To whom messages count against caps, or do so no longer, since when."""

    def add(self, new: NewMessages, *, urgent: bool, along: Rows | None = None) -> asyncio.Future[None]:
        """Store new messages in one transaction, with `along` (rows of another subject) in the same one."""
        rows: Rows = {_ADD_MESSAGES: new.message_rows, _ADD_CONTENTS: new.content_rows}
        return self._commits.write(rows if along is None else {**rows, **along}, urgent=urgent)

    def advance(
        self, transitions: Sequence[Transition], *, urgent: bool, along: Rows | None = None
    ) -> asyncio.Future[None]:
        """Move messages on, with `along` (rows of another subject) in the same transaction.

        Steps take effect in the order submitted; unknown keys are passed over. Their accounts are committed with them:
        there is no step whose decision is not in the audit log.
        """
        rows: Rows = {ADVANCE: [step_row(transition) for transition in transitions], **(along or {})}
        accounts = [transition.account for transition in transitions if transition.account is not None]
        written = self._commits.write({**rows, **audit_rows(accounts)} if accounts else rows, urgent=urgent)
        note_stored(accounts, written)
        counted = [step.recipient for step in transitions if step.counted_at_ms != UNCHANGED]
        if counted:
            written.add_done_callback(lambda _: self._tell_counted(counted))
        return written

    def _tell_counted(self, recipients: Sequence[str | None]) -> None:
        if None in recipients:
            self.counted.tell_of_everyone()
        else:
            self.counted.tell([recipient for recipient in recipients if recipient is not None])

    async def remove(self, keys: Sequence[int]) -> None:
        """Take back messages that were stored but could not be queued, so that nothing half-done remains."""

        def operation(connection: Connection) -> None:
            for table in (messages, contents):
                connection.execute(delete(table).where(table.c.id.in_(keys)))

        await self._commits.run(operation)

    async def cancel(self, key: int, event: Event) -> None:
        """Cancel a message that has not been handed to a provider.

        Cancelling again is no error. Raises `MessageNotFound`, `NotCancellable`.
        """

        def operation(connection: Connection) -> None:
            changed = connection.execute(
                update(messages)
                .where(messages.c.id == key, messages.c.status.in_(CANCELLABLE))
                .values(
                    status=event.status,
                    updated_at_ms=event.at_ms,
                    counted_at_ms=None,
                    timeline=messages.c.timeline.concat(to_line(event)),
                )
            )
            if changed.rowcount == 0:
                found = connection.execute(select(messages.c.status).where(messages.c.id == key)).scalar()
                _refuse_cancel(key, found)

        await self._commits.run(operation)

    async def get(self, key: int) -> Stored:
        """Raises `MessageNotFound`."""

        def read(connection: Connection) -> Stored | None:
            query = select(messages, contents.c.message).join_from(messages, contents, contents.c.id == messages.c.id)
            row = connection.execute(query.where(messages.c.id == key)).one_or_none()
            return None if row is None else Stored(_message_decoder.decode(row.message), _summary(row))

        found = await self._readers.read(read)
        if found is None:
            raise _not_found(key)
        return found

    async def get_many(self, keys: Sequence[int]) -> list[Stored]:
        """Those of these messages that are stored, newest first."""
        query = (
            select(messages, contents.c.message)
            .join_from(messages, contents, contents.c.id == messages.c.id)
            .where(messages.c.id.in_(keys))
            .order_by(messages.c.id.desc())
        )

        def read(connection: Connection) -> list[Stored]:
            return [Stored(_message_decoder.decode(row.message), _summary(row)) for row in connection.execute(query)]

        return await self._readers.read(read, Reading.BROWSING)

    async def find(self, wanted: Filter, limit: int) -> list[Summary]:
        """The newest `limit` messages that match."""
        query = _listing(wanted).limit(limit)
        return await self._readers.read(lambda c: [_summary(row) for row in c.execute(query)], Reading.BROWSING)

    async def accepted_after(self, key: int, limit: int) -> list[tuple[int, CustomerMessage]]:
        """Messages still in `accepted` with larger keys, oldest first."""
        query = (
            select(messages.c.id, contents.c.message)
            .join_from(messages, contents, contents.c.id == messages.c.id)
            .where(messages.c.status == Status.ACCEPTED, messages.c.id > key)
            .order_by(messages.c.id)
            .limit(limit)
        )

        def read(connection: Connection) -> list[tuple[int, CustomerMessage]]:
            return [(row.id, _message_decoder.decode(row.message)) for row in connection.execute(query)]

        return await self._readers.read(read)

    async def open_count(self) -> int:
        """How many messages still have a way to go."""
        query = select(func.count()).where(messages.c.status.in_(OPEN))
        return await self._readers.read(lambda c: c.execute(query).scalar_one())

    async def open_after(self, key: int, limit: int) -> list[Stored]:
        """Messages with larger keys that still have a way to go, oldest first."""
        query = (
            select(messages, contents.c.message)
            .join_from(messages, contents, contents.c.id == messages.c.id)
            .where(messages.c.status.in_(OPEN), messages.c.id > key)
            .order_by(messages.c.id)
            .limit(limit)
        )
        return await self._readers.read(
            lambda c: [Stored(_message_decoder.decode(row.message), _summary(row)) for row in c.execute(query)]
        )

    async def counts(self) -> dict[Status, int]:
        """Messages by status."""
        query = select(messages.c.status, func.count()).group_by(messages.c.status)
        return await self._readers.read(lambda c: {Status(s): n for s, n in c.execute(query).all()}, Reading.BROWSING)


def _summary(row: Any) -> Summary:
    return Summary(
        key=row.id,
        status=Status(row.status),
        purpose=Purpose(row.purpose),
        channel=Channel(row.channel),
        recipient=row.recipient,
        updated_at_ms=row.updated_at_ms,
        attempts=row.attempts,
        events=from_lines(row.timeline),
    )


def _listing(wanted: Filter) -> Select[Any]:
    query = select(messages).order_by(messages.c.id.desc())
    for chosen, stored in (
        (wanted.status, messages.c.status),
        (wanted.purpose, messages.c.purpose),
        (wanted.channel, messages.c.channel),
        (wanted.recipient, messages.c.recipient),
    ):
        if chosen is not None:
            query = query.where(stored == chosen)
    if wanted.recipient is not None:
        query = query.where(messages.c.recipient_hash == recipient_hash(wanted.recipient))
    if wanted.since_ms is not None:
        query = query.where(messages.c.id >= ids.first_key_at(wanted.since_ms))
    if wanted.until_ms is not None:
        query = query.where(messages.c.id < ids.first_key_at(wanted.until_ms))
    if wanted.before_key is not None:
        query = query.where(messages.c.id < wanted.before_key)
    return query


def _not_found(key: int) -> MessageNotFound:
    text = ids.key_text(ids.MESSAGE, key)
    return MessageNotFound(f"There is no message {text}.", id=text)


def _refuse_cancel(key: int, status: str | None) -> None:
    if status is None:
        raise _not_found(key)
    if status != Status.CANCELLED:
        raise NotCancellable(
            f"The message is {status}, and only one that has not been handed to a provider can be cancelled.",
            status=status,
        )
