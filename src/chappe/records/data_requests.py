"""What people ask about their data: recorded, carried out in steps that survive a crash, and accounted for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, or_, select, update

from chappe.model.errors import DataRequestNotFound
from chappe.records import ids
from chappe.records.audit import append_within
from chappe.records.audit_pages import Entry
from chappe.records.commit import GroupCommit
from chappe.records.data_request_tables import data_requests
from chappe.records.news import News
from chappe.records.reading import Readers, Reading
from chappe.records.recipients import parse_recipient


class RequestKind(StrEnum):
    """What is asked."""

    EXPORT = "export"
    """A copy of everything about the person."""
    ERASE = "erase"
    RESTRICT = "restrict"
    """Keep, but do not use."""
    UNRESTRICT = "unrestrict"
    """Take a restriction back."""


class RequestState(StrEnum):
    """How far it has come."""

    OPEN = "open"
    HELD = "held"
    """As far as a legal hold allows; the rest follows when that is released."""
    DONE = "done"


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom a request is about: the caller's id of the person, if there is one, and the addresses as stored.

    `places` are the jurisdictions of the addresses, in their order, as they were known on receipt, and
    `relationship_ended_ms` when the relationship with the person ended. Once the person is erased only the `digests`
    are left (keyed, in hexadecimal digits), here and in the person's earlier requests, and in the erasure the addresses
    of which a law has something kept.
    """

    person: str | None = None
    recipients: tuple[str, ...] = ()
    places: tuple[str | None, ...] = ()
    relationship_ended_ms: int | None = None
    digests: tuple[str, ...] = ()


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the rules in force on receipt say of the request: by when to confirm receipt, by when to be done, and until
    when that can be put off if the person is told why. `rules` are those that say so.
    """

    acknowledge_by_ms: int | None = None
    due_at_ms: int | None = None
    extendable_to_ms: int | None = None
    extended_because: str | None = None
    rules: tuple[str, ...] = ()


class DataRequest(msgspec.Struct, frozen=True):
    """One request. `due_at_ms` is the deadline that counts, extended or not. `receipt` is JSON.

    `package_until_ms` is when the copy that was made is removed; None if there is none (any more). `again_at_ms` is
    when an erasure that had to keep something goes on.
    """

    key: int
    kind: RequestKind
    state: RequestState
    subject: Subject
    digest: bytes
    received_at_ms: int
    created_at_ms: int
    terms: Terms
    due_at_ms: int | None
    asked_by: str
    note: str | None = None
    progress: Mapping[str, int] = {}
    completed_at_ms: int | None = None
    receipt: str | None = None
    package_until_ms: int | None = None
    again_at_ms: int | None = None

    def is_overdue(self, now_ms: int) -> bool:
        """Whether it was done after the deadline, or is not done and the deadline has passed."""
        return self.due_at_ms is not None and self.due_at_ms < (self.completed_at_ms or now_ms)


class DataRequests:
    """The requests of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers, news: News) -> None:
        self._commits = commits
        self._readers = readers
        self._news = news

    async def add(self, request: DataRequest, along: Callable[[Connection], object], account: Entry) -> None:
        """Record a request, with what takes effect at once, and append the account to the audit log, in one commit."""

        def operation(connection: Connection) -> None:
            connection.execute(insert(data_requests), _row(request))
            along(connection)
            append_within(connection, [account])

        await self._news.told(
            self._commits.run(operation), lambda _: [parse_recipient(text) for text in request.subject.recipients]
        )

    async def get(self, key: int) -> DataRequest:
        """Raises `DataRequestNotFound`."""
        found = await self._read(select(data_requests).where(data_requests.c.id == key))
        if not found:
            text = ids.key_text(ids.DATA_REQUEST, key)
            raise DataRequestNotFound(f"There is no data request {text}.", id=text)
        return found[0]

    async def newest_about(self, digest: bytes, kind: RequestKind) -> DataRequest | None:
        """The newest request of a kind about a person."""
        query = select(data_requests).where(data_requests.c.digest == digest, data_requests.c.kind == kind.value)
        found = await self._read(query.order_by(data_requests.c.id.desc()).limit(1))
        return found[0] if found else None

    async def unfinished(self) -> list[DataRequest]:
        """Those that are not done, oldest first."""
        query = select(data_requests).where(data_requests.c.completed_at_ms.is_(None)).order_by(data_requests.c.id)
        return await self._read(query)

    async def done_about(self, digests: Collection[bytes], recipients: Collection[str]) -> list[DataRequest]:
        """Those that are done about any of these people, or name any of these addresses (as `recipient_text` writes
        them). Reads the whole table: an address may have been asked about by an id that is no longer known.
        """
        named = [data_requests.c.subject.contains(_json_text(text), autoescape=True) for text in recipients]
        about = or_(data_requests.c.digest.in_(digests), *named)
        return await self._read(select(data_requests).where(about, data_requests.c.completed_at_ms.is_not(None)))

    async def with_package(self, until_ms: int) -> list[DataRequest]:
        """Those whose package is to be removed by a moment."""
        return await self._read(select(data_requests).where(data_requests.c.package_until_ms <= until_ms))

    async def to_go_on(self, now_ms: int) -> list[DataRequest]:
        """Erasures that kept something by law that may be due now."""
        return await self._read(select(data_requests).where(data_requests.c.again_at_ms <= now_ms))

    async def page(
        self,
        before_key: int | None,
        limit: int,
        *,
        kind: RequestKind | None = None,
        state: RequestState | None = None,
        overdue_at_ms: int | None = None,
    ) -> list[DataRequest]:
        """Requests, newest first; with `overdue_at_ms` those that are not done although due then."""
        query = select(data_requests).order_by(data_requests.c.id.desc()).limit(limit)
        if before_key is not None:
            query = query.where(data_requests.c.id < before_key)
        if kind is not None:
            query = query.where(data_requests.c.kind == kind.value)
        if state is not None:
            query = query.where(data_requests.c.state == state.value)
        if overdue_at_ms is not None:
            query = query.where(data_requests.c.completed_at_ms.is_(None), data_requests.c.due_at_ms < overdue_at_ms)
        return await self._read(query)

    async def change(
        self, key: int, account: Entry | None, along: Callable[[Connection], object] | None = None, **values: Any
    ) -> None:
        """Change fields of a request, with the account of it, in one commit."""

        def operation(connection: Connection) -> None:
            if along is not None:
                along(connection)
            connection.execute(update(data_requests).where(data_requests.c.id == key).values(_plain(values)))
            if account is not None:
                append_within(connection, [account])

        await self._commits.run(operation)

    async def _read(self, query: Any) -> list[DataRequest]:
        return await self._readers.read(lambda c: [_request(row) for row in c.execute(query)], Reading.BROWSING)


def add_progress(connection: Connection, key: int, done: Mapping[str, int]) -> None:
    """Count what has been removed, in the transaction that removes it."""
    if not any(done.values()):
        return
    text = connection.execute(select(data_requests.c.progress).where(data_requests.c.id == key)).scalar_one()
    counts = _counts.decode(text)
    for name, count in done.items():
        if count:
            counts[name] = counts.get(name, 0) + count
    values = {"progress": msgspec.json.encode(counts).decode()}
    connection.execute(update(data_requests).where(data_requests.c.id == key).values(values))


_counts = msgspec.json.Decoder(dict[str, int])
_subjects = msgspec.json.Decoder(Subject)
_terms = msgspec.json.Decoder(Terms)


def _json_text(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: msgspec.json.encode(value).decode() if isinstance(value, msgspec.Struct | dict) else value
        for name, value in values.items()
    }


def _row(request: DataRequest) -> dict[str, Any]:
    row = _plain(msgspec.structs.asdict(request))
    row["id"] = row.pop("key")
    return row


def _request(row: Sequence[Any]) -> DataRequest:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001 (SQLAlchemy's public name for it)
    return DataRequest(
        key=values.pop("id"),
        kind=RequestKind(values.pop("kind")),
        state=RequestState(values.pop("state")),
        subject=_subjects.decode(values.pop("subject")),
        terms=_terms.decode(values.pop("terms")),
        progress=_counts.decode(values.pop("progress")),
        **values,
    )
