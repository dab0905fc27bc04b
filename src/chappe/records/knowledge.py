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

from chappe.model.customer import Channel, Purpose, Status
from chappe.model.registry import RegistryAnswer
from chappe.model.sends import Rate, RecentSend
from chappe.records.counted import send_of
from chappe.records.inbound_tables import opt_outs
from chappe.records.opt_outs import OptOutRecord, opt_out_of
from chappe.records.people import ConsentRecord, SuppressionRecord, consent_of, suppression_of
from chappe.records.profiles import KnownPerson
from chappe.records.recipients import recipient_hash
from chappe.records.statements import Binds, ManyRows, Row, bound_values, one_column
from chappe.records.tables import consents, messages, suppressions

RECENT_SENDS_LIMIT = 500
"""The newest counted messages of one recipient on one channel that are looked at."""


class Subject(msgspec.Struct, frozen=True):
    """One message to look things up for.

    `key` is None for a message that is not stored yet. `counted_since_ms` asks for counted messages to the same
    recipient from then on, on the `counted_on` channels (none named: the same channel); None asks for none.
    `registries` are asked what they say of the recipient at the moment `at_ms`.
    """

    key: int | None
    recipient: str
    channel: Channel
    counted_since_ms: int | None = None
    registries: tuple[str, ...] = ()
    at_ms: int = 0
    counted_on: tuple[Channel, ...] = ()


class Known(msgspec.Struct, frozen=True):
    """What was found. `status` is None if the message is not stored (or has no key).

    `recent_sends` are oldest first and leave out the message itself. `rates` are the measurements of all senders.
    """

    status: Status | None
    attempts: int
    consents: tuple[ConsentRecord, ...] = ()
    suppressions: tuple[SuppressionRecord, ...] = ()
    recent_sends: tuple[RecentSend, ...] = ()
    registries: tuple[RegistryAnswer, ...] = ()
    opt_outs: tuple[OptOutRecord, ...] = ()
    person: KnownPerson | None = None
    rates: tuple[Rate, ...] = ()


AskRegistries = Callable[[Sequence[str], str, int], tuple[RegistryAnswer, ...]]
"""What registries say of a recipient at a moment: `Registries.answers`."""
ErasedAddresses = Callable[[Connection, Sequence[Row]], dict[str, SuppressionRecord]]
"""The suppressions of those who were erased: `ErasedAddresses.suppressions`."""
TellingRates = Callable[[], tuple[Rate, ...]]
"""How messages fare: `RateRecords.telling`."""
KnownPeople = Callable[[Connection, Sequence[Row]], dict[str, KnownPerson]]
"""What is stored of the owners of addresses: `ProfileRecords.known`."""


def look_up(
    ask: AskRegistries,
    known_people: KnownPeople,
    erased_addresses: ErasedAddresses,
    telling_rates: TellingRates,
    connection: Connection,
    subjects: Sequence[Subject],
) -> list[Known]:
    """One finding per subject, in order."""
    progress = _progress(connection, [subject.key for subject in subjects if subject.key is not None])
    recipients = one_column(dict.fromkeys(subject.recipient for subject in subjects))
    agreed = _by_recipient(_CONSENTS.read(connection, recipients), consent_of)
    suppressed = _by_recipient(_SUPPRESSIONS.read(connection, recipients), suppression_of)
    for recipient, erased in erased_addresses(connection, recipients).items():
        suppressed[recipient] = (*suppressed.get(recipient, ()), erased)
    asked = _by_recipient(_OPT_OUTS.read(connection, recipients), opt_out_of)
    people = known_people(connection, recipients)
    counted = _counted(connection, subjects)
    rates = telling_rates()
    found = []
    for subject in subjects:
        status, attempts = progress.get(subject.key, _MISSING)
        found.append(
            Known(
                status,
                attempts,
                agreed.get(subject.recipient, ()),
                suppressed.get(subject.recipient, ()),
                _others(counted, subject) if counted else (),
                ask(subject.registries, subject.recipient, subject.at_ms) if subject.registries else (),
                asked.get(subject.recipient, ()),
                people.get(subject.recipient),
                rates,
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
_OPT_OUTS = ManyRows(
    ["recipient"],
    lambda rows: select(opt_outs).where(
        opt_outs.c.recipient.in_([row["recipient"] for row in rows]), opt_outs.c.lifted_at_ms.is_(None)
    ),
)


_WANTED: dict[str, TypeEngine[Any]] = {"recipient_hash": BigInteger(), "channel": Text(), "since_ms": BigInteger()}


def _newest_counted(rows: list[Binds]) -> Any:
    wanted = bound_values("wanted", rows, _WANTED).cte("wanted")
    newest = (
        select(messages.c.counted_at_ms, messages.c.id, messages.c.purpose, messages.c.counted_as)
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
    said = func.coalesce(newest.c.counted_as, literal_column("''"))
    moments = select(
        _joined(_text(newest.c.counted_at_ms, newest.c.id, newest.c.purpose, said), "','")
    ).scalar_subquery()
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


def _lines(subject: Subject) -> list[_Line]:
    if subject.counted_since_ms is None:
        return []
    hashed = recipient_hash(subject.recipient)
    return [(hashed, channel.value) for channel in subject.counted_on or (subject.channel,)]


_Counted = dict[_Line, list[tuple[int, RecentSend]]]
"""Keys of counted messages, and what they were, by line."""


def _counted(connection: Connection, subjects: Sequence[Subject]) -> _Counted:
    wanted: dict[_Line, int] = {}
    for subject in subjects:
        since_ms = subject.counted_since_ms
        for line in _lines(subject):
            assert since_ms is not None
            wanted[line] = min(since_ms, wanted.get(line, since_ms))
    counted: _Counted = {}
    if wanted:
        rows = [(*line, since_ms) for line, since_ms in wanted.items()]
        for (text,) in _COUNTED.read(connection, rows):
            for entry in text.split(";") if text else ():
                hashed, channel, sends = entry.split(" ", 2)
                counted[int(hashed), channel] = [_send(Channel(channel), send) for send in sends.split(",")]
    return counted


def _send(channel: Channel, text: str) -> tuple[int, RecentSend]:
    at_ms, key, purpose, said = text.split(" ")
    return int(key), send_of(int(at_ms), channel, Purpose(purpose), said)


def _others(counted: _Counted, subject: Subject) -> tuple[RecentSend, ...]:
    found = [send for line in _lines(subject) for key, send in counted.get(line, ()) if key != subject.key]
    return tuple(sorted(found, key=_when))


def _when(send: RecentSend) -> int:
    return send.at_ms
