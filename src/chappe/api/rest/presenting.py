"""How moments and recipients stand in every document that goes out."""

from __future__ import annotations

from datetime import UTC, datetime

from chappe.model.customer import Recipient
from chappe.records.recipients import parse_recipient, recipient_text


def moment(at_ms: int) -> datetime:
    """A moment as a datetime in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def moment_or_none(at_ms: int | None) -> datetime | None:
    """The same where there may be none."""
    return None if at_ms is None else moment(at_ms)


def as_stored(to: Recipient) -> Recipient:
    """The recipient in the form under which it is looked up."""
    return parse_recipient(recipient_text(to))
