"""How a message is handed over: what it comes from, and what the rules change in its content."""

from __future__ import annotations

import msgspec

from chappe.channels.base import Outbound
from chappe.compliance.sender.originator import originator
from chappe.model.customer import Content, CustomerMessage, Decision, Purpose
from chappe.pipeline.delivery.amending import amended, length_note
from chappe.pipeline.delivery.unsubscribe import UnsubscribeLinks
from chappe.pipeline.verdicts.deciding import Step


class Handing(msgspec.Struct, frozen=True):
    """`decision` is the verdict that let the message go; `sender` None leaves that to the provider.

    `jurisdiction` is where the recipient was taken to be.
    """

    decision: Decision | None = None
    sender: str | None = None
    jurisdiction: str | None = None


AS_IT_IS = Handing()


def handing_of(message: CustomerMessage, step: Step, now_ms: int) -> Handing:
    """How a message that may go is handed over."""
    if step.facts is None:
        return Handing(step.decision, message.sender)
    place = step.facts.jurisdiction
    return Handing(step.decision, originator(message, step.facts.sender, place, now_ms), place)


def content_to_send(links: UnsubscribeLinks, message: CustomerMessage, key: int, decision: Decision | None) -> Content:
    """The content as this decision wants it."""
    return _content(message, decision, unsubscribe_url(links, message, key))


def _content(message: CustomerMessage, decision: Decision | None, link: str | None) -> Content:
    if decision is None:
        return message.content
    return amended(message.content, decision.amendments, message.channel, link)


def unsubscribe_url(links: UnsubscribeLinks, message: CustomerMessage, key: int) -> str | None:
    """The message's own link, if it has one."""
    return links.url(key) if message.purpose is Purpose.PROMOTIONAL else None


def outbound(links: UnsubscribeLinks, message: CustomerMessage, key: int, handing: Handing, attempt: int) -> Outbound:
    """What a provider is given."""
    link = unsubscribe_url(links, message, key)
    return Outbound(
        message_id=message.id,
        to=message.to,
        channel=message.channel,
        purpose=message.purpose,
        content=_content(message, handing.decision, link),
        attempt=attempt,
        created_at_ms=message.created_at_ms,
        sender=handing.sender,
        metadata=message.metadata,
        unsubscribe_url=link,
    )


def note_of(message: CustomerMessage, handed: Outbound, cut_off_attempt: int | None) -> str | None:
    """What the timeline is to say of an attempt that begins: what nobody could tell from the rest."""
    unknown = None
    if cut_off_attempt is not None:
        unknown = f"the outcome of attempt {cut_off_attempt} is unknown: the server stopped"
    chosen = f"from {handed.sender}" if handed.sender != message.sender else None
    longer = length_note(message.content, handed.content, message.channel)
    return "; ".join(note for note in (unknown, chosen, longer) if note) or None
