"""Earlier messages to a recipient, as limits on their number count them."""

from __future__ import annotations

import msgspec

from chappe.model.customer import Channel, CustomerMessage, Purpose


class RecentSend(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that was let through at the moment `at_ms`, and what it was."""

    at_ms: int
    channel: Channel
    purpose: Purpose = Purpose.PROMOTIONAL
    category: str | None = None
    event: str | None = None
    sender: str | None = None
    template: str | None = None

    @classmethod
    def of(cls, message: CustomerMessage, at_ms: int) -> RecentSend:
        """This message, let through at that moment."""
        return cls(
            at_ms,
            message.channel,
            message.purpose,
            message.category,
            message.event,
            message.sender,
            message.template,
        )


class Rate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measurement of how messages fare, such as the part that is reported as spam, 0 to 1.

    `sender` is the one it was measured of; None is all of them.
    """

    metric: str
    at_ms: int
    value: float
    sender: str | None = None
