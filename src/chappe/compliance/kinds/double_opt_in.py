"""double_opt_in: a consent counts once it was confirmed from the address itself, and the opt-in is confirmed in turn.

Two duties go by the name. Where `confirm_link` is asked (Germany), a grant counts only when the person has followed the
link in a confirmation message, in time, and what happened is on record. Where `confirmation` is asked (the carriers in
the United States), the first message of a programme tells the person what was agreed to and how to end it.

Whether consent is needed at all is for consent_required: a message that rests on no consent passes here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
import re2

from chappe.compliance.calendar.periods import Period, end_of, in_words
from chappe.compliance.consent.grants import day_of, standing_consent
from chappe.compliance.consent.terms import RecordItem, last_given_ms, missing_of
from chappe.compliance.content.particulars import Particular, shows
from chappe.compliance.content.shown import shown
from chappe.compliance.facts.consents import Consent, ConsentLevel
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.categories import OPT_IN_CONFIRMATION
from chappe.model.customer import Amendment, CustomerMessage, Place, Purpose, RuleOutcome

DOUBLE_OPT_IN_CONFIRMATION = "double_opt_in_confirmation"
"""The category of the message that asks the person to confirm."""


class ConfirmationItem(StrEnum):
    """What the confirmation of an opt-in says."""

    BRAND = "brand"
    FREQUENCY = "frequency"
    MSG_AND_DATA_RATES = "msg_and_data_rates"
    HELP = "help"
    STOP = "stop"


class DoubleOptInParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """With `confirm_link`, a grant counts only when it was confirmed, within `token_ttl` of the request to confirm, and
    with everything in `log` on record; an agreement in writing counts without. With `confirmation_mail_ad_free`, the
    request to confirm (category `double_opt_in_confirmation`) goes as a transactional message.

    `confirmation` is what a message of the category `opt_in_confirmation` says, and with `recurring_programs` also the
    first promotional message after an opt-in whose confirmation is not on record (`confirmation_sent_at_ms`).
    """

    confirm_link: bool = False
    token_ttl: Period | None = None
    log: tuple[RecordItem, ...] = ()
    confirmation_mail_ad_free: bool = False
    confirmation: tuple[ConfirmationItem, ...] = ()
    recurring_programs: bool = False

    def __post_init__(self) -> None:
        if not self.confirm_link and not self.confirmation:
            raise ValueError("confirm_link: ask for it, or say what the confirmation has to hold")


class DoubleOptInRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="double_opt_in"):
    """Blocks messages that rest on an unconfirmed consent, and completes the confirmation of an opt-in."""

    parameters: DoubleOptInParameters

    @property
    def swayed_by(self) -> Input:
        inputs = Input.CATEGORY
        if self.parameters.confirm_link:
            inputs |= Input.CONSENTS
        if self.parameters.confirmation:
            inputs |= Input.CONSENTS | Input.ANSWER | Input.SENDS | Input.FROM
        return inputs

    @property
    def patterns(self) -> tuple[Any, ...]:
        return tuple(_SHOWN_BY[item] for item in self.parameters.confirmation if item in _SHOWN_BY)

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        if message.category == DOUBLE_OPT_IN_CONFIRMATION:
            if asked.confirmation_mail_ad_free and message.purpose is Purpose.PROMOTIONAL:
                return self.broken("the request to confirm is sent as transactional, without advertising")
            return self.kept("the message asks for confirmation")
        if asked.confirm_link:
            why_not = self._unconfirmed(message, facts, now_ms)
            if why_not:
                return self.broken(why_not)
        if asked.confirmation and self._confirms(message, facts, now_ms):
            return self._of_confirmation(message, facts, now_ms)
        return self.kept(_PASSES[asked.confirm_link])

    def _unconfirmed(self, message: CustomerMessage, facts: Facts, now_ms: int) -> str:
        """Why no consent on record is confirmed, or an empty text; none on record need be."""

        def objection(consent: Consent) -> str:
            return _why_unconfirmed(self.parameters, consent, now_ms)

        standing = standing_consent(facts.consents, message.channel, message.purpose, now_ms, objection=objection)
        return standing.why_none if standing.consent is None and standing.flawed else ""

    def _confirms(self, message: CustomerMessage, facts: Facts, now_ms: int) -> bool:
        """Whether the message is the one that confirms an opt-in."""
        if message.category == OPT_IN_CONFIRMATION:
            return True
        if not self.parameters.recurring_programs or message.purpose is not Purpose.PROMOTIONAL:
            return False
        consent = standing_consent(facts.consents, message.channel, message.purpose, now_ms).consent
        if consent is None or consent.strength is ConsentLevel.IMPLIED:
            return False
        sent_ms = consent.details.confirmation_sent_at_ms
        if sent_ms is not None and sent_ms <= now_ms:
            return False
        given_ms = last_given_ms(consent, now_ms)
        return not any(
            send.channel is message.channel and send.purpose is message.purpose and given_ms < send.at_ms <= now_ms
            for send in facts.recent_sends
        )

    def _of_confirmation(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        seen = shown(message.content)
        asked = self.parameters.confirmation
        missing = [item for item in asked if item in _SHOWN_BY and not seen.matches(_SHOWN_BY[item])]
        amendments = []
        if ConfirmationItem.BRAND in asked and not shows(Particular.NAME, seen, message, facts, now_ms):
            name = facts.sender.name or facts.sender.legal_name
            if name is None:
                return self.broken("the confirmation has to name the sender: give its name in the sender's profile")
            amendments.append(Amendment(Place.TEXT_START, f"{name}:"))
        if missing:
            amendments.append(Amendment(Place.TEXT_END, " ".join(_SENTENCES[item] for item in missing)))
        if amendments:
            return self.amended("the first message confirms the opt-in; what it lacks is added", *amendments)
        return self.kept("the message confirms the opt-in and says all it has to")


def _why_unconfirmed(asked: DoubleOptInParameters, consent: Consent, now_ms: int) -> str:
    if consent.strength is ConsentLevel.WRITTEN:
        return ""
    details = consent.details
    confirmed_ms = details.confirmed_at_ms
    if consent.strength is not ConsentLevel.DOUBLE_OPT_IN or (confirmed_ms is not None and confirmed_ms > now_ms):
        return f"the consent of {day_of(consent.recorded_at_ms)} was not confirmed from the address itself"
    if confirmed_ms is not None and asked.token_ttl is not None:
        asked_ms = details.confirmation_sent_at_ms
        if confirmed_ms >= end_of(consent.recorded_at_ms if asked_ms is None else asked_ms, asked.token_ttl):
            return f"the consent was confirmed later than {in_words(asked.token_ttl)} after the request"
    missing = missing_of(consent, asked.log, now_ms)
    return f"of the double opt-in this is not on record: {', '.join(missing)}" if missing else ""


_PASSES = {
    True: "no unconfirmed consent is relied on",
    False: "the message is not the one that confirms an opt-in",
}
_SHOWN_BY = {
    ConfirmationItem.FREQUENCY: re2.compile(
        r"(?i)\b(?:msgs?|messages?|texts?|alerts?)\s*(?:/|per|a|each|every)\s*(?:day|week|mo(?:nth)?|year)|"
        r"frequency|recurring|one[- ]time|(?:daily|weekly|monthly)"
    ),
    ConfirmationItem.MSG_AND_DATA_RATES: re2.compile(r"(?i)(?:msg|message)s?\s*(?:&|and|\+)\s*data\s*rates?"),
    ConfirmationItem.HELP: re2.compile(r"(?:\bHELP\b)|(?i:(?:reply|text|send)\s+help\b)"),
    ConfirmationItem.STOP: re2.compile(r"(?:\bSTOP\b)|(?i:(?:reply|text|send)\s+stop\b)"),
}
_SENTENCES = {
    ConfirmationItem.FREQUENCY: "Msg frequency varies.",
    ConfirmationItem.MSG_AND_DATA_RATES: "Msg & data rates may apply.",
    ConfirmationItem.HELP: "Reply HELP for help.",
    ConfirmationItem.STOP: "Reply STOP to opt out.",
}
