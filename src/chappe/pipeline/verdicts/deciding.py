"""What to do with a message at intake and before an attempt. Pure: values in, a step out."""

from __future__ import annotations

from enum import Enum

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule_sets.rollout import Rules
from chappe.compliance.sender.senders import NOBODY, Senders
from chappe.model.customer import CustomerMessage, Decision, Outcome, Status
from chappe.model.sends import RecentSend
from chappe.pipeline.envelope import Envelope
from chappe.pipeline.verdicts.judging import decided
from chappe.pipeline.verdicts.known import facts_of, with_counted
from chappe.records.knowledge import Known
from chappe.records.steps import OPEN

UNRECORDED_GRACE_MS = 60_000
"""How long a queue message may lack its record: longer than any commit takes."""


class Next(Enum):
    """What happens to the message."""

    GO = "on to its lane, or to the provider"
    LATER = "back to intake until `until_ms`"
    READMIT = "back to intake, which decides it as it does new ones"
    REVIEW = "kept for a person to look at, until `until_ms`"
    END = "it has come to an end"
    DROP = "this copy is superfluous"
    LEAVE = "too early to tell; the queue brings it again"


class Step(msgspec.Struct, frozen=True):
    """`status` is the one the message gets with GO, LATER, REVIEW and END. If rules were asked, `decision` is the
    verdict and `facts` are what it was made from.
    """

    next: Next
    status: Status | None = None
    decision: Decision | None = None
    until_ms: int | None = None
    note: str | None = None
    facts: Facts | None = None


_DROP = Step(Next.DROP)
_LEAVE = Step(Next.LEAVE)


def decide_at_intake(
    envelope: Envelope,
    known: Known,
    rules: Rules,
    now_ms: int,
    *,
    sent_at_ms: int,
    counted: tuple[RecentSend, ...] = (),
    senders: Senders = NOBODY,
    facts: Facts | None = None,
) -> Step:
    """The step of a message received from intake.

    `sent_at_ms` is when it was put there; `counted` are messages of the same batch that count against the caps of
    this one and are not in the records yet. `facts` are those of what is known, if they were made before.
    """
    if known.status is None:
        return _unrecorded(sent_at_ms, now_ms)
    readmitted = envelope.readmitted and was_moved_back(envelope, known)
    if not readmitted and (known.status not in OPEN or known.status is Status.SENDING):
        return _DROP
    if known.status is Status.QUEUED and envelope.recovered:
        return _DROP
    message = envelope.message
    if message.send_at_ms is not None and message.send_at_ms > now_ms:
        return Step(Next.LATER, known.status, until_ms=message.send_at_ms)
    facts = facts_of(message, known, counted, senders) if facts is None else with_counted(facts, counted)
    return _expired(message, now_ms) or _judged(message, facts, rules, now_ms)


def decide_before_attempt(
    envelope: Envelope,
    known: Known,
    rules: Rules,
    now_ms: int,
    *,
    sent_at_ms: int,
    senders: Senders = NOBODY,
    facts: Facts | None = None,
) -> Step:
    """The step of a message received from its lane. GO hands it to a provider. The rest as at intake."""
    if known.status is None:
        return _unrecorded(sent_at_ms, now_ms)
    if known.status not in OPEN and not was_moved_back(envelope, known):
        return _DROP
    message = envelope.message
    if facts is None:
        facts = facts_of(message, known, senders=senders)
    return _expired(message, now_ms) or _judged(message, facts, rules, now_ms)


def was_moved_back(envelope: Envelope, known: Known) -> bool:
    """Whether this is a dead letter that somebody moved back into its lane."""
    dead = envelope.dead or envelope.attempts_before > 0
    return dead and known.status is Status.FAILED and envelope.attempts_before == known.attempts


def _unrecorded(sent_at_ms: int, now_ms: int) -> Step:
    return _LEAVE if now_ms - sent_at_ms < UNRECORDED_GRACE_MS else _DROP


def _expired(message: CustomerMessage, now_ms: int) -> Step | None:
    if message.expires_at_ms is None or message.expires_at_ms > now_ms:
        return None
    return Step(Next.END, Status.EXPIRED)


def _judged(message: CustomerMessage, facts: Facts, rules: Rules, now_ms: int) -> Step:
    decision = decided(rules, message, facts, now_ms)
    if decision.outcome is Outcome.ALLOW:
        return Step(Next.GO, Status.QUEUED, decision, facts=facts)
    if decision.outcome is Outcome.BLOCK:
        return Step(Next.END, Status.BLOCKED, decision, facts=facts)
    held = message.classification is not None and message.classification.awaits_review
    return Step(Next.REVIEW if held else Next.LATER, Status.DEFERRED, decision, decision.until_ms, facts=facts)
