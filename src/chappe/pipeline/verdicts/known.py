"""From records to facts: what the rules are told about the recipient of a message."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from chappe.compliance.facts.consents import NO_DETAILS, ConsentDetails
from chappe.compliance.facts.opt_outs import OptOutRequest, RequestMeans, Scope
from chappe.compliance.facts.recipient import Consent, ConsentLevel, Facts, Suppression
from chappe.compliance.places.locating import Locale
from chappe.compliance.rule_sets.rollout import Rules
from chappe.compliance.sender.senders import NOBODY, Senders
from chappe.model.customer import CustomerMessage, Purpose
from chappe.model.sends import Rate, RecentSend
from chappe.pipeline.verdicts.person import person_of, whereabouts
from chappe.records import ids
from chappe.records.knowledge import Known, Subject
from chappe.records.opt_outs import OptOutRecord
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.recipients import recipient_text


def subject_of(message: CustomerMessage, key: int | None, rules: Rules, now_ms: int, where: Locale) -> Subject:
    """What has to be looked up to decide this message to somebody there, frequency caps left aside."""
    registries = rules.registries(where.jurisdiction, message, where.also_in)
    return Subject(key, recipient_text(message.to), message.channel, None, registries, now_ms)


def capped_subject_of(message: CustomerMessage, key: int | None, rules: Rules, now_ms: int, where: Locale) -> Subject:
    """What has to be looked up to decide this message to somebody there."""
    counting = rules.counting(where.jurisdiction, message, where.also_in)
    since_ms = now_ms - counting.window_ms if counting.window_ms else None
    registries = rules.registries(where.jurisdiction, message, where.also_in)
    to = recipient_text(message.to)
    return Subject(key, to, message.channel, since_ms, registries, now_ms, counted_on=counting.channels)


def counts(message: CustomerMessage, rules: Rules) -> bool:
    """Whether the message counts against caps once it is let through.

    Promotional ones always do, so that a cap that comes into force later finds them. Transactional ones are limited
    so seldom that only those count that a cap binds, wherever the recipient is: that is known better later.
    """
    return message.purpose is Purpose.PROMOTIONAL or rules.caps(message)


def facts_of(
    message: CustomerMessage, known: Known, counted: tuple[RecentSend, ...] = (), senders: Senders = NOBODY
) -> Facts:
    """The facts, with messages counted in addition to those that were found."""
    locale = whereabouts(message.to, known.person)
    return Facts(
        jurisdiction=locale.jurisdiction,
        zones=locale.zones,
        also_in=locale.also_in,
        suppressions=tuple(_suppression(record, message) for record in known.suppressions),
        consents=tuple(map(_consent, known.consents)),
        recent_sends=known.recent_sends + counted,
        person=person_of(known.person),
        registries=known.registries,
        opt_outs=_opt_outs(message, known.opt_outs),
        sender=senders.of(message, locale.jurisdiction),
        unsubscribe_links=senders.unsubscribe_links,
        rates=_rates(message, known.rates) if known.rates else (),
    )


def with_counted(facts: Facts, counted: tuple[RecentSend, ...]) -> Facts:
    """The facts, with messages counted in addition."""
    return msgspec.structs.replace(facts, recent_sends=facts.recent_sends + counted) if counted else facts


def without_counted(facts: Facts) -> Facts:
    """The facts as a check before an attempt has them: caps were decided at intake and counted there."""
    return msgspec.structs.replace(facts, recent_sends=()) if facts.recent_sends else facts


def _suppression(record: SuppressionRecord, message: CustomerMessage) -> Suppression:
    return Suppression(
        address=message.to.address,  # the records have found that it is the same, however it is written
        channel=record.channel,
        purpose=record.purpose,
        reason=record.reason,
        created_at_ms=record.created_at_ms,
    )


def _rates(message: CustomerMessage, rates: Sequence[Rate]) -> tuple[Rate, ...]:
    return tuple(rate for rate in rates if rate.sender in (None, message.sender))


def _opt_outs(message: CustomerMessage, records: Sequence[OptOutRecord]) -> tuple[OptOutRequest, ...]:
    """The requests that stand and are about the message's channel. A confirmation does not count itself."""
    if not records:
        return ()
    return tuple(
        OptOutRequest(
            received_at_ms=record.received_at_ms,
            channel=record.channel,
            scope=_scope(record),
            means=RequestMeans(record.means),
            keyword=record.keyword,
            deadline_ms=record.due_at_ms,
            confirmations_sent_at_ms=_confirmations(message, record),
        )
        for record in records
        if record.channel in (None, message.channel)
    )


def _scope(record: OptOutRecord) -> Scope:
    if record.purpose is Purpose.PROMOTIONAL:
        return Scope.PROMOTIONAL
    return Scope.ALL if record.channel is None else Scope.CHANNEL


def _confirmations(message: CustomerMessage, record: OptOutRecord) -> tuple[int, ...]:
    if record.confirmed_at_ms is None or record.confirmation is None:
        return ()
    return () if ids.key_text(ids.MESSAGE, record.confirmation) == message.id else (record.confirmed_at_ms,)


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
        details=NO_DETAILS if record.details is None else _details(record.details),
    )


@lru_cache(maxsize=4_096)
def _details(text: str) -> ConsentDetails:
    return _details_decoder.decode(text)


_details_decoder = msgspec.json.Decoder(ConsentDetails)
