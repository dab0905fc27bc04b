"""The documents about suppressions and consents, in and out. Moments are RFC 3339 text in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.api.rest.people.consent_details import ConsentDetailsDocument
from chappe.compliance.facts.recipient import ConsentLevel
from chappe.model.customer import (
    Channel,
    Purpose,
    Recipient,
)
from chappe.pipeline.acceptance.request import Moment

_Short = Annotated[str, Meta(min_length=1, max_length=500)]


class SuppressionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Never send to this address."""

    to: Recipient
    channel: Annotated[Channel | None, Meta(description="Only on this channel; without it on none.")] = None
    purpose: Annotated[Purpose | None, Meta(description="Only for this purpose; without it for none.")] = None
    reason: Annotated[_Short, Meta(description="Why, for people.")] = "added through the API"


class SuppressionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Never send here. Without channel or purpose: on no channel, for no purpose."""

    id: str
    to: Recipient
    reason: str
    created_at: datetime
    channel: Channel | None = None
    purpose: Purpose | None = None


class SuppressionsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    suppressions: list[SuppressionView]
    next_cursor: str | None = None


class ConsentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person agreed to, or took back. Entries are only ever added."""

    person: Recipient
    purpose: Purpose
    granted: Annotated[bool, Meta(description="True for an agreement, false for its withdrawal.")]
    channel: Annotated[Channel | None, Meta(description="For this channel; without it for every one.")] = None
    level: Annotated[
        ConsentLevel | None,
        Meta(description="How strong it is. Without it `express`; `written` and `double_opt_in` must be said."),
    ] = None
    proof: Annotated[
        Annotated[str, Meta(max_length=10_000)] | None,
        Meta(description="What was kept of the agreement: the form as shown, a text."),
    ] = None
    source: Annotated[Annotated[str, Meta(max_length=2_000)] | None, Meta(description="Where it was given.")] = None
    recorded_at: Annotated[
        Moment | None, Meta(description="When it was given or taken back, if not now; not in the future.")
    ] = None
    expires_at: Annotated[Moment | None, Meta(description="When it ends by itself.")] = None
    details: Annotated[
        ConsentDetailsDocument | None, Meta(description="How it came about, as far as it was recorded.")
    ] = None


class ConsentView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a person's consent record. Without a channel it is for every one."""

    id: str
    person: Recipient
    purpose: Purpose
    granted: bool
    recorded_at: datetime
    channel: Channel | None = None
    level: Annotated[str | None, Meta(description="How strong an agreement is; withdrawals have none.")] = None
    proof: str | None = None
    source: str | None = None
    expires_at: datetime | None = None
    details: ConsentDetailsDocument | None = None


class ConsentsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    consents: list[ConsentView]
    next_cursor: str | None = None
