"""What is known when a message is decided: how far it has come, and everything about its recipient.

All subjects of a read are answered by one statement per table. Messages that are where they should be and people of
whom nothing is stored, which is nearly all, cost no row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, Text, cast, func, literal_column, select
from sqlalchemy.types import TypeEngine

from chappe.model.customer import Channel, Status
from chappe.model.registry import RegistryAnswer
from chappe.records.people import ConsentRecord, SuppressionRecord, consent_of, suppression_of
from chappe.records.recipients import recipient_hash
from chappe.records.statements import Binds, ManyRows, bound_values, one_column
from chappe.records.tables import consents, messages, suppressions

RECENT_SENDS_LIMIT = 500
"""The newest counted messages of one recipient on one channel that are looked at."""


class Subject(msgspec.Struct, frozen=True):
    """One message to look things up for.

    `key` is None for a message that is not stored yet. `counted_since_ms` asks for counted messages to the same
    recipient on the same channel from then on; None asks for none. `registries` are asked what they say of the
    recipient at the moment `at_ms`.
    """

    key: int | None
    recipient: str
    channel: Channel
    counted_since_ms: int | None = None
    registries: tuple[str, ...] = ()
    at_ms: int = 0


class Known(msgspec.Struct, frozen=True):
    """What was found. `status` is None if the message is not stored (or has no key).

    `recent_sends_at_ms` are oldest first and leave out the message itself.
    """

    status: Status | None
    attempts: int
    consents: tuple[ConsentRecord, ...] = ()
    suppressions: tuple[SuppressionRecord, ...] = ()
    recent_sends_at_ms: tuple[int, ...] = ()
    registries: tuple[RegistryAnswer, ...] = ()


AskRegistries = Callable[[Sequence[str], str, int], tuple[RegistryAnswer, ...]]
"""What registries say of a recipient at a moment: `Registries.answers`."""


def look_up(ask: AskRegistries, connection: Connection, subjects: Sequence[Subject]) -> list[Known]:
    """One finding per subject, in order."""
    progress = _progress(connection, [subject.key for subject in subjects if subject.key is not None])
    recipients = one_column(dict.fromkeys(subject.recipient for subject in subjects))
    agreed = _by_recipient(_CONSENTS.read(connection, recipients), consent_of)
    suppressed = _by_recipient(_SUPPRESSIONS.read(connection, recipients), suppression_of)
    counted = _counted(connection, subjects)
    found = []
    for subject in subjects:
        status, attempts = progress.get(subject.key, _MISSING)
        found.append(
            Known(
                status,
                attempts,
                agreed.get(subject.recipient, ()),
                suppressed.get(subject.recipient, ()),
                _others(counted.get(_line(subject), ()), subject) if counted else (),
                ask(subject.registries, subject.recipient, subject.at_ms) if subject.registries else (),
            )
        )
    return found


_MISSING: tuple[Status | None, int] = (None, 0)


def _text(*values: ColumnElement[Any]) -> ColumnElement[str]:
    """The values as one text, with spaces between them; null if one of them is."""
    texts: list[ColumnElement[str]] = [cast(value, Text) for value in values]
    return reduce(lambda left, right: left.concat(literal_column("' '")).concat(right), texts)


def _joined(text: ColumnElement[str], separator: str) -> ColumnElement[str]:
    """One text of all rows: see the package's docstring on what a row costs."""
    return func.aggregate_strings(text, literal_column(separator))  # type: ignore[arg-type]


_PROGRESS = ManyRows(
    ["key"],
    lambda rows: select(_joined(_text(messages.c.id, messages.c.status, messages.c.attempts), "','")).where(
        messages.c.id.in_([row["key"] for row in rows])
    ),
)
_CONSENTS = ManyRows(
    ["recipient"],
    lambda rows: select(consents).where(consents.c.recipient.in_([row["recipient"] for row in rows])),
)
_SUPPRESSIONS = ManyRows(
    ["recipient"],
    lambda rows: select(suppressions).where(suppressions.c.recipient.in_([row["recipient"] for row in rows])),
)


_WANTED: dict[str, TypeEngine[Any]] = {"recipient_hash": BigInteger(), "channel": Text(), "since_ms": BigInteger()}


def _newest_counted(rows: list[Binds]) -> Any:
    wanted = bound_values("wanted", rows, _WANTED).cte("wanted")
    newest = (
        select(messages.c.counted_at_ms, messages.c.id)
        .where(
            messages.c.recipient_hash == wanted.c.recipient_hash,
            messages.c.channel == wanted.c.channel,
            messages.c.counted_at_ms.is_not(None),
            messages.c.counted_at_ms >= wanted.c.since_ms,
        )
        .order_by(messages.c.counted_at_ms.desc())
        .limit(literal_column(str(RECENT_SENDS_LIMIT)))
        .offset(literal_column("0"))
        .correlate(wanted)
        .subquery("newest")
    )
    moments = select(_joined(_text(newest.c.counted_at_ms, newest.c.id), "','")).scalar_subquery()
    lines = select(_text(wanted.c.recipient_hash, wanted.c.channel, moments).label("line")).subquery("lines")
    return select(_joined(lines.c.line, "';'"))


_COUNTED = ManyRows(list(_WANTED), _newest_counted)

_Line = tuple[int, str]
"""A recipient's hash and a channel: what frequency caps count by."""


def _progress(connection: Connection, keys: Sequence[int]) -> dict[int | None, tuple[Status, int]]:
    if not keys:
        return {}
    progress: dict[int | None, tuple[Status, int]] = {}
    for (text,) in _PROGRESS.read(connection, one_column(keys)):
        for entry in text.split(",") if text else ():
            key, status, attempts = entry.split(" ")
            progress[int(key)] = (_STATUSES[status], int(attempts))
    return progress


_STATUSES = {status.value: status for status in Status}


def _by_recipient(rows: Sequence[Any], record_of: Any) -> dict[str, tuple[Any, ...]]:
    grouped: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        recipient = row[1]
        grouped[recipient] = (*grouped.get(recipient, ()), record_of(row))
    return grouped


def _line(subject: Subject) -> _Line:
    return recipient_hash(subject.recipient), subject.channel.value


def _counted(connection: Connection, subjects: Sequence[Subject]) -> dict[_Line, list[tuple[int, int]]]:
    """Moments and keys of counted messages by line."""
    wanted = {_line(s): s.counted_since_ms for s in subjects if s.counted_since_ms is not None}
    counted: dict[_Line, list[tuple[int, int]]] = {}
    if wanted:
        rows = [(*line, since_ms) for line, since_ms in wanted.items()]
        for (text,) in _COUNTED.read(connection, rows):
            for entry in text.split(";") if text else ():
                hashed, channel, moments = entry.split(" ", 2)
                pairs = (pair.split(" ") for pair in moments.split(","))
                counted[int(hashed), channel] = [(int(at_ms), int(key)) for at_ms, key in pairs]
    return counted


def _others(counted: Sequence[tuple[int, int]], subject: Subject) -> tuple[int, ...]:
    if subject.counted_since_ms is None:
        return ()
    return tuple(sorted(at_ms for at_ms, key in counted if key != subject.key))
