"""dnc_registry: registers in which people object to advertising, agree to it, or gave up a number.

What a register says is looked up by the copy of it that was imported. A copy that is missing or too old stops a message
(`if_unknown` says otherwise): that nobody looked is not that nobody is listed. A copy that was imported as another kind
of register than the rule takes it for counts as missing.

`informs` is for people, and has no part in a verdict.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from chappe.compliance.calendar.public_holidays import has_calendar
from chappe.compliance.consent.grants import day_of
from chappe.compliance.consent.listings import Granularity, bites_from_ms, is_about, statements_of
from chappe.compliance.consent.releases import Release, registries_of, why_released
from chappe.compliance.content.way_out import way_out
from chappe.compliance.facts.consents import Consent
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.facts.registries import Listing, RegistryAnswer, RegistryKind, registry_id
from chappe.compliance.rule.base import Category, StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.customer import Amendment, Channel, CustomerMessage, Outcome, Place, Purpose, RuleOutcome
from chappe.model.jurisdictions import lineage

DAY_MS = 86_400_000
CONSENT_REQUEST = "consent_request"
"""The category of a message that asks for consent."""
_START_CHARACTERS = 160


class Emergency(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A declared emergency, in the rule's jurisdiction or in `place` within it. It ends before `until`, once known."""

    since: datetime.date
    until: datetime.date | None = None
    place: str | None = None

    def covers(self, jurisdiction: str | None, now_ms: int) -> bool:
        day = (datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=now_ms)).isoformat()
        if self.place is not None and self.place not in lineage(jurisdiction):
            return False
        return self.since.isoformat() <= day and (self.until is None or day < self.until.isoformat())


class RegistryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which registers, whom they are about, and what frees a message from them.

    `registry` and those of `also` are all asked. A copy must not be older than `max_scrub_age_days`, nor, when a
    message is handed in, older than `before_campaign_days`. With `positive_register` it lists those who have agreed,
    and who is not on it has not. With `compare: consent_date` it lists numbers that changed hands: one that was given
    up after the last consent was recorded belongs to somebody else by now.

    An entry counts when it is about the message: by the register's own `lists` for each channel, by `granularity`, and
    unless its word is one that `lets_through`. It has to be respected `grace_days` (or `grace_working_days`, by the
    public holidays of the rule's country) after it was made. With `unlisted_numbers_too` the register is a directory,
    and a number that is not in it is treated like one whose entry forbids advertising.

    `sectors` are the trades the register is about; of `other_sectors` it is not, and their messages are left alone.
    `exempt` are cases in which a message goes to somebody listed; with `wipes_prior_consents` a consent has to be later
    than the entry. In an emergency of `emergencies` nothing goes but what is exempt.

    `consent_requests_max` bounds how often those who are not listed may be asked for consent (messages of the category
    `consent_request`). `offer_internal_dnc_at_start` puts the way to be left alone at the start of what is not exempt.
    `marketer_must_register` asks that the sender's profile have an entry in the register itself.
    """

    registry: Annotated[str, msgspec.Meta(min_length=1)]
    also: tuple[str, ...] = ()
    max_scrub_age_days: Annotated[int, msgspec.Meta(ge=1)] | None = None
    before_campaign_days: Annotated[int, msgspec.Meta(ge=1)] | None = None
    if_unknown: Literal["block", "annotate", "allow"] = "block"
    positive_register: bool = False
    compare: Literal["listing", "consent_date"] = "listing"
    lists: dict[Channel, tuple[str, ...]] = {}
    granularity: tuple[Granularity, ...] = ()
    lets_through: tuple[str, ...] = ()
    grace_days: Annotated[int, msgspec.Meta(ge=0)] = 0
    grace_working_days: Annotated[int, msgspec.Meta(ge=0, le=250)] = 0
    unlisted_numbers_too: bool = False
    sectors: tuple[Category, ...] = ()
    other_sectors: tuple[Category, ...] = ()
    exempt: tuple[Release, ...] = ()
    wipes_prior_consents: bool = False
    emergencies: tuple[Emergency, ...] = ()
    consent_requests_max: Annotated[int, msgspec.Meta(ge=0)] | None = None
    offer_internal_dnc_at_start: bool = False
    marketer_must_register: bool = False
    informs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(registry_id(name) for name in (self.registry, *self.also)):
            raise ValueError("registry: a name needs at least one letter or digit")
        if self.positive_register and (self.compare == "consent_date" or self.unlisted_numbers_too):
            raise ValueError("positive_register: goes with neither compare nor unlisted_numbers_too")
        if any(release.naming_hours for release in self.exempt):
            raise ValueError("exempt: naming_hours is for rules about hours")

    @property
    def kind(self) -> RegistryKind:
        """The kind of register that the rule takes it for."""
        if self.positive_register:
            return RegistryKind.POSITIVE
        return RegistryKind.REASSIGNED if self.compare == "consent_date" else RegistryKind.DO_NOT_CALL


class RegistryRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="dnc_registry"):
    """Blocks what goes to somebody listed (or, in a register of consents, not listed), or notes it (`annotate`)."""

    parameters: RegistryParameters

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.parameters.grace_working_days and not has_calendar(self._country):
            raise ValueError(f"parameters.grace_working_days: no public holidays are known for {self._country!r}")

    @property
    def registries(self) -> tuple[str, ...]:
        return (*self._asked, *registries_of(self.parameters.exempt))

    @property
    def named_categories(self) -> tuple[Category, ...]:
        return (*self.categories, *self.parameters.other_sectors)

    def binds(self, channel: Channel, purpose: Purpose, category: str | None = None) -> bool:
        if category is not None and category in self.parameters.other_sectors:
            return False
        return super().binds(channel, purpose, category)

    @property
    def swayed_by(self) -> Input:
        asked = self.parameters
        inputs = Input.REGISTRIES
        if asked.exempt:
            inputs |= Input.CONSENTS | Input.PERSON
        return inputs if asked.consent_requests_max is None else inputs | Input.PERSON | Input.CATEGORY

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        wanted = self.parameters
        if wanted.marketer_must_register and not self._sender_is_registered(facts, now_ms):
            return self.broken(
                f"the sender must be registered with {wanted.registry}: add the entry to registrations in its profile"
            )
        asked = self._asked
        found = [answer for answer in facts.registries if answer.registry in asked]
        known = [answer for answer in found if answer.known and self._is_of_kind(answer)]
        listings = [
            (answer, listing)
            for answer in known
            for listing in answer.listings
            if self._counts(listing, message, facts, now_ms)
        ]
        if wanted.exempt:
            listed_at_ms = max((entry.since_ms for _, entry in listings if entry.since_ms is not None), default=None)
            released = why_released(self._exempt, message, facts, now_ms, listed_at_ms)
            if released:
                return self.kept(released)
        if wanted.emergencies and any(emergency.covers(facts.jurisdiction, now_ms) for emergency in wanted.emergencies):
            return self.broken(
                "an emergency has been declared there, and only what the recipient asked for may be sent"
            )
        stale = self._stale(found, known, message, now_ms)
        if listings and not wanted.positive_register:
            return self._of_listing(*listings[0], message, facts, now_ms)
        if stale:
            return self._unknown(stale)
        if wanted.positive_register and not listings:
            return self.broken(f"{self._names} does not show that the recipient agreed to messages on this channel")
        if wanted.unlisted_numbers_too and not any(answer.listed for answer in known):
            return self.broken(f"the number is not in {self._names}, and is treated like one that forbids advertising")
        return self._of_unlisted(message, facts, now_ms)

    @property
    def _asked(self) -> tuple[str, ...]:
        return _ids(self.parameters.registry, self.parameters.also)

    @property
    def _names(self) -> str:
        return " and ".join((self.parameters.registry, *self.parameters.also))

    @property
    def _country(self) -> str:
        return self.jurisdiction.partition("-")[0]

    @property
    def _exempt(self) -> tuple[Release, ...]:
        if not self.parameters.wipes_prior_consents:
            return self.parameters.exempt
        return tuple(
            msgspec.structs.replace(release, after_listing=True) if release.consent is not None else release
            for release in self.parameters.exempt
        )

    def _is_of_kind(self, answer: RegistryAnswer) -> bool:
        restricted = answer.kind is RegistryKind.RESTRICTED and self.parameters.kind is RegistryKind.DO_NOT_CALL
        return answer.kind is None or answer.kind is self.parameters.kind or restricted

    def _counts(self, listing: Listing, message: CustomerMessage, facts: Facts, now_ms: int) -> bool:
        wanted = self.parameters
        word = statements_of(listing.category).plain
        if word is not None and (word in wanted.lets_through or not self._is_list_of(word, message.channel)):
            return False
        if not is_about(listing, message, facts, now_ms, wanted.granularity):
            return False
        from_ms = bites_from_ms(listing, wanted.grace_days, wanted.grace_working_days, self._country)
        return from_ms is None or now_ms >= from_ms

    def _is_list_of(self, word: str, channel: Channel) -> bool:
        """Whether an entry on the list of this name is about the channel; a list that nobody knows is about any."""
        lists = self.parameters.lists
        if channel in lists and word in lists[channel]:
            return True
        return not any(word in names for names in lists.values())

    def _stale(
        self, found: list[RegistryAnswer], known: list[RegistryAnswer], message: CustomerMessage, now_ms: int
    ) -> str:
        """Why the answers are not good enough to say that nobody is listed, or an empty text."""
        wanted = self.parameters
        for name, asked in zip((wanted.registry, *wanted.also), self._asked, strict=True):
            answer = next((answer for answer in known if answer.registry == asked), None)
            if answer is None:
                other = next((a for a in found if a.known and a.registry == asked), None)
                if other is not None and other.kind is not None:
                    return f"{name} was imported as a register of the kind {other.kind.value}, not {wanted.kind.value}"
                return f"no copy of {name} has been imported"
            as_of_ms = answer.as_of_ms
            for limit, then_ms in (
                (wanted.max_scrub_age_days, now_ms),
                (wanted.before_campaign_days, min(message.created_at_ms, now_ms)),
            ):
                if limit is not None and (as_of_ms is None or then_ms - as_of_ms > limit * DAY_MS):
                    age = "of unknown age" if as_of_ms is None else f"of {day_of(as_of_ms)}"
                    return f"the copy of {name} is {age}, and may be at most {limit} days old"
        return ""

    def _unknown(self, why: str) -> RuleOutcome:
        if self.parameters.if_unknown == "allow":
            return self.kept(why)
        if self.parameters.if_unknown == "annotate":
            return self.noted(why)
        return self.broken(f"{why}; import a current one")

    def _of_listing(
        self, answer: RegistryAnswer, listing: Listing, message: CustomerMessage, facts: Facts, now_ms: int
    ) -> RuleOutcome:
        since = "" if listing.since_ms is None else f" since {day_of(listing.since_ms)}"
        if self.parameters.compare == "listing":
            word = f" ({listing.category})" if listing.category else ""
            return self.broken(f"the recipient is listed in {self._name_of(answer)}{since}{word}")
        given_up_ms = answer.latest_ms
        agreed_ms = _last_consent_ms(facts, message, now_ms)
        if agreed_ms is not None and given_up_ms is not None and agreed_ms > given_up_ms:
            return self.kept(f"the number was given up on {day_of(given_up_ms)}, before consent was recorded")
        when = "at a time unknown" if given_up_ms is None else f"on {day_of(given_up_ms)}"
        return self.broken(
            f"the number was given up {when}, and no later consent is on record: it may be another's now"
        )

    def _of_unlisted(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        wanted = self.parameters
        if wanted.consent_requests_max is not None and message.category == CONSENT_REQUEST:
            asked = sum(1 for at_ms in facts.person.asked_for_consent_at_ms if at_ms <= now_ms)
            if asked >= wanted.consent_requests_max:
                return self.broken(f"the recipient has been asked for consent {asked} times, the most that is allowed")
        positive = wanted.positive_register
        reason = f"the recipient {'has agreed, by' if positive else 'is not listed in'} {self._names}"
        if not wanted.offer_internal_dnc_at_start:
            return self.kept(reason)
        out = way_out(message, facts)
        if out.lacks:
            return self.broken(f"the way to be left alone must be offered at the start, and {out.lacks}")
        if not out.amendments:
            return self.kept(reason)
        start = tuple(Amendment(Place.TEXT_START, amendment.text) for amendment in out.amendments)
        return RuleOutcome(self.id, Outcome.REQUIRE, "the way to be left alone must be offered at the start", start)

    def _name_of(self, answer: RegistryAnswer) -> str:
        names = (self.parameters.registry, *self.parameters.also)
        return next(name for name in names if registry_id(name) == answer.registry)

    def _sender_is_registered(self, facts: Facts, now_ms: int) -> bool:
        name = registry_id(self.parameters.registry)
        today = datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=now_ms)
        return any(
            registry_id(entry.register) == name
            and entry.country in (self.jurisdiction, self._country)
            and (entry.since is None or entry.since <= today)
            and (entry.until is None or today < entry.until)
            for entry in facts.sender.registrations
        )


@lru_cache(maxsize=4_096)
def _ids(registry: str, also: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(registry_id(name) for name in (registry, *also))


def _last_consent_ms(facts: Facts, message: CustomerMessage, now_ms: int) -> int | None:
    """When consent to such messages was last given or confirmed."""
    return max(
        (_given_ms(c) for c in facts.consents if _is_consent(c, message) and _given_ms(c) <= now_ms), default=None
    )


def _is_consent(consent: Consent, message: CustomerMessage) -> bool:
    return consent.granted and consent.purpose is message.purpose and consent.channel in (None, message.channel)


def _given_ms(consent: Consent) -> int:
    details = consent.details
    confirmed = [at_ms for at_ms in (details.confirmed_at_ms, details.reconfirmed_at_ms) if at_ms is not None]
    return max(consent.recorded_at_ms, *confirmed) if confirmed else consent.recorded_at_ms
