"""Requests to stop: what was asked, by when it has to be met, when it was, and what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, insert, or_, select, update

from chappe.model.customer import Channel, Purpose, Recipient
from chappe.records.commit import GroupCommit
from chappe.records.inbound_tables import opt_outs
from chappe.records.news import News
from chappe.records.people import ConsentRecord, SuppressionRecord, consent_row, suppression_row
from chappe.records.reading import Readers, Reading
from chappe.records.recipients import parse_recipient, recipient_text
from chappe.records.shared_suppressions import release
from chappe.records.tables import consents, suppressions

_EVERY = ""
BY_REPLY = ("keyword", "free_text")
"""The means of requests that a person takes back by answering START."""


class Deadline(msgspec.Struct, frozen=True):
    """By when a rule wants the request met."""

    rule: str
    due_at_ms: int


class OptOutRecord(msgspec.Struct, frozen=True):
    """One request. `channel` or `purpose` None means every one.

    `means` is how it came (keyword, free_text, link), `inbound` the text it came in, `message` the message whose link
    was used. `honoured_at_ms` is when it took effect, `lifted_at_ms` when the person took it back. `suppressions` are
    the keys of those it made; none if all that it asks for was suppressed before. `confirmation` is the message that
    acknowledged it.
    """

    key: int
    to: Recipient
    channel: Channel | None
    purpose: Purpose | None
    scope: str
    means: str
    received_at_ms: int
    keyword: str | None = None
    jurisdiction: str | None = None
    inbound: int | None = None
    message: int | None = None
    due_at_ms: int | None = None
    deadlines: tuple[Deadline, ...] = ()
    honoured_at_ms: int | None = None
    lifted_at_ms: int | None = None
    suppressions: tuple[int, ...] = ()
    confirmation: int | None = None
    confirmed_at_ms: int | None = None

    def is_overdue(self, now_ms: int) -> bool:
        """Whether it was met after the deadline, or is not met and the deadline has passed."""
        if self.due_at_ms is None:
            return False
        return self.due_at_ms < (now_ms if self.honoured_at_ms is None else self.honoured_at_ms)


class OptOutEffect(msgspec.Struct, frozen=True):
    """What a request changes, written in one transaction. Suppressions that exist already stay as they are."""

    record: OptOutRecord
    suppressions: tuple[SuppressionRecord, ...]
    withdrawals: tuple[ConsentRecord, ...] = ()


class OptOutRecords:
    """The requests of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers, news: News) -> None:
        self._commits = commits
        self._readers = readers
        self._news = news

    async def add(self, effect: OptOutEffect) -> OptOutRecord:
        """Record a request and what it changes; one by the link of a message is recorded once."""

        def operation(connection: Connection) -> OptOutRecord:
            message = effect.record.message
            if message is not None:
                found = connection.execute(select(opt_outs).where(opt_outs.c.message == message)).first()
                if found is not None and _still_stands(connection, opt_out_of(found)):
                    return opt_out_of(found)
            return honour(connection, effect)

        return await self._news.told(self._commits.run(operation), lambda _: [effect.record.to])

    async def page(
        self,
        to: Recipient | None,
        before_key: int | None,
        limit: int,
        *,
        overdue_at_ms: int | None = None,
        open_only: bool = False,
    ) -> list[OptOutRecord]:
        """Requests, newest first, of one person or of all; with `overdue_at_ms` only those overdue then."""
        query = select(opt_outs).order_by(opt_outs.c.id.desc()).limit(limit)
        if to is not None:
            query = query.where(opt_outs.c.recipient == recipient_text(to))
        if before_key is not None:
            query = query.where(opt_outs.c.id < before_key)
        if overdue_at_ms is not None:
            query = query.where(opt_outs.c.due_at_ms < func.coalesce(opt_outs.c.honoured_at_ms, overdue_at_ms))
        if open_only:
            query = query.where(opt_outs.c.honoured_at_ms.is_(None))
        return await self._readers.read(lambda c: [opt_out_of(row) for row in c.execute(query)], Reading.BROWSING)


def honour(connection: Connection, effect: OptOutEffect) -> OptOutRecord:
    """Write a request with its suppressions and withdrawals; the record, with the keys of suppressions that are new."""
    made = tuple(record.key for record in effect.suppressions if _suppress(connection, record))
    record = msgspec.structs.replace(effect.record, suppressions=made)
    connection.execute(insert(opt_outs), opt_out_row(record))
    if effect.withdrawals:
        connection.execute(insert(consents), [consent_row(consent) for consent in effect.withdrawals])
    return record


def lift(connection: Connection, to: Recipient, channel: Channel, at_ms: int, *, said_at_ms: int) -> list[OptOutRecord]:
    """Take back what the person asked for by a reply on this channel before `said_at_ms`: its suppressions go, others
    stay. Texts may arrive in another order than they were said.
    """
    recipient = recipient_text(to)
    where = and_(
        opt_outs.c.recipient == recipient,
        opt_outs.c.received_at_ms < said_at_ms,
        opt_outs.c.means.in_(BY_REPLY),
        or_(opt_outs.c.channel == channel.value, opt_outs.c.channel == _EVERY),
        opt_outs.c.lifted_at_ms.is_(None),
    )
    found = [opt_out_of(row) for row in connection.execute(select(opt_outs).where(where))]
    if found:
        connection.execute(update(opt_outs).where(where).values(lifted_at_ms=at_ms))
        release(connection, recipient, [key for record in found for key in record.suppressions])
    return found


def lift_one(connection: Connection, key: int, at_ms: int) -> None:
    """Take back one request: it was none."""
    row = connection.execute(select(opt_outs).where(opt_outs.c.id == key)).one()
    connection.execute(update(opt_outs).where(opt_outs.c.id == key).values(lifted_at_ms=at_ms))
    release(connection, row.recipient, opt_out_of(row).suppressions)


def mark_confirmed(connection: Connection, key: int, message: int, at_ms: int) -> None:
    """Note the message that acknowledged a request."""
    connection.execute(update(opt_outs).where(opt_outs.c.id == key).values(confirmation=message, confirmed_at_ms=at_ms))


def opt_out_of(row: Sequence[Any]) -> OptOutRecord:
    """The record of a row of the table."""
    values = dict(zip(_COLUMNS, row, strict=True))
    channel, purpose = values.pop("channel"), values.pop("purpose")
    return OptOutRecord(
        key=values.pop("id"),
        to=parse_recipient(values.pop("recipient")),
        channel=Channel(channel) if channel else None,
        purpose=Purpose(purpose) if purpose else None,
        deadlines=_deadlines.decode(values.pop("deadlines")),
        suppressions=_keys.decode(values.pop("suppressions")),
        **values,
    )


_COLUMNS = tuple(column.name for column in opt_outs.columns)
_deadlines = msgspec.json.Decoder(tuple[Deadline, ...])
_keys = msgspec.json.Decoder(tuple[int, ...])


def opt_out_row(record: OptOutRecord) -> dict[str, Any]:
    """The row of a record."""
    row = msgspec.structs.asdict(record)
    row["id"] = row.pop("key")
    row["recipient"] = recipient_text(row.pop("to"))
    row["channel"] = record.channel.value if record.channel else _EVERY
    row["purpose"] = record.purpose.value if record.purpose else _EVERY
    row["deadlines"] = msgspec.json.encode(record.deadlines).decode()
    row["suppressions"] = msgspec.json.encode(record.suppressions).decode()
    return row


def _still_stands(connection: Connection, record: OptOutRecord) -> bool:
    """Whether the suppression that a request asked for is there, made by it or by another."""
    same = (
        suppressions.c.recipient == recipient_text(record.to),
        suppressions.c.channel == (record.channel.value if record.channel else _EVERY),
        suppressions.c.purpose == (record.purpose.value if record.purpose else _EVERY),
    )
    return connection.execute(select(suppressions.c.id).where(*same)).first() is not None


def _suppress(connection: Connection, record: SuppressionRecord) -> bool:
    row = suppression_row(record)
    same = [suppressions.c[name] == row[name] for name in ("recipient", "channel", "purpose")]
    if connection.execute(select(suppressions.c.id).where(*same)).first() is not None:
        return False
    connection.execute(insert(suppressions), row)
    return True
