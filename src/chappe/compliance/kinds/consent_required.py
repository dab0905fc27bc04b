"""consent_required: the recipient must have agreed, to this channel and purpose, strongly enough, on such terms.

The parameters are the terms that make a grant count (`consent.terms.Terms`) and what else may carry a message, or stop
it. A rule without a `level` asks for no consent of its own: it judges the ones there are (who they come from, when they
were last confirmed), or whether an exception that is relied on holds.

Names of levels in laws: opt-in, explicit, affirmative and prior consent are `express` here; inferred and deemed consent
are `implied`; a written authorisation is `written` with a signature on record.

Only informing, with no part in a verdict: `informs`. There stand what Chappe meets by its making (it always selects and
dials by machine, so laws on such systems always bind it; a withdrawal costs nothing), and history (a register that an
opt-in replaced).
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import msgspec

from chappe.compliance.calendar.periods import Period, end_of, in_words
from chappe.compliance.consent.grants import DAY_MS, Standing, day_of, standing_consent
from chappe.compliance.consent.grounds import Exemption, Ground, Relationship, SoftOptIn, exempt, related, soft_opt_in
from chappe.compliance.consent.terms import Case, RecordItem, Terms, basis_ends_ms, level_name, missing_of
from chappe.compliance.content.shown import shown
from chappe.compliance.content.way_out import way_out
from chappe.compliance.facts.consents import Consent, ConsentLevel
from chappe.compliance.facts.person import AddressSource
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.facts.registries import RegistryAnswer, registry_id
from chappe.compliance.rule.base import ANY_CHANNEL, Category, StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.customer import Amendment, Channel, CustomerMessage, Outcome, RuleOutcome

CONSENT_REQUEST = "consent_request"
"""The category of a message that asks for consent."""


class ConsentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That people may be asked for their consent without one: so many `times`, stating these things.

    What a request states is declared in its metadata under `states`, separated by commas; it is not read out of the
    text. With a `form`, it is sent under the template of that name. With `silence_is_refusal`, who was asked and has
    not agreed since has refused, which ends every other ground.
    """

    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    must_state: tuple[str, ...] = ()
    form: str | None = None
    silence_is_refusal: bool = False


class ChannelSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That the rule binds a channel only from a day on."""

    channel: Channel
    since: datetime.date


class AddressOn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That the rule binds only addresses on a list; `if_unknown` says what it does where the list has no data."""

    registry: str
    if_unknown: Literal["block", "annotate", "allow"] = "block"


class ConsentParameters(Terms, frozen=True, kw_only=True, cache_hash=True):
    """Beside the terms:

    What carries a message of a person who has not withdrawn: any of `soft_opt_in`, `relationship`, `exceptions`, a
    listing in one of the positive `registers` (which counts as an express consent), or a `request` for consent.

    What the rule leaves alone: messages of `exempt_categories`, companies' addresses on `businesses_exempt_on`
    channels, channels before the day (UTC) on which `channel_since` begins, addresses that are not on the list of
    `address_on`.

    What it asks of a message that has a consent or ground: none of the `forbidden_categories`; with `correct_sender`, a
    sender that is known; with `free_opt_out`, a way to refuse that costs nothing; with `recognisable_as_ad`, one of
    these words (or it is noted that none is there). With `without_proof: annotate` it is noted that nothing was kept of
    the consent, and with `result_told_within` that the person was not told in that time that it was recorded.
    """

    soft_opt_in: tuple[SoftOptIn, ...] = ()
    relationship: Relationship | None = None
    exceptions: tuple[Exemption, ...] = ()
    registers: tuple[str, ...] = ()
    request: ConsentRequest | None = None
    exempt_categories: tuple[Category, ...] = ()
    forbidden_categories: tuple[Category, ...] = ()
    businesses_exempt_on: tuple[str, ...] = ()
    channel_since: tuple[ChannelSince, ...] = ()
    address_on: AddressOn | None = None
    correct_sender: bool = False
    free_opt_out: bool = False
    recognisable_as_ad: tuple[str, ...] = ()
    without_proof: Literal["counts", "annotate"] = "counts"
    result_told_within: Period | None = None
    informs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.implied and self.level not in (None, ConsentLevel.IMPLIED):
            raise ValueError("implied: is about consents of the level implied, and a stronger level is asked for")

    @property
    def has_grounds(self) -> bool:
        """Whether anything but a consent on record may carry a message."""
        return bool(self.soft_opt_in or self.relationship or self.exceptions or self.registers or self.implied)


class ConsentRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="consent_required"):
    """Blocks what the recipient has not agreed to."""

    parameters: ConsentParameters

    @property
    def registries(self) -> tuple[str, ...]:
        asked = self.parameters
        names = asked.registers if asked.address_on is None else (*asked.registers, asked.address_on.registry)
        return tuple(registry_id(name) for name in names)

    @property
    def swayed_by(self) -> Input:
        asked = self.parameters
        inputs = Input.CATEGORY | Input.CONSENTS | Input.PERSON
        if self.registries:
            inputs |= Input.REGISTRIES
        if asked.correct_sender:
            inputs |= Input.FROM
        if asked.request is not None:
            inputs |= Input.METADATA | Input.TEMPLATE
        if (
            asked.free_opt_out
            or asked.recognisable_as_ad
            or any(o.of_strangers_reads_content for o in asked.soft_opt_in)
        ):
            inputs |= Input.CONTENT
        return inputs

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        wanted = self.parameters
        left_alone = _left_alone(wanted, message, facts, now_ms)
        if left_alone:
            return self.kept(left_alone)
        if message.category is not None and message.category in wanted.forbidden_categories:
            return self.broken(f"messages of the category {message.category} are not allowed, with consent or without")
        standing = standing_consent(
            facts.consents,
            message.channel,
            message.purpose,
            now_ms,
            per_channel=wanted.per_channel,
            objection=Case(wanted, message, facts, now_ms).objection if facts.consents else None,
        )
        consent = standing.consent
        if consent is not None:
            on_record = f"{level_name(consent.strength)} consent was recorded on {day_of(consent.recorded_at_ms)}"
            return self._of_message(message, facts, on_record, (), _shortcoming(wanted, consent, now_ms))
        ground = _ground(wanted, message, facts, now_ms, standing)
        if not ground.lacks:
            return self._of_message(message, facts, ground.reason, ground.amendments, "")
        if message.category == CONSENT_REQUEST and wanted.request is not None:
            why_not = _why_not_ask(wanted.request, message, facts, now_ms, standing)
            return self.broken(why_not) if why_not else self.kept("the person may be asked for consent")
        return self._without(ground.lacks, facts)

    def _of_message(
        self,
        message: CustomerMessage,
        facts: Facts,
        reason: str,
        amendments: tuple[Amendment, ...],
        shortcoming: str,
    ) -> RuleOutcome:
        """The outcome for a message that has a consent or another ground: what is asked of it besides."""
        wanted = self.parameters
        if wanted.correct_sender and not (message.sender or facts.sender.name or facts.sender.legal_name):
            return self.broken(f"{reason}, but nothing says who sends: give the sender's name in its profile")
        if wanted.free_opt_out:
            out = way_out(message, facts, free=True)
            if out.lacks:
                return self.broken(f"{reason}, but {out.lacks}")
            amendments = tuple(dict.fromkeys((*amendments, *out.amendments)))
        if amendments:
            return self.amended(f"{reason}; a way to refuse is added", *amendments)
        if wanted.recognisable_as_ad and not _is_recognisable(message, wanted.recognisable_as_ad):
            words = ", ".join(wanted.recognisable_as_ad)
            shortcoming = shortcoming or f"none of the words that mark advertising is in the message ({words})"
        if shortcoming:
            return RuleOutcome(self.id, Outcome.ANNOTATE, f"{reason}; {shortcoming}")
        return self.kept(reason)

    def _without(self, why: str, facts: Facts) -> RuleOutcome:
        """The outcome for a message that nothing carries."""
        listed = self.parameters.address_on
        if listed is not None and listed.if_unknown == "annotate" and not _answer(facts, listed.registry):
            return RuleOutcome(self.id, Outcome.ANNOTATE, f"{why}; whether the address is listed is not known")
        return self.broken(why)


def _left_alone(wanted: ConsentParameters, message: CustomerMessage, facts: Facts, now_ms: int) -> str:
    """Why the rule does not ask anything of the message, or an empty text."""
    if wanted.exempt_categories and message.category in wanted.exempt_categories:
        return f"messages of the category {message.category} need no consent"
    exempt_on = wanted.businesses_exempt_on
    if exempt_on and facts.person.is_business and (ANY_CHANNEL in exempt_on or message.channel in exempt_on):
        return "the address is a company's, which the rule does not protect"
    for entry in wanted.channel_since:
        if entry.channel is message.channel and now_ms < _midnight_ms(entry.since):
            return f"{message.channel.value} needs consent from {entry.since} on"
    listed = wanted.address_on
    if listed is not None:
        answer = _answer(facts, listed.registry)
        if answer is None:
            return "whether the address is listed is not known" if listed.if_unknown == "allow" else ""
        return "" if answer.listed else f"the address is not on the {listed.registry}"
    return ""


def _ground(
    wanted: ConsentParameters, message: CustomerMessage, facts: Facts, now_ms: int, standing: Standing
) -> Ground:
    """What carries the message without a consent that counts; `lacks` says that nothing does."""
    asked = standing.why_none
    if wanted.level is not None:
        asked = f"{level_name(wanted.level)} consent is required and {asked}"
    elif not wanted.has_grounds:
        return _nothing_to_judge(wanted, facts, standing)
    silent = _silent(wanted.request, facts, now_ms)
    if standing.refused or silent:
        return Ground(lacks=f"{asked}; {silent}" if silent else asked)
    for name in wanted.registers:
        answer = _answer(facts, registry_id(name))
        if answer is not None and answer.listed:
            return Ground(f"consent is on record in {name}")
    for exemption in wanted.exceptions:
        reason = exempt(exemption, message, facts.person)
        if reason:
            return Ground(reason)
    return _relation(wanted, message, facts, now_ms, asked, standing)


def _nothing_to_judge(wanted: ConsentParameters, facts: Facts, standing: Standing) -> Ground:
    """A rule about the consents there are has nothing against a message that rests on none."""
    if standing.flawed:
        return Ground(lacks=standing.why_none)
    if wanted.forbid and facts.person.address_source is AddressSource.THIRD_PARTY:
        return Ground(lacks="the address was had from others, and the person has not agreed with the sender itself")
    return Ground("there is no consent that the rule could judge")


def _relation(
    wanted: ConsentParameters, message: CustomerMessage, facts: Facts, now_ms: int, asked: str, standing: Standing
) -> Ground:
    grounds = [soft_opt_in(offer, message, facts, now_ms) for offer in wanted.soft_opt_in]
    if wanted.relationship is not None:
        grounds.append(related(wanted.relationship, message, facts.person, now_ms))
    holding = next((ground for ground in grounds if not ground.lacks), None)
    if holding is not None:
        return holding
    if wanted.level in (None, ConsentLevel.IMPLIED):
        for entry in wanted.implied:
            if basis_ends_ms(entry, facts.person, now_ms) is not None:
                return Ground(f"consent is implied by what is known of the person: {entry.basis.value}")
    return Ground(lacks="; ".join([asked, *(ground.lacks for ground in grounds[:1])]))


def _silent(request: ConsentRequest | None, facts: Facts, now_ms: int) -> str:
    if request is None or not request.silence_is_refusal:
        return ""
    asked_ms = [moment for moment in facts.person.asked_for_consent_at_ms if moment <= now_ms]
    if not asked_ms:
        return ""
    return f"the person was asked on {day_of(max(asked_ms))} and has not agreed, which is a refusal"


def _why_not_ask(
    request: ConsentRequest, message: CustomerMessage, facts: Facts, now_ms: int, standing: Standing
) -> str:
    """Why the person may not be asked for consent, or an empty text."""
    if standing.refused:
        return f"the person must not be asked again: {standing.why_none}"
    asked_ms = [moment for moment in facts.person.asked_for_consent_at_ms if moment <= now_ms]
    if len(asked_ms) >= request.times:
        return f"the person was already asked for consent, on {day_of(max(asked_ms))}"
    if request.form is not None and message.template != request.form:
        return f"a request for consent is made on {request.form}: name it as the message's template"
    stated = {entry.strip() for entry in (message.metadata or {}).get("states", "").split(",")}
    missing = [entry for entry in request.must_state if entry not in stated]
    if missing:
        return f"a request for consent has to state {', '.join(missing)}: say so in its metadata, under states"
    return ""


def _shortcoming(wanted: ConsentParameters, consent: Consent, now_ms: int) -> str:
    """What is to be noted of a consent that counts, or an empty text."""
    if wanted.without_proof == "annotate" and missing_of(consent, (RecordItem.PROOF,), now_ms):
        return "nothing was kept that proves it, and the sender has to prove it"
    period = wanted.result_told_within
    told_ms = consent.details.result_told_at_ms
    if (
        period is not None
        and now_ms >= end_of(consent.recorded_at_ms, period)
        and (told_ms is None or told_ms > now_ms)
    ):
        return f"the person was not told within {in_words(period)} that it was recorded"
    return ""


def _is_recognisable(message: CustomerMessage, words: tuple[str, ...]) -> bool:
    seen = shown(message.content)
    subject = seen.subject.casefold()
    return any(word.casefold() in subject or seen.says(word) for word in words)


def _answer(facts: Facts, registry: str) -> RegistryAnswer | None:
    wanted = registry_id(registry)
    return next((answer for answer in facts.registries if answer.registry == wanted and answer.known), None)


def _midnight_ms(day: datetime.date) -> int:
    return (day - _EPOCH).days * DAY_MS


_EPOCH = datetime.date(1970, 1, 1)
