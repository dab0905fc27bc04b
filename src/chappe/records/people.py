"""What people agreed to and where never to send: consents (append-only) and suppressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete, insert, select

from chappe.model.customer import Channel, Purpose, Recipient
from chappe.model.errors import NotFound
from chappe.records import ids
from chappe.records.commit import GroupCommit
from chappe.records.news import News
from chappe.records.profile_tables import erased_addresses
from chappe.records.reading import Readers, Reading
from chappe.records.recipients import parse_recipient, recipient_text
from chappe.records.shared_suppressions import keep
from chappe.records.tables import consents, suppressions

_EVERY = ""
"""How "every channel" and "every purpose" are stored: null would not be held unique."""


class ConsentRecord(msgspec.Struct, frozen=True):
    """One entry of a person's consent record. `channel` None means every channel.

    `level` is how strong the consent is, `proof` what was kept of it, `source` where it was given. `details` is a JSON
    object of how it came about, with the fields of `compliance.facts.consents.ConsentDetails`.
    """

    key: int
    to: Recipient
    channel: Channel | None
    purpose: Purpose
    granted: bool
    recorded_at_ms: int
    level: str | None = None
    proof: str | None = None
    source: str | None = None
    expires_at_ms: int | None = None
    details: str | None = None


class SuppressionRecord(msgspec.Struct, frozen=True):
    """Never send here. `channel` or `purpose` None means every one."""

    key: int
    to: Recipient
    channel: Channel | None
    purpose: Purpose | None
    reason: str
    created_at_ms: int


class PeopleRecords:
    """The consents and suppressions of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers, news: News) -> None:
        self._commits = commits
        self._readers = readers
        self._news = news

    async def add_consents(self, records: Sequence[ConsentRecord]) -> None:
        """Append to the consent record, all or none."""
        rows = [consent_row(record) for record in records]
        if not rows:
            return

        def operation(connection: Connection) -> None:
            connection.execute(insert(consents), rows)

        await self._news.told(self._commits.run(operation), lambda _: [record.to for record in records])

    async def list_consents(self, to: Recipient | None, before_key: int | None, limit: int) -> list[ConsentRecord]:
        """Entries, newest first, of one person or of all."""
        query = _page(consents, to, before_key).limit(limit)
        return await self._readers.read(lambda c: [consent_of(row) for row in c.execute(query)], Reading.BROWSING)

    async def add_suppression(self, record: SuppressionRecord) -> tuple[SuppressionRecord, bool]:
        """Suppress an address; the stored record, and whether it is new. One already there is kept as it is."""

        def operation(connection: Connection) -> tuple[SuppressionRecord, bool]:
            row = suppression_row(record)
            same = [suppressions.c[name] == row[name] for name in ("recipient", "channel", "purpose")]
            found = connection.execute(select(suppressions).where(*same)).one_or_none()
            if found is not None:
                keep(connection, {found.id: found.recipient})
                return suppression_of(found), False
            connection.execute(insert(suppressions), row)
            return record, True

        return await self._news.told(self._commits.run(operation), lambda _: [record.to])

    async def list_suppressions(
        self, to: Recipient | None, before_key: int | None, limit: int
    ) -> list[SuppressionRecord]:
        """Suppressions, newest first, of one address or of all."""
        query = _page(suppressions, to, before_key).limit(limit)
        return await self._readers.read(lambda c: [suppression_of(row) for row in c.execute(query)], Reading.BROWSING)

    async def remove_suppression(self, key: int) -> None:
        """Raises `NotFound`."""

        def operation(connection: Connection) -> None:
            gone = connection.execute(delete(suppressions).where(suppressions.c.id == key)).rowcount
            gone += connection.execute(delete(erased_addresses).where(erased_addresses.c.id == key)).rowcount
            if gone == 0:
                text = ids.key_text(ids.SUPPRESSION, key)
                raise NotFound(f"There is no suppression {text}.", id=text)

        await self._commits.run(operation)


# Looked up for nearly every promotional message, so by position and without the constructors of the enumerations.
_CHANNELS = {_EVERY: None, **{channel.value: channel for channel in Channel}}
_PURPOSES = {_EVERY: None, **{purpose.value: purpose for purpose in Purpose}}


def consent_of(row: Sequence[Any]) -> ConsentRecord:
    """The record of a row of the table."""
    key, recipient, channel, purpose, granted, level, proof, source, recorded_at_ms, expires_at_ms, details = row
    return ConsentRecord(
        key,
        parse_recipient(recipient),
        _CHANNELS[channel],
        _PURPOSES[purpose],  # type: ignore[arg-type]
        bool(granted),
        recorded_at_ms,
        level,
        proof,
        source,
        expires_at_ms,
        details,
    )


def suppression_of(row: Sequence[Any]) -> SuppressionRecord:
    """The record of a row of the table."""
    key, recipient, channel, purpose, reason, created_at_ms = row
    return SuppressionRecord(
        key, parse_recipient(recipient), _CHANNELS[channel], _PURPOSES[purpose], reason, created_at_ms
    )


def _page(table: Table, to: Recipient | None, before_key: int | None) -> Any:
    query = select(table).order_by(table.c.id.desc())
    if to is not None:
        query = query.where(table.c.recipient == recipient_text(to))
    if before_key is not None:
        query = query.where(table.c.id < before_key)
    return query


def consent_row(record: ConsentRecord) -> dict[str, Any]:
    """The row of a record."""
    return {
        "id": record.key,
        "recipient": recipient_text(record.to),
        "channel": record.channel or _EVERY,
        "purpose": record.purpose.value,
        "granted": record.granted,
        "level": record.level,
        "proof": record.proof,
        "source": record.source,
        "recorded_at_ms": record.recorded_at_ms,
        "expires_at_ms": record.expires_at_ms,
        "details": record.details,
    }


def suppression_row(record: SuppressionRecord) -> dict[str, Any]:
    """The row of a record."""
    return {
        "id": record.key,
        "recipient": recipient_text(record.to),
        "channel": record.channel or _EVERY,
        "purpose": record.purpose or _EVERY,
        "reason": record.reason,
        "created_at_ms": record.created_at_ms,
    }
