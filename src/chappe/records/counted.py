"""What is kept of a message that counts against frequency caps beside its moment, as one short text.

The values are quoted as in URLs and separated by slashes, so that no blank, comma or semicolon is left in them. Most
messages have none of them, and store nothing.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from chappe.model.customer import Channel, CustomerMessage, Purpose
from chappe.model.sends import RecentSend


def counted_as(message: CustomerMessage) -> str | None:
    """The text of a message, or None if it says nothing."""
    values = (message.category, message.event, message.sender, message.template)
    if not any(values):
        return None
    return "/".join(quote(value or "", safe="") for value in values)


def send_of(at_ms: int, channel: Channel, purpose: Purpose, text: str) -> RecentSend:
    """The message that was counted; `text` is empty where none is stored."""
    if not text:
        return RecentSend(at_ms, channel, purpose)
    category, event, sender, template = (unquote(value) or None for value in text.split("/"))
    return RecentSend(at_ms, channel, purpose, category, event, sender, template)
