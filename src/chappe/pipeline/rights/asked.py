"""Whom a request is about, and by when the rules in force want it met. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chappe.compliance.rule_sets.duties import Duties
from chappe.compliance.rule_sets.rollout import Rules
from chappe.model.customer import Recipient
from chappe.pipeline.verdicts.honouring import rule_set_for
from chappe.pipeline.verdicts.person import whereabouts
from chappe.records.data_requests import Subject, Terms
from chappe.records.profiles import KnownPerson, PersonRecord
from chappe.records.recipients import parse_recipient, recipient_text


class About(msgspec.Struct, frozen=True):
    """Whom a request is about: the caller's id of a person, or an address."""

    person: str | None = None
    to: Recipient | None = None


def subject_of(about: About, person: PersonRecord | None) -> Subject:
    """The addresses, and where they are: all of the person's, if they belong to somebody who is known."""
    if person is None:
        assert about.to is not None
        recipient = recipient_text(about.to)
        return Subject(recipients=(recipient,), places=(whereabouts(about.to, None).jurisdiction,))
    known = KnownPerson(person.profile, restricted=False)
    return Subject(
        person=person.id,
        recipients=tuple(map(recipient_text, person.addresses)),
        places=tuple(whereabouts(to, known).jurisdiction for to in person.addresses),
        relationship_ended_ms=person.profile.relationship_ended_ms,
    )


def terms_of(rules: Rules, subject: Subject, received_at_ms: int) -> Terms:
    """What the rules ask for in the places of the subject; where they differ, the earliest moment."""
    found = []
    for recipient, place in zip(subject.recipients, subject.places, strict=True):
        in_force = rule_set_for(rules, parse_recipient(recipient), place).rules
        found.append(Duties(in_force).erasure(place, received_at_ms))
    named = dict.fromkeys(rule for each in found for rule in each.rules)
    return Terms(
        acknowledge_by_ms=_earliest([each.acknowledge_by_ms for each in found]),
        due_at_ms=_earliest([each.complete_by_ms for each in found]),
        extendable_to_ms=_earliest([each.extended_to_ms for each in found]),
        rules=tuple(named),
    )


def _earliest(moments: Sequence[int | None]) -> int | None:
    return min((each for each in moments if each is not None), default=None)
