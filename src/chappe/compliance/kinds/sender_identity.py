"""sender_identity: a message tells truly who sends it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import phonenumbers
import re2

from chappe.compliance.content.particulars import (
    Asked,
    Particular,
    alternatives,
    holds_for,
    in_words,
    lacking,
    line_of,
    unstated,
)
from chappe.compliance.content.patterns import compiled
from chappe.compliance.content.shown import shown
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.compliance.sender.originator import originator
from chappe.model.customer import Amendment, Channel, CustomerMessage, Place, Purpose, RuleOutcome


class IdentityParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What has to be true of the sender.

    `fields` are the particulars that the message must show; an entry that is a list is met by any of it. What is
    missing goes to the `start` or `end` of the text (`place`). The particulars must go on holding for `valid_days`.
    `own_from` wants the `from` to be one of the sender's own, `from_prefix` a number that begins so.
    `deceptive_subjects` are patterns that no subject of a promotional message may match. `mail_authentication` are
    what the sender's mail domains must have; with `bulk_per_day`, only those of senders known to send so many a day.
    """

    fields: tuple[Asked, ...] = ()
    place: Literal["start", "end"] = "end"
    valid_days: Annotated[int, msgspec.Meta(ge=1)] | None = None
    own_from: bool = False
    from_prefix: str | None = None
    deceptive_subjects: tuple[str, ...] = ()
    mail_authentication: tuple[str, ...] = ()
    bulk_per_day: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        for pattern in self.deceptive_subjects:
            compiled(pattern)


class IdentityRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="sender_identity"):
    """Adds the particulars that a message lacks, or blocks where they are not known or not true."""

    parameters: IdentityParameters

    @property
    def swayed_by(self) -> Input:
        asked = self.parameters
        reads_content = bool(asked.fields or asked.deceptive_subjects)
        return Input.FROM | Input.CONTENT if reads_content else Input.FROM

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        wrong = self._untrue(message, facts, now_ms)
        if wrong is not None:
            return self.broken(wrong)
        return self._shown(message, facts, now_ms)

    def _untrue(self, message: CustomerMessage, facts: Facts, now_ms: int) -> str | None:
        asked = self.parameters
        if asked.own_from and not _is_own(message, facts):
            return (
                f"the message comes from {message.sender}, which is not known to be the sender's own: name the address "
                "or its domain in senders.NAME.also_from"
            )
        if asked.from_prefix is not None:
            sender = originator(message, facts.sender, facts.jurisdiction, now_ms)
            if sender is None or not _begins_with(sender, asked.from_prefix, self.jurisdiction[:2]):
                return (
                    f"the calling number must begin with {asked.from_prefix}, and it is {sender or 'not known'}: give "
                    "one in `from` or in senders.NAME.voice_from"
                )
        if message.purpose is Purpose.PROMOTIONAL and message.content.subject:
            for pattern in asked.deceptive_subjects:
                if compiled(pattern).search(message.content.subject):
                    return f"the subject pretends to be something else (it matches {pattern}): change it"
        return self._unauthenticated(facts)

    def _unauthenticated(self, facts: Facts) -> str | None:
        asked = self.parameters
        if not asked.mail_authentication:
            return None
        volume = facts.sender.messages_per_day
        if asked.bulk_per_day is not None and (volume is None or volume < asked.bulk_per_day):
            return None
        missing = [name for name in asked.mail_authentication if name not in facts.sender.mail_authentication]
        if not missing:
            return None
        return (
            f"mail in bulk is refused without {', '.join(missing)}: set them up and name them in "
            "senders.NAME.mail_authentication"
        )

    def _shown(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        if asked.fields and not holds_for(asked.valid_days, facts, now_ms):
            return self.broken(
                f"the sender's particulars must hold for {asked.valid_days} days, and end on "
                f"{facts.sender.valid_until}: renew them and senders.NAME.valid_until"
            )
        missing = lacking(asked.fields, shown(message.content), message, facts, now_ms)
        if not missing:
            return self.kept("the message shows who sends it" if asked.fields else "the sender is what it seems")
        to_state = tuple(entry for entry in missing if Particular.OPT_OUT_ADDRESS not in alternatives(entry))
        if len(to_state) < len(missing):
            return self.broken(
                "the message must give an address at which it can be refused: name one in senders.NAME.unsubscribe"
            )
        line = line_of(to_state, facts)
        if line is None:
            return self.broken(
                f"the message must show {in_words(missing)} of its sender: set {unstated(missing, facts)} of "
                "senders.NAME"
            )
        place = Place.TEXT_START if asked.place == "start" else Place.TEXT_END
        return self.amended(f"{in_words(missing)} of the sender is added", Amendment(place, line))


_ADDRESS = re2.compile(r"^(?:[^<]*<)?([^<>\s]+)@([^<>\s@]+?)>?$")


def _is_own(message: CustomerMessage, facts: Facts) -> bool:
    """Whether the message's `from` is the sender's own. One that names none comes from the provider's mailbox."""
    if message.sender is None:
        return True
    own = {_bare(entry) for entry in facts.sender.identities}
    bare = _bare(message.sender)
    if bare in own:
        return True
    if message.channel is not Channel.EMAIL:
        return False
    domain = bare.rpartition("@")[2]
    return any("@" not in entry and (domain == entry or domain.endswith(f".{entry}")) for entry in own)


def _bare(sender: str) -> str:
    match = _ADDRESS.search(sender.strip())
    return (f"{match.group(1)}@{match.group(2)}" if match else sender.strip()).casefold()


def _begins_with(sender: str, prefix: str, country: str) -> bool:
    """Whether a number begins so, written as in its country (0303...) or with the country's code (+55303...)."""
    digits = "".join(character for character in sender if character.isdigit())
    if not sender.lstrip().startswith("+"):
        return digits.startswith(prefix)
    national = digits.removeprefix(str(phonenumbers.country_code_for_region(country)))
    return national.startswith((prefix, prefix.lstrip("0")))
