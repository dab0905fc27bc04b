"""The documents about texts from people and their requests to stop."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chappe.api.rest.problems import Problem
from chappe.compliance.opt_out.reply import Evidence, Intent, Scope
from chappe.model.customer import Channel, Purpose, Recipient
from chappe.pipeline.inbound.request import InboundRequest
from chappe.records.inbound import AnswerState

INBOUND_ENTRIES_MAX = 500


class RawInboundBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An `InboundBatchRequest` whose entries are still to be decoded, each by itself."""

    messages: list[msgspec.Raw]


class InboundBatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 500 texts. Each is checked by itself: one that is not valid does not hold up the others."""

    messages: Annotated[list[InboundRequest], Meta(min_length=1, max_length=INBOUND_ENTRIES_MAX)]


class ResolveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of an uncertain text."""

    intent: Annotated[
        Literal["opt_out", "none"],
        Meta(description="`opt_out` carries it out; `none` lifts what was suppressed meanwhile."),
    ]
    scope: Annotated[Scope, Meta(description="What the opt-out is about.")] = Scope.CHANNEL
    note: Annotated[Annotated[str, Meta(max_length=2_000)] | None, Meta(description="Why, for the record.")] = None


class AnswerView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The message owed in return: `late` and `refused` ones are not sent any more. `message` is what was sent."""

    category: str
    state: AnswerState
    text: str | None = None
    message: str | None = None


class ResolutionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was decided about an uncertain text, by whom."""

    intent: Intent
    scope: Scope
    at: datetime
    by: str
    note: str | None = None


class InboundView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A text from a person and how it was read. `review` is `open` while a person has to look at it."""

    id: str
    to: str
    channel: Channel
    text: str
    received_at: datetime
    provider_message_id: str
    intent: Intent
    scope: Scope
    confidence: float
    person: Recipient = msgspec.field(name="from")
    provider: str | None = None
    keyword: str | None = None
    language: str | None = None
    evidence: list[Evidence] = []
    opt_out: str | None = None
    review: Literal["open", "resolved"] | None = None
    resolution: ResolutionView | None = None
    answer: AnswerView | None = None
    duplicate: bool = False


class InboundResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one entry: the text as it was taken, or the error."""

    message: InboundView | None = None
    error: Problem | None = None


class InboundBatchView(msgspec.Struct, frozen=True):
    """One result per entry, in the order of the entries."""

    taken: int
    refused: int
    results: list[InboundResult]


class InboundsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    messages: list[InboundView]
    next_cursor: str | None = None


class DeadlineView(msgspec.Struct, frozen=True):
    """By when a rule wants the request met."""

    rule: str
    due_at: datetime


class OptOutView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request to stop. Without channel or purpose: on every channel, for every purpose.

    `due_at` is the earliest deadline, `honoured_at` when it took effect. `overdue` ones were met late, or are not met
    although the deadline has passed. `lifted_at` is when the person took it back.
    """

    id: str
    person: Recipient
    scope: Scope
    means: str
    received_at: datetime
    overdue: bool
    channel: Channel | None = None
    purpose: Purpose | None = None
    keyword: str | None = None
    jurisdiction: str | None = None
    inbound: str | None = None
    message: str | None = None
    due_at: datetime | None = None
    deadlines: list[DeadlineView] = []
    honoured_at: datetime | None = None
    lifted_at: datetime | None = None
    suppressions: list[str] = []
    confirmation: str | None = None
    confirmed_at: datetime | None = None


class OptOutsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    opt_outs: list[OptOutView]
    next_cursor: str | None = None
