"""What a channel provider is: it takes one message to one recipient and says what became of it."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import msgspec

from chappe.model.customer import Channel, Content, Purpose, Recipient


class Outbound(msgspec.Struct, frozen=True):
    """One attempt to send one message, with everything a provider may need.

    `unsubscribe_url` is set for promotional messages when the server knows its public address; a POST to it
    unsubscribes the recipient (RFC 8058). `attempt` counts from 1 over all providers of the message.
    """

    message_id: str
    to: Recipient
    channel: Channel
    purpose: Purpose
    content: Content
    attempt: int
    created_at_ms: int
    sender: str | None = None
    metadata: dict[str, str] | None = None
    unsubscribe_url: str | None = None


class Reply(msgspec.Struct, frozen=True):
    """What the provider answered when it took the message: a text for the timeline, and its own id if any."""

    text: str
    provider_message_id: str | None = None


class DeliveryFailure(Exception):
    """The provider did not take the message. `reply` is what it said, fit for the timeline (no secrets)."""

    retriable: ClassVar[bool]

    def __init__(self, code: str, reply: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {reply}")
        self.code = code
        self.reply = reply
        self.details = details or {}


class TemporaryFailure(DeliveryFailure):
    """Trying again later may succeed: a timeout, a refused connection, SMTP 4xx, HTTP 408, 425, 429 or 5xx.

    `retry_after_ms` is the provider's own wish, when it stated one. `of_recipient` says that the provider itself works
    and refused this recipient for the time being (greylisting, a full mailbox): messages to others are not concerned.
    """

    retriable = True

    def __init__(self, code: str, reply: str, *, retry_after_ms: int | None = None, of_recipient: bool = False) -> None:
        super().__init__(code, reply)
        self.retry_after_ms = retry_after_ms
        self.of_recipient = of_recipient


class PermanentFailure(DeliveryFailure):
    """Trying again cannot succeed: SMTP 5xx for this recipient, HTTP 4xx, an address that is not allowed."""

    retriable = False


class Provider(Protocol):
    """An account or gateway behind a channel. Safe for concurrent use from one event loop."""

    name: str
    """As configured; appears in timelines and metrics."""
    channels: frozenset[Channel]
    """The channels it can serve."""

    async def send(self, outbound: Outbound) -> Reply:
        """Hand the message over. Returns only when the provider has taken responsibility for it.

        Raises `TemporaryFailure` or `PermanentFailure`; anything else is a defect, treated as temporary.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...
