"""Reading a person's consent record: which grants stand, and how strong they are.

The record only grows. A grant stands from the moment it was recorded until it expires or a later entry for the same
purpose withdraws it, on its channel or on all; of a grant and a withdrawal of the same millisecond the withdrawal
counts as the later. A withdrawal that was recorded after the moment of the decision counts all the same.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from chappe.compliance.facts.consents import Consent
from chappe.model.customer import Channel, Purpose

DAY_MS = 86_400_000
_NEVER_MS = -(2**62)

Objection = Callable[[Consent], str]
"""Why a grant does not count, or an empty text if it does."""


class Standing(msgspec.Struct, frozen=True):
    """What the record comes to: the strongest grant that stands, or why there is none.

    `refused` says that the last word on record is a withdrawal; `flawed` that a grant is on record which stands but was
    objected to.
    """

    consent: Consent | None
    why_none: str = ""
    refused: bool = False
    flawed: bool = False


NO_RECORD = Standing(None, "there is no consent on record")


def standing_consent(
    consents: Sequence[Consent],
    channel: Channel,
    purpose: Purpose,
    now_ms: int,
    *,
    per_channel: bool = False,
    objection: Objection | None = None,
) -> Standing:
    """The strongest consent to messages of this channel and purpose that stands now.

    With `per_channel`, a grant must name the channel (a withdrawal need not). A grant to which there is an `objection`
    does not count.
    """
    if not consents:
        return NO_RECORD
    withdrawn_at_ms = _last_withdrawal_ms(consents, channel, purpose)
    best: Consent | None = None
    refused = withdrawn_at_ms != _NEVER_MS
    flawed = False
    why = ""
    for consent in consents:
        if not consent.granted or consent.purpose is not purpose or consent.recorded_at_ms <= withdrawn_at_ms:
            continue
        if not (consent.channel is channel or consent.channel is None) or consent.recorded_at_ms > now_ms:
            continue
        refused = False
        if consent.channel is None and per_channel:
            why = why or "the consent on record names no channel"
            continue
        if consent.expires_at_ms is not None and now_ms >= consent.expires_at_ms:
            why = why or f"the consent expired on {day_of(consent.expires_at_ms)}"
            continue
        if best is not None and _strength(consent) <= _strength(best):
            continue
        flaw = "" if objection is None else objection(consent)
        if flaw:
            flawed, why = True, flaw
        else:
            best = consent
    if best is not None:
        return Standing(best, flawed=flawed)
    return Standing(None, why or _why_none(consents, withdrawn_at_ms, now_ms), refused, flawed)


def _strength(consent: Consent) -> tuple[int, int]:
    """The stronger counts, of equals the later."""
    return consent.strength.rank, consent.recorded_at_ms


def _last_withdrawal_ms(consents: Sequence[Consent], channel: Channel, purpose: Purpose) -> int:
    last = _NEVER_MS
    for consent in consents:
        covers = consent.purpose is purpose and (consent.channel is None or consent.channel is channel)
        if covers and not consent.granted and consent.recorded_at_ms > last:
            last = consent.recorded_at_ms
    return last


def _why_none(consents: Sequence[Consent], withdrawn_at_ms: int, now_ms: int) -> str:
    if withdrawn_at_ms != _NEVER_MS:
        return f"consent was withdrawn on {day_of(withdrawn_at_ms)}"
    if any(consent.recorded_at_ms <= now_ms for consent in consents):
        return "the consents on record are for other channels or purposes"
    return NO_RECORD.why_none


def day_of(moment_ms: int) -> str:
    """The UTC date of a moment, as in 2026-03-01."""
    return _iso_date(moment_ms // DAY_MS)


@lru_cache(maxsize=4_096)
def _iso_date(day: int) -> str:
    try:
        return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
    except OverflowError:
        return "a day beyond the calendar"
