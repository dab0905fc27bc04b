"""Messages held because of their content: waiting for a person, settled by one, and brought back to the queues."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, insert, select, update

from chappe.model.classification import Resolution, Review
from chappe.model.customer import Channel, CustomerMessage, Purpose, Status
from chappe.model.errors import Conflict, ReviewNotFound
from chappe.records import ids
from chappe.records.classification_tables import reviews
from chappe.records.commit import Bulk, GroupCommit, Rows
from chappe.records.reading import Readers, Reading
from chappe.records.rule_sets import Author
from chappe.records.statements import Binds, ManyRows, Row
from chappe.records.tables import contents, messages


class ReviewState(StrEnum):
    """How a review stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    """The message came to an end in another way."""


class ReviewRecord(msgspec.Struct, frozen=True):
    """One review. `checks` names what held the message; `due_at_ms` is when it ends by itself."""

    key: int
    state: ReviewState
    label: str
    probability: float
    checks: tuple[str, ...]
    sender: str | None
    channel: Channel
    opened_at_ms: int
    due_at_ms: int
    resolution: Resolution | None = None
    resolved_at_ms: int | None = None
    author: Author | None = None


class NewReview(msgspec.Struct, frozen=True):
    """A review to be opened with the step that holds its message."""

    key: int
    message: CustomerMessage
    opened_at_ms: int
    due_at_ms: int


class Released(msgspec.Struct, frozen=True):
    """A message whose review has ended and that belongs into a queue again."""

    key: int
    message: CustomerMessage


def _insert_reviews(rows: list[Binds]) -> Any:
    return insert(reviews).prefix_with("OR IGNORE", dialect="sqlite").values(rows)


def _once(rows: list[Row]) -> list[Row]:
    return list({row[0]: row for row in rows}.values())


_OPEN = Bulk(5, ManyRows([column.name for column in reviews.columns], _insert_reviews), _once)
_message_decoder = msgspec.json.Decoder(CustomerMessage)
_encoder = msgspec.json.Encoder()
_EXPIRED_AT_ONCE = 500


class ReviewRecords:
    """The reviews of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers

    @staticmethod
    def rows(new: Sequence[NewReview]) -> Rows:
        """The rows of new reviews, to be committed with the steps of their messages. One that exists stays."""
        return {_OPEN: [_row(review) for review in new]}

    async def known(self, keys: Sequence[int]) -> set[int]:
        """Those of these messages that have a review, open or ended."""
        query = select(reviews.c.id).where(reviews.c.id.in_(keys))
        return await self._readers.read(lambda c: set(c.execute(query).scalars()))

    async def get(self, key: int) -> ReviewRecord:
        """Raises `ReviewNotFound`."""
        query = _listing().where(reviews.c.id == key)
        row = await self._readers.read(lambda c: c.execute(query).one_or_none(), Reading.BROWSING)
        if row is None:
            raise _not_found(key)
        return _record(row)

    async def find(self, state: ReviewState | None, after: int, limit: int) -> list[ReviewRecord]:
        """Reviews with larger keys, oldest first."""
        query = _listing().where(reviews.c.id > after).order_by(reviews.c.id).limit(limit)
        if state is ReviewState.OPEN:
            query = query.where(reviews.c.released == 0, *_STILL_OPEN)
        elif state is ReviewState.RESOLVED:
            query = query.where(reviews.c.resolution != "")
        elif state is ReviewState.CANCELLED:
            query = query.where(reviews.c.resolution == "", messages.c.status != Status.DEFERRED.value)
        return await self._readers.read(lambda c: [_record(row) for row in c.execute(query)], Reading.BROWSING)

    async def resolve(self, key: int, resolution: Resolution, *, at_ms: int, author: Author) -> Released:
        """Settle a review: the message gets the purpose that the resolution names, and is to be queued.

        Raises `ReviewNotFound`, and `Conflict` for one that is not open.
        """
        return await self._commits.run(lambda connection: _resolve(connection, key, resolution, at_ms, author))

    async def expire(self, now_ms: int) -> list[Released]:
        """Settle the open reviews whose time has come, some at once."""

        def operation(connection: Connection) -> list[Released]:
            query = _open_keys().where(reviews.c.due_at_ms <= now_ms).order_by(reviews.c.id).limit(_EXPIRED_AT_ONCE)
            due = list(connection.execute(query).scalars())
            nobody = Author("", "", "")
            return [_resolve(connection, key, Resolution.EXPIRED, now_ms, nobody) for key in due]

        due = select(func.count()).select_from(_open_keys().where(reviews.c.due_at_ms <= now_ms).subquery())
        if not await self._readers.read(lambda c: c.execute(due).scalar_one(), Reading.BROWSING):
            return []
        return await self._commits.run(operation)

    async def unreleased(self) -> list[Released]:
        """Messages whose reviews have ended and that were not queued yet."""
        query = (
            select(reviews.c.id, contents.c.message)
            .join(contents, contents.c.id == reviews.c.id)
            .join(messages, messages.c.id == reviews.c.id)
            .where(reviews.c.released == 0, reviews.c.resolution != "", messages.c.status == Status.DEFERRED.value)
            .order_by(reviews.c.id)
        )
        return await self._readers.read(
            lambda c: [Released(row.id, _message_decoder.decode(row.message)) for row in c.execute(query)]
        )

    async def mark_released(self, keys: Sequence[int]) -> None:
        """These messages are in a queue again."""
        marking = update(reviews).where(reviews.c.id.in_(keys)).values(released=1)

        def operation(connection: Connection) -> None:
            connection.execute(marking)

        await self._commits.run(operation)

    async def waiting_count(self) -> int:
        """How many messages have a way to go and are in no queue, because of a review."""
        query = (
            select(func.count())
            .select_from(reviews)
            .join(messages, messages.c.id == reviews.c.id)
            .where(reviews.c.released == 0, messages.c.status == Status.DEFERRED.value)
        )
        return await self._readers.read(lambda c: c.execute(query).scalar_one())


_STILL_OPEN = (reviews.c.resolution == "", messages.c.status == Status.DEFERRED.value)


def _listing() -> Select[Any]:
    return select(reviews, messages.c.status).join(messages, messages.c.id == reviews.c.id, isouter=True)


def _open_keys() -> Select[Any]:
    joined = select(reviews.c.id).join(messages, messages.c.id == reviews.c.id)
    return joined.where(reviews.c.released == 0, *_STILL_OPEN)


def _row(new: NewReview) -> Row:
    found = new.message.classification
    assert found is not None, "only what was classified is held"
    checks = dict.fromkeys(flag.check for flag in found.flags if flag.treatment is found.treatment)
    return (
        new.key,
        found.label,
        found.probability,  # type: ignore[return-value]  # drivers take floats as they are
        " ".join(checks),
        new.message.sender or "",
        new.message.channel.value,
        new.opened_at_ms,
        new.due_at_ms,
        "",
        None,
        "",
        "",
        None,
        0,
    )


def _record(row: Any) -> ReviewRecord:
    resolved = row.resolution != ""
    state = ReviewState.RESOLVED if resolved else ReviewState.OPEN
    if not resolved and row.status != Status.DEFERRED:
        state = ReviewState.CANCELLED
    return ReviewRecord(
        key=row.id,
        state=state,
        label=row.label,
        probability=row.probability,
        checks=tuple(row.checks.split()),
        sender=row.sender or None,
        channel=Channel(row.channel),
        opened_at_ms=row.opened_at_ms,
        due_at_ms=row.due_at_ms,
        resolution=Resolution(row.resolution) if resolved else None,
        resolved_at_ms=row.resolved_at_ms,
        author=Author(row.author, row.author_name, row.note or "") if resolved else None,
    )


def _resolve(connection: Connection, key: int, resolution: Resolution, at_ms: int, author: Author) -> Released:
    row = connection.execute(_listing().where(reviews.c.id == key)).one_or_none()
    if row is None:
        raise _not_found(key)
    record = _record(row)
    if record.state is not ReviewState.OPEN:
        what = "was cancelled" if record.state is ReviewState.CANCELLED else f"ended already: {record.resolution}"
        raise Conflict(f"The review {ids.key_text(ids.REVIEW, key)} {what}.", state=record.state.value)
    stored = connection.execute(select(contents.c.message).where(contents.c.id == key)).scalar_one()
    message = reviewed(_message_decoder.decode(stored), Review(resolution, at_ms, author.name, author.reason or None))
    connection.execute(
        update(reviews)
        .where(reviews.c.id == key)
        .values(
            resolution=resolution.value,
            resolved_at_ms=at_ms,
            author=author.key_id,
            author_name=author.name,
            note=author.reason or None,
        )
    )
    connection.execute(update(contents).where(contents.c.id == key).values(message=_encoder.encode(message).decode()))
    connection.execute(update(messages).where(messages.c.id == key).values(purpose=message.purpose.value))
    return Released(key, message)


def reviewed(message: CustomerMessage, review: Review) -> CustomerMessage:
    """The message as its review leaves it."""
    assert message.classification is not None, "only what was classified is held"
    declared = message.declared_purpose
    purpose = message.purpose
    if review.resolution in (Resolution.TRANSACTIONAL, Resolution.PROMOTIONAL):
        purpose = Purpose(review.resolution.value)
    return msgspec.structs.replace(
        message,
        purpose=purpose,
        declared=None if declared is purpose else declared,
        classification=msgspec.structs.replace(message.classification, review=review),
    )


def _not_found(key: int) -> ReviewNotFound:
    text = ids.key_text(ids.REVIEW, key)
    return ReviewNotFound(f"There is no review {text}.", id=text)
