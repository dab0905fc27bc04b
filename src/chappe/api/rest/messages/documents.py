"""The documents about messages, in (besides `MessageRequest`) and out. Moments are RFC 3339 text in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.api.rest.problems import Problem
from chappe.model.classification import Classification
from chappe.model.customer import (
    Channel,
    Content,
    Outcome,
    Purpose,
    Recipient,
    RuleOutcome,
    Status,
)
from chappe.pipeline.acceptance.request import MessageRequest, Moment

BATCH_ENTRIES_MAX = 1_000


class RawBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `BatchRequest` whose entries are still to be decoded, each by itself."""

    messages: list[msgspec.Raw]


class BatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 messages. Each is checked by itself: one that is not valid does not hold up the others."""

    messages: Annotated[list[MessageRequest], Meta(min_length=1, max_length=BATCH_ENTRIES_MAX)]


class EvaluationRequest(MessageRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message to be decided and not sent."""

    at: Annotated[Moment | None, Meta(description="The moment to decide for. Without it, now.")] = None


class DecisionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the rules say: each that applied, strictest first. `until` is the first lawful moment of a deferral."""

    outcome: Outcome
    rule_set: int
    rules: tuple[RuleOutcome, ...]
    until: datetime | None = None


class AcceptedView(msgspec.Struct, frozen=True):
    """A message that was taken. The decision is what the rules say now; it is made for good when its turn comes.

    `purpose` is the one that counts, which its content may have changed; `declared_purpose` is what the sender said.
    """

    id: str
    status: Status
    channel: Channel
    purpose: Purpose
    declared_purpose: Purpose
    decision: DecisionView
    created_at: datetime


class BatchResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one entry: the message as it was taken, or the error."""

    id: str | None = None
    status: Status | None = None
    channel: Channel | None = None
    purpose: Purpose | None = None
    declared_purpose: Purpose | None = None
    decision: DecisionView | None = None
    created_at: datetime | None = None
    error: Problem | None = None


class BatchView(msgspec.Struct, frozen=True):
    """One result per entry, in the order of the entries."""

    accepted: int
    refused: int
    results: list[BatchResult]


class EvaluationView(msgspec.Struct, frozen=True):
    """What would be decided. Nothing was stored or sent."""

    channel: Channel
    purpose: Purpose
    declared_purpose: Purpose
    at: datetime
    decision: DecisionView


class SummaryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message, its content left out. `decision` is the newest verdict, absent until there is one."""

    id: str
    status: Status
    channel: Channel
    purpose: Purpose
    to: Recipient
    created_at: datetime
    updated_at: datetime
    attempts: int
    decision: DecisionView | None = None


class MessageView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message and where it stands. `decision` is the newest verdict, absent until there is one. `content` is what was
    accepted; `amended_content` is what the newest verdict makes of it, where the rules add or redact anything.
    `purpose` is the one that counts, `declared_purpose` what the sender said, and `classification` what the content was
    found to be.
    """

    id: str
    status: Status
    channel: Channel
    purpose: Purpose
    declared_purpose: Purpose
    to: Recipient
    content: Content
    created_at: datetime
    updated_at: datetime
    attempts: int
    decision: DecisionView | None = None
    amended_content: Content | None = None
    sender: str | None = msgspec.field(default=None, name="from")
    send_at: datetime | None = None
    expires_at: datetime | None = None
    metadata: dict[str, str] | None = None
    category: str | None = None
    template: str | None = None
    event: str | None = None
    language: str | None = None
    classification: Classification | None = None


class MessagesView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    messages: list[SummaryView]
    next_cursor: str | None = None


class EventView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step. `status` is the one the message has from this moment on; the rest is told where it applies."""

    at: datetime
    status: Status
    decision: DecisionView | None = None
    attempt: int | None = None
    provider: str | None = None
    code: str | None = None
    reply: str | None = None
    provider_message_id: str | None = None
    next_at: datetime | None = None
    note: str | None = None


class TimelineView(msgspec.Struct, frozen=True):
    """Everything that happened to a message, oldest first."""

    id: str
    status: Status
    purpose: Purpose
    declared_purpose: Purpose
    events: list[EventView]
