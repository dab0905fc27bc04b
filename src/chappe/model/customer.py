"""A message to a person: what was asked, what was decided, and how far it has come."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Purpose(StrEnum):
    """Why a message is sent. Declared by the sender; law and priority follow from it."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"


class Channel(StrEnum):
    """The medium a message travels by."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    WEBHOOK = "webhook"
    VOICE = "voice"
    IN_APP = "in_app"
    SANDBOX = "sandbox"


class Status(StrEnum):
    """Where a customer message stands.

    The path is accepted -> queued -> sending -> sent -> delivered. The others end it, except `deferred`, which
    waits for the first lawful moment and is then decided again.
    """

    ACCEPTED = "accepted"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BLOCKED = "blocked"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing further is attempted (a delivery report may still turn `sent` into another)."""
        return self in _FINAL


_FINAL = frozenset(
    {
        Status.SENT,
        Status.DELIVERED,
        Status.BLOCKED,
        Status.UNDELIVERED,
        Status.FAILED,
        Status.EXPIRED,
        Status.CANCELLED,
    }
)


class Outcome(StrEnum):
    """What the rules say to do with a message."""

    ALLOW = "allow"
    DEFER = "defer"
    BLOCK = "block"


class Recipient(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who a message goes to: exactly one address, already normalised (E.164 phone, lower-case mail domain)."""

    email: str | None = None
    phone: str | None = None
    url: str | None = None
    user: str | None = None

    @property
    def address(self) -> str:
        """The one address that is set."""
        return self.email or self.phone or self.url or self.user or ""


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a message says. `data` is a JSON object for channels that carry data (webhook, push)."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None
    data: dict[str, Any] | None = None


class CustomerMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to one recipient on one channel, as accepted. It never changes afterwards."""

    id: str
    to: Recipient
    channel: Channel
    purpose: Purpose
    content: Content
    created_at_ms: int
    sender: str | None = None
    send_at_ms: int | None = None
    expires_at_ms: int | None = None
    metadata: dict[str, str] | None = None


class RuleOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one rule said of one message, with the evidence in words."""

    id: str
    outcome: Outcome
    reason: str


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """The verdict of a rule set on one message at one moment.

    `rules` lists every rule that applied, allowing ones included, strictest first. `until_ms` is set when, and only
    when, the outcome is `defer`: the first moment at which the deferring rules would allow it.
    """

    outcome: Outcome
    rule_set: int
    rules: tuple[RuleOutcome, ...] = ()
    until_ms: int | None = None
