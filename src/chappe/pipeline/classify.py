"""Which purpose a message has. For now what the sender declares is taken at its word."""

from __future__ import annotations

from chappe.model.customer import CustomerMessage, Purpose


def classify_by_declaration(message: CustomerMessage) -> Purpose:
    """The purpose that the sender declared, checked by nothing."""
    return message.purpose
