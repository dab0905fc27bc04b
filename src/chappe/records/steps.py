"""Steps of messages: from one status to the next, with a line for the timeline, many in one statement."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Integer, Text, case, func, literal_column, or_, update
from sqlalchemy.types import TypeEngine

from chappe.model.customer import Status
from chappe.records.audit_pages import Entry
from chappe.records.commit import Bulk
from chappe.records.statements import Binds, ManyRows, Row, bound_values
from chappe.records.tables import messages
from chappe.records.timeline import Event, to_line

CANCELLABLE = (Status.ACCEPTED, Status.QUEUED, Status.DEFERRED)
OPEN = (*CANCELLABLE, Status.SENDING)
"""The statuses of a message that still has a way to go."""
UNCHANGED = -1
"""A `Transition.counted_at_ms` that leaves what is stored."""


class Transition(msgspec.Struct, frozen=True):
    """A step of one message, told by its event.

    Unless it is `unconditional`, it happens only while the message still has a way to go: what is cancelled stays
    cancelled. `attempts` is added to the attempts made. `counted_at_ms` says from when the message counts against
    frequency caps; None says that it does not. `counted_as` is the `counted.counted_as` of the message; None leaves
    what is stored. `recipient` is the message's `recipient_text`, so that a change of `counted_at_ms` is news of one
    person, not of everybody. `account` is the audit log's record of the decision that led to it.
    """

    key: int
    event: Event
    attempts: int = 0
    counted_at_ms: int | None = UNCHANGED
    counted_as: str | None = None
    unconditional: bool = False
    recipient: str | None = None
    account: Entry | None = None


def step_row(step: Transition) -> Row:
    """A step as a row of the statement."""
    event = step.event
    return (
        step.key,
        event.status.value,
        event.at_ms,
        step.attempts,
        step.counted_at_ms,
        step.counted_as,
        to_line(event),
        1 if step.unconditional else 0,
    )


_STEP: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(),
    "status": Text(),
    "at_ms": BigInteger(),
    "attempts": Integer(),
    "counted_at_ms": BigInteger(),
    "counted_as": Text(),
    "lines": Text(),
    "unconditional": Integer(),
}
_OPEN_SQL: ColumnElement[Any] = literal_column("(" + ", ".join(f"'{status}'" for status in OPEN) + ")")


def _advance_messages(rows: list[Binds]) -> Any:
    step = bound_values("step", rows, _STEP).cte("step")
    counted = case(
        (step.c.counted_at_ms == literal_column(str(UNCHANGED)), messages.c.counted_at_ms),
        else_=step.c.counted_at_ms,
    )
    return (
        update(messages)
        .values(
            status=step.c.status,
            updated_at_ms=step.c.at_ms,
            attempts=messages.c.attempts + step.c.attempts,
            counted_at_ms=counted,
            counted_as=func.coalesce(step.c.counted_as, messages.c.counted_as),
            timeline=messages.c.timeline.concat(step.c.lines),
        )
        .where(messages.c.id == step.c.id)
        .where(or_(step.c.unconditional == literal_column("1"), messages.c.status.op("IN")(_OPEN_SQL)))
    )


def _merge_steps(rows: list[Row]) -> list[Row]:
    """One row per message: the last status, and all events. Steps of one message that share a commit become one."""
    merged: dict[Any, Row] = {}
    for row in rows:
        earlier = merged.get(row[0])
        merged[row[0]] = row if earlier is None else _joined(earlier, row)
    return list(merged.values())


def _joined(earlier: Row, later: Row) -> Row:
    key, _, _, attempts, counted, counted_as, lines, unconditional = earlier
    _, status, at_ms, more_attempts, new_counted, new_counted_as, more_lines, now_unconditional = later
    if not now_unconditional and earlier[1] not in OPEN:
        return earlier
    return (
        key,
        status,
        at_ms,
        attempts + more_attempts,  # type: ignore[operator]
        counted if new_counted == UNCHANGED else new_counted,
        counted_as if new_counted_as is None else new_counted_as,
        lines + more_lines,  # type: ignore[operator]
        max(unconditional, now_unconditional),  # type: ignore[type-var]
    )


ADVANCE = Bulk(2, ManyRows(list(_STEP), _advance_messages), _merge_steps)
