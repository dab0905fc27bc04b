"""Texts from people, how they were read, and what followed: all of it in the transaction that stores the text."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from chappe.model.customer import Channel, Recipient
from chappe.model.errors import Conflict, NotFound
from chappe.records import ids
from chappe.records.commit import GroupCommit
from chappe.records.inbound_tables import inbound_messages as inbound
from chappe.records.news import News
from chappe.records.opt_outs import OptOutEffect, OptOutRecord, honour, lift, lift_one, mark_confirmed
from chappe.records.people import ConsentRecord, consent_row
from chappe.records.reading import Readers, Reading
from chappe.records.recipients import parse_recipient, recipient_text
from chappe.records.tables import consents


class Review(StrEnum):
    """Whether a person has to look at a text."""

    NONE = ""
    OPEN = "open"
    RESOLVED = "resolved"


class AnswerState(StrEnum):
    """How far the message owed in return has come."""

    NONE = ""
    OWED = "owed"
    SENT = "sent"
    """Taken by the pipeline; its own timeline tells the rest."""
    LATE = "late"
    """It could not be sent in time, and later would be wrong."""
    REFUSED = "refused"
    """The pipeline did not take it: the channel has no provider."""


class Resolution(msgspec.Struct, frozen=True):
    """What a person decided about an uncertain text. `by` is the id of an API key."""

    intent: str
    scope: str
    at_ms: int
    by: str
    note: str | None = None


class AnswerOwed(msgspec.Struct, frozen=True):
    """A message owed in return: its category, what it says, and until when it may be sent."""

    category: str
    text: str
    until_ms: int


class InboundRecord(msgspec.Struct, frozen=True):
    """One text. `to` is the person, `sender` our own address or name that it was sent to.

    `source` and `provider_message_id` name it at whoever took it in. `intent` to `evidence` (JSON) are the reading.
    """

    key: int
    to: Recipient
    sender: str
    channel: Channel
    source: str
    provider_message_id: str
    text: str
    received_at_ms: int
    intent: str
    scope: str
    confidence: float
    keyword: str | None
    language: str | None
    evidence: str
    opt_out: int | None = None
    review: Review = Review.NONE
    resolution: Resolution | None = None
    answer: str = ""
    answer_state: AnswerState = AnswerState.NONE
    answer_text: str | None = None
    answer_until_ms: int | None = None
    answer_message: int | None = None


class NewInbound(msgspec.Struct, frozen=True):
    """A text and what follows from it: an opt-out, or a start (with a consent), or nothing; and an answer perhaps.

    The answer to an opt-out is owed only if it changed something, so that it is sent once.
    """

    record: InboundRecord
    opt_out: OptOutEffect | None = None
    starts_at_ms: int | None = None
    consent: ConsentRecord | None = None
    answer: AnswerOwed | None = None


class Taken(msgspec.Struct, frozen=True):
    """What is stored of a text, and whether it is new. `lifted` are the requests that it took back."""

    record: InboundRecord
    new: bool
    opt_out: OptOutRecord | None = None
    lifted: tuple[OptOutRecord, ...] = ()


class InboundRecords:
    """The texts of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers, news: News) -> None:
        self._commits = commits
        self._readers = readers
        self._news = news

    async def take(self, texts: Sequence[NewInbound]) -> list[Taken | Conflict]:
        """Store texts with what follows from them, in one transaction; one that is there already changes nothing.

        A text under the id of another one is a `Conflict` in its place.
        """
        return await self._news.told(
            self._commits.run(lambda connection: [_take(connection, new) for new in texts]),
            lambda _: [new.record.to for new in texts],
        )

    async def get(self, key: int) -> InboundRecord:
        """Raises `NotFound`."""
        query = select(inbound).where(inbound.c.id == key)
        row = await self._readers.read(lambda c: c.execute(query).one_or_none())
        if row is None:
            raise _missing(key)
        return inbound_of(row)

    async def page(
        self, to: Recipient | None, before_key: int | None, limit: int, *, review_only: bool = False
    ) -> list[InboundRecord]:
        """Texts, newest first, of one person or of all; with `review_only` those that a person has to look at."""
        query = select(inbound).order_by(inbound.c.id.desc()).limit(limit)
        if to is not None:
            query = query.where(inbound.c.recipient == recipient_text(to))
        if before_key is not None:
            query = query.where(inbound.c.id < before_key)
        if review_only:
            query = query.where(inbound.c.review == Review.OPEN.value)
        return await self._readers.read(lambda c: [inbound_of(row) for row in c.execute(query)], Reading.BROWSING)

    async def owed(self, limit: int) -> list[InboundRecord]:
        """Texts to which an answer is owed, oldest first."""
        query = select(inbound).where(inbound.c.answer_state == AnswerState.OWED.value).order_by(inbound.c.id)
        found = await self._readers.read(lambda c: list(c.execute(query.limit(limit))))
        return [inbound_of(row) for row in found]

    async def answered(self, key: int, state: AnswerState, message: int | None, at_ms: int) -> None:
        """Note what became of the answer that was owed."""

        def operation(connection: Connection) -> None:
            row = connection.execute(select(inbound.c.opt_out).where(inbound.c.id == key)).one()
            values = {"answer_state": state.value, "answer_message": message}
            connection.execute(update(inbound).where(inbound.c.id == key).values(values))
            if row.opt_out is not None and message is not None:
                mark_confirmed(connection, row.opt_out, message, at_ms)

        await self._commits.run(operation)

    async def resolve(self, key: int, resolution: Resolution, opt_out: OptOutEffect | None) -> InboundRecord:
        """Settle an uncertain text: what it suppressed meanwhile goes, and what `opt_out` asks for comes instead.

        Raises `NotFound`, and `Conflict` if nobody has to look at it (any more).
        """

        def operation(connection: Connection) -> InboundRecord:
            row = connection.execute(select(inbound).where(inbound.c.id == key)).one_or_none()
            if row is None:
                raise _missing(key)
            if row.review != Review.OPEN.value:
                text = ids.key_text(ids.INBOUND, key)
                raise Conflict(f"{text} is not waiting for review; it was settled or needed none.", id=text)
            if row.opt_out is not None:
                lift_one(connection, row.opt_out, resolution.at_ms)
            made = None if opt_out is None else honour(connection, opt_out)
            values = {
                "review": Review.RESOLVED.value,
                "resolution": msgspec.json.encode(resolution).decode(),
                "opt_out": row.opt_out if made is None else made.key,
            }
            connection.execute(update(inbound).where(inbound.c.id == key).values(values))
            return inbound_of(connection.execute(select(inbound).where(inbound.c.id == key)).one())

        return await self._news.told(self._commits.run(operation), lambda record: [record.to])


def inbound_of(row: Row[Any]) -> InboundRecord:
    """The record of a row of the table."""
    values = dict(row._mapping)  # noqa: SLF001 (how SQLAlchemy offers it)
    return InboundRecord(
        key=values.pop("id"),
        to=parse_recipient(values.pop("recipient")),
        channel=Channel(values.pop("channel")),
        review=Review(values.pop("review")),
        resolution=_resolution(values.pop("resolution")),
        answer_state=AnswerState(values.pop("answer_state")),
        **values,
    )


def _take(connection: Connection, new: NewInbound) -> Taken | Conflict:
    record = new.record
    same = (
        inbound.c.source == record.source,
        inbound.c.channel == record.channel.value,
        inbound.c.provider_message_id == record.provider_message_id,
    )
    found = connection.execute(select(inbound).where(*same)).one_or_none()
    if found is not None:
        return _repeated(inbound_of(found), record)
    opt_out = None if new.opt_out is None else honour(connection, new.opt_out)
    lifted: tuple[OptOutRecord, ...] = ()
    if new.starts_at_ms is not None:
        started = lift(connection, record.to, record.channel, new.starts_at_ms, said_at_ms=record.received_at_ms)
        lifted = tuple(started)
    if new.consent is not None:
        connection.execute(insert(consents), consent_row(new.consent))
    answer = new.answer if opt_out is None or opt_out.suppressions else None
    if answer is not None:
        record = msgspec.structs.replace(
            record,
            answer=answer.category,
            answer_state=AnswerState.OWED,
            answer_text=answer.text,
            answer_until_ms=answer.until_ms,
        )
    connection.execute(insert(inbound), _inbound_row(record))
    return Taken(record, new=True, opt_out=opt_out, lifted=lifted)


def _repeated(stored: InboundRecord, given: InboundRecord) -> Taken | Conflict:
    if (stored.text, stored.to, stored.sender) == (given.text, given.to, given.sender):
        return Taken(stored, new=False)
    return Conflict(
        "Another text was taken under this provider_message_id. Give each text an id of its own.",
        provider_message_id=given.provider_message_id,
    )


def _inbound_row(record: InboundRecord) -> dict[str, Any]:
    row = msgspec.structs.asdict(record)
    row["id"] = row.pop("key")
    row["recipient"] = recipient_text(row.pop("to"))
    for name in ("channel", "review", "answer_state"):
        row[name] = row[name].value
    row["resolution"] = None
    return row


def _resolution(text: str | None) -> Resolution | None:
    return None if text is None else msgspec.json.decode(text, type=Resolution)


def _missing(key: int) -> NotFound:
    text = ids.key_text(ids.INBOUND, key)
    return NotFound(f"There is no inbound message {text}.", id=text)
