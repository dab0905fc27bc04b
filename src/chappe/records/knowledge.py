"""What is known when a message is decided: how far it has come, and everything about its recipient.

All subjects of a read are answered by one statement per table. Messages that are where they should be and people of
whom nothing is stored, which is nearly all, cost no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Text, cast, func, literal_column, select, union

from chappe.model.customer import Channel, Status
from chappe.records.people import ConsentRecord, SuppressionRecord, consent_of, suppression_of
from chappe.records.recipients import recipient_hash
from chappe.records.statements import Binds, ManyRows, one_column
from chappe.records.tables import consents, messages, suppressions

RECENT_SENDS_LIMIT = 500
"""The newest counted messages of one recipient on one channel that are looked at."""


class Subject(msgspec.Struct, frozen=True):
    """One message to look things up for.

    `key` is None for a message that is not stored yet. `counted_since_ms` asks for counted messages to the same
    recipient on the same channel from then on; None asks for none.
    """

    key: int | None
    recipient: str
    channel: Channel
    counted_since_ms: int | None = None


class Known(msgspec.Struct, frozen=True):
    """What was found. `status` is None if the message is not stored (or has no key).

    `recent_sends_at_ms` are oldest first and leave out the message itself.
    """

    status: Status | None
    attempts: int
    consents: tuple[ConsentRecord, ...] = ()
    suppressions: tuple[SuppressionRecord, ...] = ()
    recent_sends_at_ms: tuple[int, ...] = ()


def look_up(connection: Connection, subjects: Sequence[Subject]) -> list[Known]:
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
            )
        )
    return found


_MISSING: tuple[Status | None, int] = (None, 0)

# One text instead of one row per message: see the package's docstring on what a row costs.
_PROGRESS = ManyRows(
    ["key"],
    lambda rows: select(
        func.aggregate_strings(
            cast(messages.c.id, Text)
            .concat(literal_column("' '"))
            .concat(messages.c.status)
            .concat(literal_column("' '"))
            .concat(cast(messages.c.attempts, Text)),
            literal_column("','"),  # type: ignore[arg-type]
        )
    ).where(messages.c.id.in_([row["key"] for row in rows])),
)
_CONSENTS = ManyRows(
    ["recipient"],
    lambda rows: select(consents).where(consents.c.recipient.in_([row["recipient"] for row in rows])),
)
_SUPPRESSIONS = ManyRows(
    ["recipient"],
    lambda rows: select(suppressions).where(suppressions.c.recipient.in_([row["recipient"] for row in rows])),
)


def _newest_counted(row: Binds) -> Any:
    newest = (
        select(messages.c.recipient_hash, messages.c.channel, messages.c.counted_at_ms, messages.c.id)
        .where(
            messages.c.recipient_hash == row["recipient_hash"],
            messages.c.channel == row["channel"],
            messages.c.counted_at_ms.is_not(None),
            messages.c.counted_at_ms >= row["since_ms"],
        )
        .order_by(messages.c.counted_at_ms.desc())
        .limit(literal_column(str(RECENT_SENDS_LIMIT)))
        .offset(literal_column("0"))
    )
    return select(newest.subquery())


# UNION, not UNION ALL: a padded look-up repeats its last line.
_COUNTED = ManyRows(["recipient_hash", "channel", "since_ms"], lambda rows: union(*map(_newest_counted, rows)))

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
        grouped[row.recipient] = (*grouped.get(row.recipient, ()), record_of(row))
    return grouped


def _line(subject: Subject) -> _Line:
    return recipient_hash(subject.recipient), subject.channel.value


def _counted(connection: Connection, subjects: Sequence[Subject]) -> dict[_Line, list[tuple[int, int]]]:
    """Moments and keys of counted messages, newest first, by line."""
    wanted = {_line(s): s.counted_since_ms for s in subjects if s.counted_since_ms is not None}
    counted: dict[_Line, list[tuple[int, int]]] = {}
    if wanted:
        rows = [(*line, since_ms) for line, since_ms in wanted.items()]
        for hashed, channel, at_ms, key in _COUNTED.read(connection, rows):
            counted.setdefault((hashed, channel), []).append((at_ms, key))
    return counted


def _others(counted: Sequence[tuple[int, int]], subject: Subject) -> tuple[int, ...]:
    if subject.counted_since_ms is None:
        return ()
    return tuple(sorted(at_ms for at_ms, key in counted if key != subject.key))
