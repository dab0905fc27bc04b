"""What a message can be."""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """The class of a message's content. The order is that of the outputs of a model."""

    TRANSACTIONAL = "transactional"
    """The person asked for it or needs it: codes, receipts, alerts, reminders, service notices."""
    PROMOTIONAL = "promotional"
    """It invites to buy, subscribe, upgrade, attend, vote."""
    SPAM = "spam"
    """Fraud, phishing, premium-rate lures, prizes never entered for."""
    CONVERSATIONAL = "conversational"
    """One person writing to another."""


class Kind(StrEnum):
    """What a transactional message is about."""

    CODE = "code"
    RECEIPT = "receipt"
    ALERT = "alert"
    REMINDER = "reminder"
    SERVICE = "service"
