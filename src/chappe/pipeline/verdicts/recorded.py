"""Recorded decisions, read back as what they were made from: to decide again, by other rules, what was decided then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.model.customer import CustomerMessage, Decision
from chappe.model.errors import MessageNotFound
from chappe.observe.audit.record import DecisionRecord, Stage, decode_open
from chappe.observe.audit.recording import Recorder, with_full_reasons
from chappe.observe.audit.storage import AuditStorage
from chappe.pipeline.context import Context
from chappe.records import audit, ids


class RecordedDecision(msgspec.Struct, frozen=True):
    """A decision as it was made: the same rules, asked about `message`, `facts` and `now_ms`, say `decision` again.

    `number` is its place in the audit log.
    """

    number: int
    stage: Stage
    message: CustomerMessage
    facts: Facts
    now_ms: int
    decision: Decision


_message_decoder = msgspec.json.Decoder(CustomerMessage)
_facts_decoder = msgspec.json.Decoder(Facts)


def _nobody_counts(unreadable: int) -> None:
    """What cannot be read is not told."""


async def recorded_decisions(
    context: Context,
    since_ms: int,
    until_ms: int,
    *,
    stage: Stage | None = Stage.INTAKE,
    passed_over: Callable[[int], None] = _nobody_counts,
) -> AsyncIterator[RecordedDecision]:
    """Decisions made from `since_ms` until before `until_ms`, in the order of the log.

    `stage` None asks for those of both stages. Reads in pieces of bounded size, in a thread. Decisions about people who
    were erased since, and those that were dropped at the end of their retention, are passed over; so are checks before
    an attempt whose message is not stored any more. `passed_over` is told how many decisions about people who were
    erased there are, piece by piece. Raises `DataDamaged`, `StorageFailed`, `ExtraMissing`.
    """
    with AuditStorage(context.records.folder) as storage:
        pieces = _pieces(storage, context.audit, since_ms, until_ms, stage)
        while True:
            piece = await asyncio.to_thread(next, pieces, None)
            if piece is None:
                return
            readable, unreadable = piece
            if unreadable:
                passed_over(unreadable)
            for recorded, content_left_out in readable:
                if not content_left_out:
                    yield recorded
                    continue
                whole = await _with_content(context, recorded)
                if whole is not None:
                    yield whole


def _pieces(
    storage: AuditStorage, recorder: Recorder, since_ms: int, until_ms: int, stage: Stage | None
) -> Iterator[tuple[list[tuple[RecordedDecision, bool]], int]]:
    """What can be read of each piece, and how many decisions in it cannot, for their people were erased."""
    number = storage.read(lambda connection: _first_after(audit.segments(connection), since_ms))
    for piece in storage.stretches(number):
        wanted: list[tuple[int, DecisionRecord, bytes]] = []
        for stored in piece:
            if stored.open_part is None or stored.personal_part is None:
                continue
            said = decode_open(stored.open_part)
            if (
                isinstance(said, DecisionRecord)
                and since_ms <= said.at_ms < until_ms
                and (stage is None or said.stage is stage)
            ):
                wanted.append((stored.number, said, stored.personal_part))
        opened = _opened(storage, recorder, wanted)
        yield opened, len(wanted) - len(opened)


def _first_after(segments: list[audit.Segment], since_ms: int) -> int:
    """The number of the first record of the first file that may hold decisions since a moment."""
    passed = 0
    for segment in segments:
        if segment.newest_ms >= since_ms:
            return segment.first
        passed = segment.last + 1
    return passed


def _opened(
    storage: AuditStorage, recorder: Recorder, found: list[tuple[int, DecisionRecord, bytes]]
) -> list[tuple[RecordedDecision, bool]]:
    opened: list[tuple[RecordedDecision, bool]] = []
    parts = recorder.opened(storage.read, [(said.person, part) for _, said, part in found])
    for (number, said, _), part in zip(found, parts, strict=True):
        if part is not None:
            recorded = RecordedDecision(
                number,
                said.stage,
                _message_decoder.decode(part.message),
                _facts_decoder.decode(part.facts),
                said.at_ms,
                with_full_reasons(said.decision, part.reasons),
            )
            opened.append((recorded, part.content_left_out))
    return opened


async def _with_content(context: Context, recorded: RecordedDecision) -> RecordedDecision | None:
    key = ids.parse_key(ids.MESSAGE, recorded.message.id)
    try:
        stored = await context.records.messages.get(key or 0)
    except MessageNotFound:
        return None
    message = msgspec.structs.replace(recorded.message, content=stored.message.content)
    return msgspec.structs.replace(recorded, message=message)
