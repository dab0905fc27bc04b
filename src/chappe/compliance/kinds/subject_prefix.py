"""subject_prefix: the subject begins with a warning word."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chappe.compliance.consent.grants import standing_consent
from chappe.compliance.content.shown import folded, shown
from chappe.compliance.facts.recipient import ConsentLevel, Facts
from chappe.compliance.rule.base import StandingRule
from chappe.model.customer import Amendment, Channel, CustomerMessage, Place, RuleOutcome


class Bulk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More than `messages` in `days` days."""

    messages: Annotated[int, msgspec.Meta(ge=1)]
    days: Annotated[int, msgspec.Meta(ge=1)]


class SubjectPrefixParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`prefix` starts the subject; where there is none, the text.

    `unless_consent` is the recipient's consent that makes it needless. With `bulk` only the messages of senders in bulk
    need it: those who send more than one of these counts, going by `messages_per_day` of the profile, and those of
    whom it is not known.
    """

    prefix: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    unless_consent: ConsentLevel | None = None
    bulk: tuple[Bulk, ...] = ()


class SubjectPrefixRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="subject_prefix"):
    """Adds the prefix."""

    parameters: SubjectPrefixParameters

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        if asked.unless_consent is not None:
            consent = standing_consent(facts.consents, message.channel, message.purpose, now_ms).consent
            if consent is not None and consent.strength.rank >= asked.unless_consent.rank:
                return self.kept("the recipient agreed to such messages")
        volume = facts.sender.messages_per_day
        if asked.bulk and volume is not None and not any(volume * b.days > b.messages for b in asked.bulk):
            return self.kept("the sender does not send in bulk")
        seen = shown(message.content)
        has_subject = message.channel is Channel.EMAIL or bool(seen.subject)
        heads = (seen.subject,) if has_subject else seen.bodies
        wanted = folded(asked.prefix)
        if heads and all(folded(head).startswith(wanted) for head in heads):
            return self.kept(f"it begins with {asked.prefix.strip()}")
        if self.action == "annotate":
            return self.broken(f"it does not begin with {asked.prefix.strip()}")
        place = Place.SUBJECT_START if has_subject else Place.TEXT_START
        return self.amended(f"{asked.prefix.strip()} is put in front", Amendment(place, asked.prefix.strip()))
