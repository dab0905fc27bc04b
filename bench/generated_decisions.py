"""Decisions made up for the audit log: records to append, and files of many millions, written as Parquet straight away.

The files have hashes of zeros and short personal parts, which no query reads; they cannot be verified.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, insert

from chappe.model.customer import Decision, Outcome, RuleOutcome
from chappe.observe.audit.record import DecisionRecord, Stage, encode
from chappe.observe.audit.sealing import SEGMENT_RECORDS, file_name
from chappe.observe.audit.segments import columns_of, day_of, open_writer, schema
from chappe.observe.audit.storage import AUDIT_FOLDER, SEGMENTS_FOLDER
from chappe.records import ids
from chappe.records.audit_pages import Entry, digest_of
from chappe.records.audit_tables import audit_segments
from chappe.records.store import Records

BEGIN_MS = 1_767_225_600_000
"""2026-01-01."""
SPAN_MS = 30 * 86_400_000
BLOCKED_EVERY = 200
PERSONAL_BYTES = 450
_JURISDICTIONS = ("US-CA", "US-TX", "US-NY", "US-FL", "DE", "FR", "GB", "ES", "IT", "PL", "BR", "IN", None)
_CHANNELS = ("email", "sms", "push", "webhook", "in_app")


def message_id(number: int) -> str:
    """The message of the decision with this number."""
    return f"msg_{number:016}"


def record_of(number: int, at_ms: int) -> DecisionRecord:
    """The open part of the decision with this number."""
    blocked = number % BLOCKED_EVERY == 0
    outcome = Outcome.BLOCK if blocked else Outcome.ALLOW
    rules = (
        RuleOutcome("default-promotional-consent", outcome, "there is no consent" if blocked else "express consent"),
        RuleOutcome(
            "default-quiet-hours", Outcome.ALLOW, f"it is {number % 12 + 8:02}:00; the allowed hours are 8 to 21"
        ),
        RuleOutcome("default-suppression", Outcome.ALLOW, "the address is not suppressed"),
    )
    return DecisionRecord(
        message=message_id(number),
        at_ms=at_ms,
        stage=Stage.ATTEMPT if number % 2 else Stage.INTAKE,
        channel=_CHANNELS[number % len(_CHANNELS)],
        purpose="promotional",
        decision=Decision(outcome, 1, rules),
        person=number,
        jurisdiction=_JURISDICTIONS[number % len(_JURISDICTIONS)],
    )


def decided(number: int) -> Entry:
    """A record to append. Its personal part is as long as a real one."""
    open_part = encode(record_of(number, BEGIN_MS + number))
    personal_part = number.to_bytes(8, "big") * (PERSONAL_BYTES // 8)
    return Entry(number + 1, BEGIN_MS + number, open_part, personal_part, digest_of(open_part, personal_part))


def generate(folder: Path, count: int) -> None:
    """Give a data folder a log of so many decisions, over 30 days, in files as large as sealing makes them."""
    asyncio.run(_make(folder))
    pattern = _pattern()
    rows = [
        _write(folder, pattern, first, min(SEGMENT_RECORDS, count - first), count)
        for first in range(0, count, SEGMENT_RECORDS)
    ]

    def enter(connection: Connection) -> None:
        connection.execute(insert(audit_segments), rows)

    asyncio.run(_make(folder, enter))


async def _make(folder: Path, operation: object = None) -> None:
    records = await Records.open(folder, now_ms=lambda: BEGIN_MS)
    if operation is not None:
        await records._commits.run(operation)  # type: ignore[arg-type]
    await records.close()


def _pattern() -> pa.Table:
    """One file's worth of what repeats itself from file to file."""
    rows = []
    for number in range(SEGMENT_RECORDS):
        open_part = encode(record_of(number, BEGIN_MS))
        row = columns_of(open_part)
        rows.append(
            row | {"number": 0, "recorded_at": 0, "hash": bytes(32), "open_part": open_part, "personal_part": b"p" * 32}
        )
    return pa.Table.from_pylist(rows, schema=schema())


def _write(folder: Path, pattern: pa.Table, first: int, count: int, total: int) -> dict[str, object]:
    numbers = pa.array(range(first, first + count), pa.int64())
    moments = pc.add(pc.multiply(numbers, SPAN_MS // total), BEGIN_MS).cast(pa.timestamp("ms"))
    messages = pc.binary_join_element_wise("msg_", pc.utf8_lpad(numbers.cast(pa.string()), 16, "0"), "")
    table = pattern.slice(0, count)
    for name, column in (
        ("number", numbers),
        ("decided_at", moments),
        ("recorded_at", moments),
        ("message", messages),
        ("person", numbers),
    ):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), column)
    oldest_ms, newest_ms = (BEGIN_MS + n * (SPAN_MS // total) for n in (first, first + count - 1))
    name = file_name(day_of(oldest_ms), first, first + count - 1, 0)
    path = folder / AUDIT_FOLDER / SEGMENTS_FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream, open_writer(stream) as writer:
        writer.write_table(table)
    return {
        "first": first,
        "last": first + count - 1,
        "day": day_of(oldest_ms),
        "generation": 0,
        "file": name,
        "dropped": 0,
        "oldest_message": ids.parse_key(ids.MESSAGE, message_id(first)),
        "newest_message": ids.parse_key(ids.MESSAGE, message_id(first + count - 1)),
        "oldest_ms": oldest_ms,
        "newest_ms": newest_ms,
    }
