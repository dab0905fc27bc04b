"""The documents about decisions on record and legal holds. Moments are RFC 3339 text in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.api.rest.messages.documents import DecisionView
from chappe.model.customer import Channel, Purpose, Recipient
from chappe.observe.audit.record import Stage


class RecordedDecisionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A binding decision: made at intake, or before an attempt. `hash` is the record's in the chain."""

    id: str
    message: str
    at: datetime
    stage: Stage
    channel: Channel
    purpose: Purpose
    declared_purpose: Purpose
    decision: DecisionView
    hash: str
    jurisdiction: str | None = None
    category: str | None = None


class RecordedDecisionsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page. A page may hold fewer than were asked for, even none, and still have a `next_cursor`."""

    decisions: list[RecordedDecisionView]
    next_cursor: str | None = None


class EvidenceView(msgspec.Struct, frozen=True):
    """What the rules were told: the message and the facts. `content_left_out`: see the decision at intake for it."""

    to: Recipient
    message: msgspec.Raw
    facts: msgspec.Raw
    content_left_out: bool


class ProofView(msgspec.Struct, frozen=True):
    """What proves that the record is in the signed log; `chappe audit check` takes it. Bytes are in base64."""

    number: int
    open_part: msgspec.Raw
    personal_part: bytes
    previous: bytes
    hash: bytes
    path: list[bytes]
    checkpoint: str


class DecisionDetailsView(msgspec.Struct, frozen=True):
    """A decision with its evidence (none if the person was erased) and its proof (none before the next checkpoint)."""

    decision: RecordedDecisionView
    evidence: EvidenceView | None
    proof: ProofView | None


class HoldRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep what was decided under a jurisdiction: a country, a region of one, or `*` for all."""

    jurisdiction: Annotated[str, Meta(pattern=r"^(\*|[A-Z]{2}(-[A-Z0-9]{1,3})?)$")]
    reason: Annotated[str, Meta(min_length=1, max_length=1_000)]


class HoldView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A legal hold; in force until it is released."""

    id: str
    jurisdiction: str
    reason: str
    created_at: datetime
    released_at: datetime | None = None


class HoldsView(msgspec.Struct, frozen=True):
    """All of them, oldest first."""

    holds: list[HoldView]
