"""What a caller asks for: the body of `POST /v1/messages`, before it is checked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.model.customer import Channel, Content, Purpose, Recipient

METADATA_ENTRIES_MAX = 50
METADATA_KEY_CHARACTERS_MAX = 64
METADATA_VALUE_CHARACTERS_MAX = 512
SENDER_CHARACTERS_MAX = 320
IDEMPOTENCY_KEY_CHARACTERS_MAX = 255

Moment = Annotated[
    datetime, Meta(tz=True, description="A moment as in RFC 3339, with its offset: 2026-03-01T08:00:00Z.")
]
MetadataKey = Annotated[str, Meta(min_length=1, max_length=METADATA_KEY_CHARACTERS_MAX)]
MetadataValue = Annotated[str, Meta(max_length=METADATA_VALUE_CHARACTERS_MAX)]


class MessageRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message to one person."""

    to: Recipient
    content: Content
    purpose: Annotated[
        Purpose,
        Meta(description="Why it is sent. Promotional needs consent; transactional is what the person asked for."),
    ]
    channel: Annotated[Channel | None, Meta(description="The medium. Without it the kind of address decides.")] = None
    sender: Annotated[
        Annotated[str, Meta(min_length=1, max_length=SENDER_CHARACTERS_MAX)] | None,
        Meta(description="Who it is from, such as `Acme <no-reply@acme.example>`. Without it the provider's own."),
    ] = msgspec.field(default=None, name="from")
    send_at: Annotated[Moment | None, Meta(description="Not before this moment.")] = None
    expires_at: Annotated[Moment | None, Meta(description="Not at this moment or later.")] = None
    metadata: Annotated[
        Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=METADATA_ENTRIES_MAX)] | None,
        Meta(description="The caller's own labels, kept and passed on."),
    ] = None
    category: Annotated[
        Annotated[str, Meta(pattern="^[a-z0-9]+(_[a-z0-9]+)*$", max_length=60)] | None,
        Meta(description="The trade or special kind that some rules are about: debt_collection, healthcare, gambling."),
    ] = None
    template: Annotated[
        Annotated[str, Meta(min_length=1, max_length=128)] | None,
        Meta(description="The id under which the text is registered, where carriers ask for one."),
    ] = None
    event: Annotated[
        Annotated[str, Meta(min_length=1, max_length=128)] | None,
        Meta(description="What it is about (an order, an incident), for limits of so many messages per event."),
    ] = None
    language: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None,
        Meta(description="The language of the text (BCP 47), such as `en` or `pt-BR`."),
    ] = None
    idempotency_key: Annotated[
        Annotated[str, Meta(min_length=1, max_length=IDEMPOTENCY_KEY_CHARACTERS_MAX, pattern="^[!-~]+$")] | None,
        Meta(
            description="Same as the header Idempotency-Key, for one entry of a batch: within 24 hours the same "
            "message with the same key is not taken again."
        ),
    ] = None


class AnswerRequest(MessageRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message that the server itself asks for, so that it may have a category of `model.categories`."""
