"""What a grant must be like to count: the terms that a rule makes, and what can be held against a grant.

What would spoil a consent (a box ticked beforehand, a bought list) counts against it where it is on record. What a
consent must have (a notice, a signature, the medium it was given by) must be on record.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

import msgspec

from chappe.compliance.calendar.periods import Period, end_of, in_words
from chappe.compliance.consent.grants import day_of
from chappe.compliance.facts.consents import (
    Consent,
    ConsentBasis,
    ConsentDetails,
    ConsentLevel,
    ConsentMedium,
    ConsentOrigin,
)
from chappe.compliance.facts.person import Person
from chappe.compliance.facts.recipient import Facts
from chappe.model.customer import CustomerMessage

_EVER_MS = 2**62


class RecordItem(StrEnum):
    """Something that has to be kept of a consent."""

    TIMESTAMP = "timestamp"
    """When it was given. The record always has it."""
    TEXT = "text"
    """The wording."""
    SIGNATURE = "signature"
    IP = "ip"
    CONFIRM_TIMESTAMP = "confirm_timestamp"
    PROOF = "proof"
    """Anything that shows it: a proof, the wording, a signature."""


class ImpliedBasis(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A basis on which an implied consent is accepted, for so long; without `within`, until it is withdrawn.

    For a purchase or an inquiry the time runs from the last one, for anything else from the day it was recorded.
    """

    basis: ConsentBasis
    within: Period | None = None


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, cache_hash=True):
    """What a grant must be like to count.

    - `level` is the weakest that will do. `implied` are the only bases on which an implied one does; if there are any,
      a purchase, an inquiry, a contract, a relationship or an address that is known of the person will do without a
      record. A recorded consent that does not say what it rests on has the shortest time of all of them.
    - With `per_channel` a grant must name the channel; with `per_seller` the one who is named in it must be the sender.
    - `express_for` ends a consent that is not implied so long after it was last given or confirmed, and
      `reconfirm_every` ends any.
    - `pre_ticked: false` and `conditional_on_purchase: false` refuse consents of which that is recorded.
    - `given_by` are the only media by which it may have been given, `not_by` those by which it may not.
    - `transferable: false` refuses what was not given to the sender directly, and `forbid` names such origins.
    - `form` is the official form: a consent on another one does not count.
    - `notice` wants it recorded that the person was told beforehand; `notice_languages` are those the notice may be in.
    - `withdraw_as_easy` wants the medium by which it was given among those by which it can be withdrawn, and
      `withdrawable_by` wants each of these among them, where those ways are recorded.
    - `record` is what must be on record of it.
    """

    level: ConsentLevel | None = None
    implied: tuple[ImpliedBasis, ...] = ()
    per_channel: bool = False
    per_seller: bool = False
    express_for: Period | None = None
    reconfirm_every: Period | None = None
    pre_ticked: bool = True
    conditional_on_purchase: bool = True
    given_by: tuple[ConsentMedium, ...] = ()
    not_by: tuple[ConsentMedium, ...] = ()
    transferable: bool = True
    forbid: tuple[ConsentOrigin, ...] = ()
    form: str | None = None
    notice: bool = False
    notice_languages: tuple[str, ...] = ()
    withdraw_as_easy: bool = False
    withdrawable_by: tuple[ConsentMedium, ...] = ()
    record: tuple[RecordItem, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """What a grant is looked at for: one message, what is known, and the moment."""

    terms: Terms
    message: CustomerMessage
    facts: Facts
    now_ms: int

    def objection(self, consent: Consent) -> str:
        """Why the grant does not count, or an empty text."""
        for check in _checks_of(self.terms):
            why = check(consent, self)
            if why:
                return why
        return ""


_Check = Callable[[Consent, Case], str]


@lru_cache(maxsize=10_000)
def _checks_of(terms: Terms) -> tuple[_Check, ...]:
    return tuple(check for applies, check in _CHECKS if applies(terms))


def last_given_ms(consent: Consent, now_ms: int) -> int:
    """When the person last said yes: the grant, its confirmation, or a later one."""
    moments = (consent.details.confirmed_at_ms, consent.details.reconfirmed_at_ms)
    return max([consent.recorded_at_ms, *(m for m in moments if m is not None and m <= now_ms)])


def basis_ends_ms(entry: ImpliedBasis, person: Person, now_ms: int) -> int | None:
    """Until when what is known of the person is such a basis; None if it is none, or no longer."""
    started_ms = _started_ms(entry.basis, person)
    if started_ms is None or started_ms > now_ms:
        return None
    ends_ms = _EVER_MS if entry.within is None else end_of(started_ms, entry.within)
    return ends_ms if now_ms < ends_ms else None


def _started_ms(basis: ConsentBasis, person: Person) -> int | None:
    if basis is ConsentBasis.PURCHASE:
        return person.last_purchase_ms
    if basis is ConsentBasis.INQUIRY:
        return person.last_inquiry_ms
    if basis is ConsentBasis.CONTRACT:
        return (person.customer_since_ms or 0) if person.has_contract else None
    if basis is ConsentBasis.RELATIONSHIP:
        return person.customer_since_ms
    source = person.address_source
    if basis is ConsentBasis.GAVE_ADDRESS:
        return 0 if source is not None and source.from_person else None
    if basis is ConsentBasis.PUBLISHED_ADDRESS:
        return 0 if source is not None and source.value == "published" else None
    return None


def _level(consent: Consent, case: Case) -> str:
    wanted = case.terms.level
    assert wanted is not None
    if consent.strength.rank >= wanted.rank:
        return ""
    return f"only {level_name(consent.strength)} consent was recorded on {day_of(consent.recorded_at_ms)}"


def _implied(consent: Consent, case: Case) -> str:
    if consent.strength is not ConsentLevel.IMPLIED:
        return ""
    basis = consent.details.basis
    fitting = [entry for entry in case.terms.implied if basis is None or entry.basis is basis]
    if not fitting:
        return f"an implied consent that rests on {_name(basis)} does not count"
    ends = [_implied_ends_ms(entry, consent, case) for entry in fitting]
    if case.now_ms < min(ends):
        return ""
    return f"the implied consent expired on {day_of(min(ends))}"


def _implied_ends_ms(entry: ImpliedBasis, consent: Consent, case: Case) -> int:
    if entry.within is None:
        return _EVER_MS
    later_ms = None
    if consent.details.basis in (ConsentBasis.PURCHASE, ConsentBasis.INQUIRY):
        later_ms = _started_ms(entry.basis, case.facts.person)
    if later_ms is None or later_ms > case.now_ms:
        later_ms = consent.recorded_at_ms
    return end_of(max(later_ms, consent.recorded_at_ms), entry.within)


def _express_for(consent: Consent, case: Case) -> str:
    period = case.terms.express_for
    assert period is not None
    if consent.strength is ConsentLevel.IMPLIED:
        return ""
    ends_ms = end_of(last_given_ms(consent, case.now_ms), period)
    return "" if case.now_ms < ends_ms else f"the consent expired on {day_of(ends_ms)}"


def _reconfirmed(consent: Consent, case: Case) -> str:
    period = case.terms.reconfirm_every
    assert period is not None
    given_ms = last_given_ms(consent, case.now_ms)
    if case.now_ms < end_of(given_ms, period):
        return ""
    return (
        f"the consent was last confirmed on {day_of(given_ms)} and has to be confirmed every {in_words(period)}: "
        "ask the person and record reconfirmed_at_ms"
    )


def _seller(consent: Consent, case: Case) -> str:
    named = consent.details.seller
    if named is None:
        return ""
    sender = case.facts.sender
    ours = {name.casefold() for name in (sender.name, sender.legal_name, case.message.sender) if name}
    return "" if named.casefold() in ours else f"the consent was given to {named}, not to the sender"


def _origin(consent: Consent, case: Case) -> str:
    origin = consent.details.origin
    if origin is None or origin is ConsentOrigin.DIRECT:
        return ""
    if case.terms.transferable and origin not in case.terms.forbid:
        return ""
    return f"the consent comes from {_name(origin)}, and consent cannot be handed on"


def _pre_ticked(consent: Consent, case: Case) -> str:
    return "the box for the consent was ticked beforehand" if consent.details.pre_ticked else ""


def _conditional(consent: Consent, case: Case) -> str:
    return "the consent was made a condition of a purchase" if consent.details.conditional_on_purchase else ""


def _medium(consent: Consent, case: Case) -> str:
    medium, terms = consent.details.given_by, case.terms
    if medium in terms.not_by:
        return f"a consent given by {_name(medium)} does not count"
    if terms.given_by and medium not in terms.given_by:
        wanted = " or ".join(_name(entry) for entry in terms.given_by)
        return f"it is not on record that the consent was given by {wanted}"
    return ""


def _form(consent: Consent, case: Case) -> str:
    form, wanted = consent.details.form, case.terms.form
    if form is None or wanted is None or form.casefold() == wanted.casefold():
        return ""
    return f"the consent was given on {form} instead of {wanted}"


def _notice(consent: Consent, case: Case) -> str:
    told_ms = consent.details.notice_at_ms
    if told_ms is None or told_ms > consent.recorded_at_ms:
        return "it is not on record that the person was told beforehand what the data is for"
    return ""


def _notice_language(consent: Consent, case: Case) -> str:
    language = consent.details.notice_language
    if language is None or language.partition("-")[0].lower() in case.terms.notice_languages:
        return ""
    return f"the notice was given in a language ({language}) that is not among those it may be in"


def _withdrawable(consent: Consent, case: Case) -> str:
    ways, given_by = consent.details.withdrawable_by, consent.details.given_by
    if ways is None:
        return ""
    wanted = case.terms.withdrawable_by
    if case.terms.withdraw_as_easy and given_by is not None:
        wanted = (*wanted, given_by)
    missing = [_name(medium) for medium in wanted if medium not in ways]
    return f"the consent cannot be withdrawn by {' or '.join(missing)}" if missing else ""


def _record(consent: Consent, case: Case) -> str:
    missing = missing_of(consent, case.terms.record, case.now_ms)
    return f"of the consent this is not on record: {', '.join(missing)}" if missing else ""


def missing_of(consent: Consent, items: tuple[RecordItem, ...], now_ms: int) -> list[str]:
    """What of these is not on record of a consent, in words."""
    details = consent.details
    return [_name(item) for item in items if not _KEPT[item](consent, details, now_ms)]


def _confirmed(consent: Consent, details: ConsentDetails, now_ms: int) -> bool:
    return details.confirmed_at_ms is not None and details.confirmed_at_ms <= now_ms


_KEPT: dict[RecordItem, Callable[[Consent, ConsentDetails, int], bool]] = {
    RecordItem.TIMESTAMP: lambda c, d, n: True,
    RecordItem.TEXT: lambda c, d, n: bool(d.wording),
    RecordItem.SIGNATURE: lambda c, d, n: bool(d.signature),
    RecordItem.IP: lambda c, d, n: bool(d.ip),
    RecordItem.CONFIRM_TIMESTAMP: _confirmed,
    RecordItem.PROOF: lambda c, d, n: bool(c.proof or d.wording or d.signature),
}

_CHECKS: tuple[tuple[Callable[[Terms], bool], _Check], ...] = (
    (lambda t: t.level not in (None, ConsentLevel.IMPLIED), _level),
    (lambda t: bool(t.implied), _implied),
    (lambda t: t.express_for is not None, _express_for),
    (lambda t: t.reconfirm_every is not None, _reconfirmed),
    (lambda t: t.per_seller or not t.transferable, _seller),
    (lambda t: not t.transferable or bool(t.forbid), _origin),
    (lambda t: not t.pre_ticked, _pre_ticked),
    (lambda t: not t.conditional_on_purchase, _conditional),
    (lambda t: bool(t.given_by or t.not_by), _medium),
    (lambda t: t.form is not None, _form),
    (lambda t: t.notice, _notice),
    (lambda t: bool(t.notice_languages), _notice_language),
    (lambda t: t.withdraw_as_easy or bool(t.withdrawable_by), _withdrawable),
    (lambda t: bool(t.record), _record),
)


def level_name(level: ConsentLevel) -> str:
    """As in "double opt in"."""
    return _LEVEL_NAMES[level]


_LEVEL_NAMES = {level: level.value.replace("_", " ") for level in ConsentLevel}


def _name(entry: StrEnum | None) -> str:
    return "nothing that is recorded" if entry is None else entry.value.replace("_", " ")
