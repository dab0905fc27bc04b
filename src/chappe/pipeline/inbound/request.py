"""A text from a person as it arrives: the body of `POST /v1/inbound`, checked and made canonical."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.model.customer import Channel, Recipient
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.normalise import channel_of, moment_ms, normalise_recipient
from chappe.pipeline.acceptance.request import SENDER_CHARACTERS_MAX, Moment

TEXT_CHARACTERS_MAX = 20_000
CLOCK_SKEW_MS = 300_000
"""How far ahead of ours a provider's clock may be."""
_Id = Annotated[str, Meta(min_length=1, max_length=255)]


class InboundRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A text that a person sent to us."""

    person: Annotated[Recipient, Meta(description="Who sent it.")] = msgspec.field(name="from")
    to: Annotated[
        str,
        Meta(min_length=1, max_length=SENDER_CHARACTERS_MAX, description="Our number, short code or address."),
    ]
    text: Annotated[str, Meta(max_length=TEXT_CHARACTERS_MAX, description="What it says.")]
    provider_message_id: Annotated[_Id, Meta(description="The provider's id of it: the same text is taken once.")]
    channel: Annotated[Channel | None, Meta(description="The medium. Without it the kind of address decides.")] = None
    provider: Annotated[
        Annotated[str, Meta(max_length=64)], Meta(description="Who took it in, if ids of several providers may meet.")
    ] = ""
    received_at: Annotated[
        Moment | None, Meta(description="When the provider received it: deadlines count from then. Without it, now.")
    ] = None
    language: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None,
        Meta(description="The language to expect (BCP 47)."),
    ] = None


class InboundText(msgspec.Struct, frozen=True):
    """A checked text."""

    to: Recipient
    sender: str
    channel: Channel
    provider: str
    provider_message_id: str
    text: str
    received_at_ms: int
    language: str | None


def normalise_inbound(request: InboundRequest, now_ms: int) -> InboundText:
    """The text that a request brings. Raises `InvalidInput` with `pointer`."""
    kind, person = normalise_recipient(request.person, pointer="/from")
    received_at_ms = moment_ms(request.received_at)
    if received_at_ms is not None and received_at_ms > now_ms + CLOCK_SKEW_MS:
        raise InvalidInput("received_at lies in the future", pointer="/received_at")
    if received_at_ms is not None and received_at_ms < 0:
        raise InvalidInput("received_at lies before 1970", pointer="/received_at")
    return InboundText(
        to=person,
        sender=request.to,
        channel=channel_of(request.channel, kind),
        provider=request.provider,
        provider_message_id=request.provider_message_id,
        text=request.text,
        received_at_ms=now_ms if received_at_ms is None else min(received_at_ms, now_ms),
        language=request.language,
    )
