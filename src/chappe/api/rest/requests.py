"""The documents that come in, besides `MessageRequest`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.api.rest.consent_details import ConsentDetailsDocument
from chappe.compliance.facts import ConsentLevel
from chappe.model.customer import Channel, Purpose, Recipient
from chappe.pipeline.request import MessageRequest, Moment

BATCH_ENTRIES_MAX = 1_000
_Short = Annotated[str, Meta(min_length=1, max_length=500)]


class RawBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `BatchRequest` whose entries are still to be decoded, each by itself."""

    messages: list[msgspec.Raw]


class BatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 messages. Each is checked by itself: one that is not valid does not hold up the others."""

    messages: Annotated[list[MessageRequest], Meta(min_length=1, max_length=BATCH_ENTRIES_MAX)]


class EvaluationRequest(MessageRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message to be decided and not sent."""

    at: Annotated[Moment | None, Meta(description="The moment to decide for. Without it, now.")] = None


class SuppressionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Never send to this address."""

    to: Recipient
    channel: Annotated[Channel | None, Meta(description="Only on this channel; without it on none.")] = None
    purpose: Annotated[Purpose | None, Meta(description="Only for this purpose; without it for none.")] = None
    reason: Annotated[_Short, Meta(description="Why, for people.")] = "added through the API"


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
