"""What happened to a message, in order: one JSON object per line in the message's own row.

A line is appended by the same statement that changes the status, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chappe.model.customer import Decision, Status
from chappe.model.decision_forms import forms_of


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a message. `status` is the one it has from this moment on.

    `decision` is the verdict that led here, with its evidence. `attempt` (from 1), `provider`, `code`, `reply` and
    `provider_message_id` describe a try at a provider; `next_at_ms` is when the message is taken up again, and `note`
    says in words what the rest doesn't.
    """

    at_ms: int
    status: Status
    decision: Decision | None = None
    attempt: int | None = None
    provider: str | None = None
    code: str | None = None
    reply: str | None = None
    provider_message_id: str | None = None
    next_at_ms: int | None = None
    note: str | None = None


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stored form of an event with a decision: the fields of `Event`, in their order."""

    at_ms: int
    status: Status
    decision: msgspec.Raw
    attempt: int | None = None
    provider: str | None = None
    code: str | None = None
    reply: str | None = None
    provider_message_id: str | None = None
    next_at_ms: int | None = None
    note: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def to_line(event: Event) -> str:
    """The stored form of an event, with its newline."""
    if event.decision is None:
        return _encoder.encode(event).decode() + "\n"
    line = _Line(
        event.at_ms,
        event.status,
        forms_of(event.decision).json,
        event.attempt,
        event.provider,
        event.code,
        event.reply,
        event.provider_message_id,
        event.next_at_ms,
        event.note,
    )
    return _encoder.encode(line).decode() + "\n"


def from_lines(lines: str) -> list[Event]:
    """The events of a stored timeline."""
    return _decoder.decode_lines(lines)


def last_decision(events: Iterable[Event]) -> Decision | None:
    """The verdict in force after these events, if there was one."""
    return next((event.decision for event in reversed(list(events)) if event.decision is not None), None)
