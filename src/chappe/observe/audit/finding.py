"""Looking decisions up: by message, recipient, outcome, rule or time, newest first, without SQL or its extra.

A look-up is bounded: it goes through so many files and pages and then says how far it came, so that whoever asks goes
on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from chappe.model.errors import NotFound
from chappe.observe.audit.record import DecisionRecord, decode_open
from chappe.observe.audit.segments import StoredRecord, read_matching
from chappe.observe.audit.storage import AuditStorage
from chappe.records import audit, ids
from chappe.records.audit import Segment
from chappe.records.audit_pages import Page
from chappe.records.person_keys import persons_of

_PAGES_AT_ONCE = 50
LOOKED_AT_MAX = 400_000
"""Records that one look-up goes through at most, give or take a file; those a file's outline rules out don't count."""


class DecisionFilter(msgspec.Struct, frozen=True):
    """Which decisions to find. `message` is a key, `recipient` as `recipient_text` writes it; moments are in ms.

    `before_number` is where the page before ended.
    """

    message: int | None = None
    recipient: str | None = None
    outcome: str | None = None
    rule: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    before_number: int | None = None


class FoundDecision(msgspec.Struct, frozen=True):
    """A decision on record. `personal_part` is encrypted."""

    number: int
    hash: bytes
    record: DecisionRecord
    personal_part: bytes


class Found(msgspec.Struct, frozen=True):
    """One page, newest first. `next_before` is where to go on, None at the end."""

    decisions: list[FoundDecision]
    next_before: int | None


def find(storage: AuditStorage, wanted: DecisionFilter, limit: int) -> Found:
    """The newest decisions that match. Raises `DataDamaged`, `ExtraMissing`."""
    persons: frozenset[int] | None = None
    if wanted.recipient is not None:
        recipient = wanted.recipient
        persons = frozenset(storage.read(lambda connection: persons_of(connection, recipient)))
        if not persons:
            return Found([], None)
    decisions: list[FoundDecision] = []
    looked_at = 0
    for records, counted in _newest_first(storage, wanted):
        looked_at += counted
        for record in reversed(records):
            found = _matching(record, wanted, persons)
            if found is not None:
                decisions.append(found)
                if len(decisions) == limit:
                    return Found(decisions, found.number)
        if looked_at > LOOKED_AT_MAX and records:
            return Found(decisions, records[0].number)
    return Found(decisions, None)


def get(storage: AuditStorage, number: int) -> FoundDecision:
    """One decision. Raises `NotFound`."""
    for piece in storage.stretches(number):
        found = _matching(piece[0], DecisionFilter(), None) if piece[0].number == number else None
        if found is not None:
            return found
        break
    raise NotFound(f"The audit log has no decision {ids.key_text(ids.DECISION, number)}.")


def _newest_first(storage: AuditStorage, wanted: DecisionFilter) -> Iterator[tuple[list[StoredRecord], int]]:
    before = wanted.before_number
    while pages := storage.read(partial(audit.newest_pages, before=before, limit=_PAGES_AT_ONCE)):
        for page in pages:
            before = page.first
            records = [r for r in _records(page) if wanted.before_number is None or r.number < wanted.before_number]
            if records:
                yield records, len(records)
        if before == 0:
            return
    for segment in reversed(storage.read(audit.segments)):
        if wanted.before_number is not None and segment.first >= wanted.before_number:
            continue
        if _may_hold(segment, wanted):
            number = ids.key_text(ids.MESSAGE, wanted.message) if wanted.message is not None else None
            records = read_matching(
                storage.path_of(segment), message=number, outcome=wanted.outcome, before=wanted.before_number
            )
            # A stretch that holds nothing still says how far we are.
            yield records or [StoredRecord(segment.first, b"", 0, None, None)], segment.last - segment.first + 1


def _may_hold(segment: Segment, wanted: DecisionFilter) -> bool:
    return (
        (wanted.message is None or segment.oldest_message <= wanted.message <= segment.newest_message)
        and (wanted.since_ms is None or segment.newest_ms >= wanted.since_ms)
        and (wanted.until_ms is None or segment.oldest_ms < wanted.until_ms)
    )


def _records(page: Page) -> list[StoredRecord]:
    return [
        StoredRecord(page.first + place, digest, page.recorded_at_ms, open_part, personal_part)
        for place, (digest, open_part, personal_part) in enumerate(
            zip(page.hashes, page.open_parts, page.personal_parts, strict=True)
        )
    ]


def _matching(record: StoredRecord, wanted: DecisionFilter, persons: frozenset[int] | None) -> FoundDecision | None:
    if record.open_part is None or record.personal_part is None:
        return None
    if wanted.rule is not None and wanted.rule.encode() not in record.open_part:
        return None
    said = decode_open(record.open_part)
    if not isinstance(said, DecisionRecord):
        return None
    if (
        (persons is None or said.person in persons)
        and (wanted.message is None or said.message == ids.key_text(ids.MESSAGE, wanted.message))
        and (wanted.outcome is None or said.decision.outcome.value == wanted.outcome)
        and (wanted.since_ms is None or said.at_ms >= wanted.since_ms)
        and (wanted.until_ms is None or said.at_ms < wanted.until_ms)
        and (wanted.rule is None or any(rule.id == wanted.rule for rule in said.decision.rules))
    ):
        return FoundDecision(record.number, record.hash, said, record.personal_part)
    return None
