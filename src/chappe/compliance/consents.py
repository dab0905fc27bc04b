"""Reading a person's consent record: which grants stand, and how strong they are.

The record only grows. A grant stands from the moment it was recorded until it expires or a later entry for the same
purpose withdraws it, on its channel or on all; of a grant and a withdrawal of the same millisecond the withdrawal
counts as the later. A withdrawal that was recorded after the moment of the decision counts all the same.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from chappe.compliance.facts import Consent
from chappe.model.customer import Channel, Purpose

DAY_MS = 86_400_000
_NEVER_MS = -(2**62)


class Standing(msgspec.Struct, frozen=True):
    """What the record comes to: the strongest grant that stands, or why there is none."""

    consent: Consent | None
    why_none: str = ""


NO_RECORD = Standing(None, "there is no consent on record")


def standing_consent(
    consents: Sequence[Consent],
    channel: Channel,
    purpose: Purpose,
    now_ms: int,
    *,
    per_channel: bool = False,
    implied_for_days: int | None = None,
) -> Standing:
    """The strongest consent to messages of this channel and purpose that stands now.

    With `per_channel`, a grant must name the channel (a withdrawal need not). With `implied_for_days`, a
    grant of the level "implied" ends so many days after it was recorded, if not before.
    """
    withdrawn_at_ms = _last_withdrawal_ms(consents, channel, purpose)
    best: Consent | None = None
    lapsed: Consent | None = None
    for consent in consents:
        named = consent.channel is channel or (consent.channel is None and not per_channel)
        if not (named and consent.granted and consent.purpose is purpose):
            continue
        if consent.recorded_at_ms <= withdrawn_at_ms or consent.recorded_at_ms > now_ms:
            continue
        if now_ms >= _ends_at_ms(consent, implied_for_days):
            lapsed = consent
        elif best is None or consent.strength.rank > best.strength.rank:
            best = consent
    if best is not None:
        return Standing(best)
    return _why_none([c for c in consents if c.recorded_at_ms <= now_ms], withdrawn_at_ms, lapsed, implied_for_days)


def _last_withdrawal_ms(consents: Sequence[Consent], channel: Channel, purpose: Purpose) -> int:
    last = _NEVER_MS
    for consent in consents:
        covers = consent.purpose is purpose and (consent.channel is None or consent.channel is channel)
        if covers and not consent.granted and consent.recorded_at_ms > last:
            last = consent.recorded_at_ms
    return last


def _ends_at_ms(consent: Consent, implied_for_days: int | None) -> int:
    ends = -_NEVER_MS if consent.expires_at_ms is None else consent.expires_at_ms
    if implied_for_days is not None and consent.strength.rank == 0:
        ends = min(ends, consent.recorded_at_ms + implied_for_days * DAY_MS)
    return ends


def _why_none(
    consents: Sequence[Consent], withdrawn_at_ms: int, lapsed: Consent | None, implied_for_days: int | None
) -> Standing:
    if lapsed is not None:
        return Standing(None, f"the consent expired on {day_of(_ends_at_ms(lapsed, implied_for_days))}")
    if withdrawn_at_ms != _NEVER_MS:
        return Standing(None, f"consent was withdrawn on {day_of(withdrawn_at_ms)}")
    if consents:
        return Standing(None, "the consents on record are for other channels or purposes")
    return NO_RECORD


def day_of(moment_ms: int) -> str:
    """The UTC date of a moment, as in 2026-03-01."""
    return _iso_date(moment_ms // DAY_MS)


@lru_cache(maxsize=4_096)
def _iso_date(day: int) -> str:
    try:
        return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
    except OverflowError:
        return "a day beyond the calendar"
