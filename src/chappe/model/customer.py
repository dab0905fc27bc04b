"""A message to a person: what was asked, what was decided, and how far it has come."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from chappe.model.classification import Classification


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
    """What a rule says to do with a message, from the mildest to the strictest. A whole decision is allow, defer or
    block.
    """

    ALLOW = "allow"
    ANNOTATE = "annotate"
    """It may go; that the rule is not kept is put on record."""
    REDACT = "redact"
    """It may go once parts of its content are made unreadable: see the outcome's amendments."""
    REQUIRE = "require"
    """It may go once something is added to its content: see the outcome's amendments."""
    DEFER = "defer"
    BLOCK = "block"

    @property
    def strictness(self) -> int:
        """0 for the mildest."""
        return _STRICTNESS[self]


_STRICTNESS = {outcome: rank for rank, outcome in enumerate(Outcome)}


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
    """One message to one recipient on one channel, as accepted. It never changes afterwards.

    `category` is the trade or the special kind of message that some rules are about (debt_collection, healthcare,
    gambling). `template` is the id under which the text is registered where that is asked for. `event` names what the
    message is about, for limits of so many messages per event. `language` is that of the text (BCP 47).

    `purpose` is the one that counts, for rules, lane and limits; `declared` is what the sender said, where its content
    said otherwise. `classification` is what the content was found to be. For a message that was held, both are settled
    by the review.
    """

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
    category: str | None = None
    template: str | None = None
    event: str | None = None
    language: str | None = None
    declared: Purpose | None = None
    classification: Classification | None = None

    @property
    def declared_purpose(self) -> Purpose:
        """What the sender said."""
        return self.declared or self.purpose


class Place(StrEnum):
    """Where in the content an amendment goes."""

    SUBJECT_START = "subject_start"
    TEXT_START = "text_start"
    TEXT_END = "text_end"
    REDACTION = "redaction"


class Amendment(msgspec.Struct, frozen=True):
    """A change that a rule makes to the content before it is sent.

    `text` is what is put there; for a redaction, the name of what is made unreadable (such as `card_number`).
    """

    place: Place
    text: str


class RuleOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one rule said of one message, with the evidence in words.

    `amendments` are set when, and only when, the outcome is `require` or `redact`.
    """

    id: str
    outcome: Outcome
    reason: str
    amendments: tuple[Amendment, ...] = ()


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """The verdict of a rule set on one message at one moment.

    `outcome` is allow, defer or block. `rules` lists every rule that applied, allowing ones included, strictest first.
    `until_ms` is set when, and only when, the outcome is `defer`: the first moment at which the deferring rules would
    allow it.
    """

    outcome: Outcome
    rule_set: int
    rules: tuple[RuleOutcome, ...] = ()
    until_ms: int | None = None

    @property
    def amendments(self) -> tuple[Amendment, ...]:
        """What the rules change in the content, each change once, in the order of the rules."""
        found = [amendment for rule in self.rules if rule.amendments for amendment in rule.amendments]
        return tuple(dict.fromkeys(found)) if found else ()
