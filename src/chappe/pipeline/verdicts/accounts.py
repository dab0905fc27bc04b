"""What the audit log is told of a decision: the same that the rules were told, and what they said."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.model.customer import CustomerMessage, Decision
from chappe.observe.audit.record import Stage
from chappe.observe.audit.recording import decision_entry
from chappe.pipeline.verdicts.deciding import Step
from chappe.records.audit_pages import Entry
from chappe.records.person_keys import PersonKey


class Verdict(msgspec.Struct, frozen=True):
    """A decision, what it was made from, and the key of the person it is about."""

    decision: Decision
    facts: Facts
    at_ms: int
    stage: Stage
    person: PersonKey


def verdict_of(step: Step, at_ms: int, stage: Stage, person: PersonKey) -> Verdict | None:
    """The verdict behind a step; None if the rules were not asked."""
    if step.decision is None or step.facts is None:
        return None
    return Verdict(step.decision, step.facts, at_ms, stage, person)


def account_of(message: CustomerMessage, verdict: Verdict) -> Entry:
    """The record to be committed with what the verdict leads to."""
    facts = verdict.facts
    return decision_entry(
        message,
        facts,
        verdict.decision,
        at_ms=verdict.at_ms,
        stage=verdict.stage,
        person=verdict.person,
        jurisdiction=facts.jurisdiction,
        personal_texts=_personal_texts(facts),
    )


def _personal_texts(facts: Facts) -> Iterator[str]:
    """What operators and people have written about the person, and reasons may quote."""
    for suppression in facts.suppressions:
        yield suppression.reason
    for consent in facts.consents:
        if consent.proof is not None:
            yield consent.proof
        if consent.source is not None:
            yield consent.source
    if facts.person.birth_date is not None:
        yield facts.person.birth_date.isoformat()
