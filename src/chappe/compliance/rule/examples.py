"""Examples beside the rules: a message, what is known, a moment, and what the rule says of it.

They are read by people first (the generated documentation shows them) and run as tests.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.model.customer import Channel, Content, CustomerMessage, Outcome, Purpose, Recipient

_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")
_OF_KIND = {
    Channel.EMAIL: Recipient(email="ana@example.com"),
    Channel.SMS: Recipient(phone="+12125550123"),
    Channel.VOICE: Recipient(phone="+12125550123"),
    Channel.WEBHOOK: Recipient(url="https://example.com/hook"),
}
_SOMEBODY = Recipient(user="ana")


class ExampleMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What matters of a message; all else is filled in with something ordinary."""

    channel: Channel | None = None
    purpose: Purpose | None = None
    to: Recipient | None = None
    sender: str | None = None
    category: str | None = None
    template: str | None = None
    event: str | None = None
    language: str | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    metadata: dict[str, str] | None = None


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One case. `says` is what the rule says of it; `allow` also where the rule has nothing to say.

    `facts` has the fields of `Facts`, with "somewhere in the rule's jurisdiction" filled in; a key that ends in `_ms`
    (or `_at_ms`) may hold a moment as text (RFC 3339). `until` is the end of a deferral.
    """

    says: Outcome
    why: str
    at: datetime.datetime = datetime.datetime(2026, 3, 4, 15, tzinfo=datetime.UTC)
    message: ExampleMessage = ExampleMessage()
    facts: dict[str, Any] = {}
    until: datetime.datetime | None = None

    def __post_init__(self) -> None:
        for name, moment in (("at", self.at), ("until", self.until)):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name}: give the offset from universal time, as in 2026-03-01T08:00:00+01:00")
        self.known("*")

    @property
    def at_ms(self) -> int:
        return int(self.at.timestamp() * 1000)

    def known(self, jurisdiction: str) -> Facts:
        """The facts, of somebody in this jurisdiction unless they say otherwise. Raises `ValueError`."""
        place = None if jurisdiction == "*" else jurisdiction
        stated = {"jurisdiction": place, "zones": []} | _with_moments(self.facts)
        return msgspec.convert(stated, Facts, strict=True)

    def written(self, channel: Channel, purpose: Purpose) -> CustomerMessage:
        """The message, on this channel and of this purpose unless it says otherwise."""
        shown = self.message
        channel = shown.channel or channel
        return CustomerMessage(
            id="msg_0000000000000000",
            to=shown.to or _OF_KIND.get(channel, _SOMEBODY),
            channel=channel,
            purpose=shown.purpose or purpose,
            content=Content(subject=shown.subject, text=shown.text or "Hello.", html=shown.html),
            created_at_ms=self.at_ms,
            sender=shown.sender,
            metadata=shown.metadata,
            category=shown.category,
            template=shown.template,
            event=shown.event,
            language=shown.language,
        )


def _with_moments(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _with_moments(entry, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [_with_moments(entry, key) for entry in value]
    if key.endswith("_ms") and isinstance(value, str) and _MOMENT.match(value):
        moment = datetime.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(f"{key}: give the offset from universal time, as in 2026-03-01T08:00:00+01:00")
        return int(moment.timestamp() * 1000)
    return value
