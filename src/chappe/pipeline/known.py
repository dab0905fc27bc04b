"""From records to facts: what the rules are told about the recipient of a message."""

from __future__ import annotations

from chappe.compliance.facts import Consent, ConsentLevel, Facts, Suppression, locate
from chappe.compliance.rollout import Rules
from chappe.compliance.senders import NOBODY, Senders
from chappe.model.customer import CustomerMessage
from chappe.records.knowledge import Known, Subject
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.recipients import recipient_text


def subject_of(message: CustomerMessage, key: int | None, rules: Rules, now_ms: int) -> Subject:
    """What has to be looked up to decide this message, frequency caps left aside."""
    registries = rules.registries(locate(message.to).jurisdiction, message)
    return Subject(key, recipient_text(message.to), message.channel, None, registries, now_ms)


def capped_subject_of(message: CustomerMessage, key: int | None, rules: Rules, now_ms: int) -> Subject:
    """What has to be looked up to decide this message."""
    jurisdiction = locate(message.to).jurisdiction
    window_ms = rules.cap_window_ms(jurisdiction, message)
    since_ms = now_ms - window_ms if window_ms else None
    registries = rules.registries(jurisdiction, message)
    return Subject(key, recipient_text(message.to), message.channel, since_ms, registries, now_ms)


def facts_of(
    message: CustomerMessage, known: Known, counted_at_ms: tuple[int, ...] = (), senders: Senders = NOBODY
) -> Facts:
    """The facts, with messages counted in addition to those that were found (`counted_at_ms`, oldest first)."""
    locale = locate(message.to)
    return Facts(
        jurisdiction=locale.jurisdiction,
        zones=locale.zones,
        suppressions=tuple(_suppression(record, message) for record in known.suppressions),
        consents=tuple(map(_consent, known.consents)),
        recent_sends_at_ms=known.recent_sends_at_ms + counted_at_ms,
        registries=known.registries,
        sender=senders.of(message),
        unsubscribe_links=senders.unsubscribe_links,
    )


def _suppression(record: SuppressionRecord, message: CustomerMessage) -> Suppression:
    return Suppression(
        address=message.to.address,  # the records have found that it is the same, however it is written
        channel=record.channel,
        purpose=record.purpose,
        reason=record.reason,
        created_at_ms=record.created_at_ms,
    )


def _consent(record: ConsentRecord) -> Consent:
    return Consent(
        channel=record.channel,
        purpose=record.purpose,
        granted=record.granted,
        recorded_at_ms=record.recorded_at_ms,
        expires_at_ms=record.expires_at_ms,
        level=ConsentLevel(record.level) if record.level else None,
        proof=record.proof,
        source=record.source,
    )
