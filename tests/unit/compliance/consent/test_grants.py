"""Which grants of a consent record stand."""

from __future__ import annotations

from typing import Any

import pytest

from chappe.compliance.consent.grants import day_of, standing_consent
from chappe.compliance.facts.recipient import Consent, ConsentDetails, ConsentLevel
from chappe.model.customer import Channel, Purpose

DAY_MS = 86_400_000
NOW_MS = 400 * DAY_MS


def entry(granted: bool = True, **fields: Any) -> Consent:
    defaults: dict[str, Any] = {
        "channel": Channel.EMAIL,
        "purpose": Purpose.PROMOTIONAL,
        "granted": granted,
        "recorded_at_ms": NOW_MS - DAY_MS,
    }
    return Consent(**(defaults | fields))


def standing(*record: Consent, **options: Any) -> Consent | None:
    return standing_consent(record, Channel.EMAIL, Purpose.PROMOTIONAL, NOW_MS, **options).consent


def test_an_empty_record_has_none_and_says_so() -> None:
    found = standing_consent((), Channel.EMAIL, Purpose.PROMOTIONAL, NOW_MS)
    assert found.consent is None
    assert found.why_none == "there is no consent on record"


def test_a_grant_for_the_channel_or_for_all_stands() -> None:
    assert standing(entry()) is not None
    assert standing(entry(channel=None)) is not None


def test_a_grant_for_another_channel_or_purpose_does_not() -> None:
    assert standing(entry(channel=Channel.SMS)) is None
    assert standing(entry(purpose=Purpose.TRANSACTIONAL)) is None


def test_per_channel_wants_the_channel_named() -> None:
    assert standing(entry(channel=None), per_channel=True) is None
    assert standing(entry(), per_channel=True) is not None


@pytest.mark.parametrize("channel", [Channel.EMAIL, None])
def test_a_later_withdrawal_ends_it(channel: Channel | None) -> None:
    withdrawal = entry(granted=False, channel=channel, recorded_at_ms=NOW_MS - 1)
    assert standing(entry(), withdrawal) is None
    assert standing(withdrawal, entry()) is None, "the order of the entries does not matter"
    assert standing(entry(channel=None), withdrawal) is None


def test_a_withdrawal_of_another_channel_or_purpose_does_not_end_it() -> None:
    assert standing(entry(), entry(granted=False, channel=Channel.SMS, recorded_at_ms=NOW_MS)) is not None
    other = entry(granted=False, purpose=Purpose.TRANSACTIONAL, recorded_at_ms=NOW_MS)
    assert standing(entry(), other) is not None


def test_a_new_grant_after_a_withdrawal_stands_and_the_old_one_does_not() -> None:
    old = entry(recorded_at_ms=1, proof="a signed form")
    withdrawal = entry(granted=False, recorded_at_ms=2)
    new = entry(recorded_at_ms=3)
    assert standing(old, withdrawal, new) is new


def test_in_the_same_millisecond_the_withdrawal_wins() -> None:
    assert standing(entry(recorded_at_ms=5), entry(granted=False, recorded_at_ms=5)) is None


def test_a_grant_expires_at_its_moment() -> None:
    assert standing(entry(expires_at_ms=NOW_MS + 1)) is not None
    assert standing(entry(expires_at_ms=NOW_MS)) is None


def test_a_grant_stands_from_the_moment_it_was_recorded() -> None:
    assert standing(entry(recorded_at_ms=NOW_MS)) is not None
    later = entry(recorded_at_ms=NOW_MS + 1)
    assert standing(later) is None
    assert standing_consent([later], Channel.EMAIL, Purpose.PROMOTIONAL, NOW_MS).why_none == (
        "there is no consent on record"
    )


def test_a_grant_to_which_there_is_an_objection_does_not_count() -> None:
    spoilt = entry(recorded_at_ms=1, proof="bought")
    good = entry(recorded_at_ms=2, level=ConsentLevel.IMPLIED)

    def objection(consent: Consent) -> str:
        return "it was bought" if consent.proof == "bought" else ""

    assert standing(spoilt, good, objection=objection) is good
    found = standing_consent([spoilt], Channel.EMAIL, Purpose.PROMOTIONAL, NOW_MS, objection=objection)
    assert (found.consent, found.why_none, found.flawed, found.refused) == (None, "it was bought", True, False)


def test_a_withdrawal_without_a_later_grant_is_a_refusal() -> None:
    def refused(*record: Consent) -> bool:
        return standing_consent(record, Channel.EMAIL, Purpose.PROMOTIONAL, NOW_MS).refused

    assert refused(entry(granted=False))
    assert refused(entry(recorded_at_ms=1), entry(granted=False, recorded_at_ms=2))
    assert not refused(entry(granted=False, recorded_at_ms=1), entry(recorded_at_ms=2, expires_at_ms=3))
    assert not refused(entry())


def test_the_strongest_standing_grant_counts() -> None:
    written = entry(recorded_at_ms=1, level=ConsentLevel.WRITTEN)
    express = entry(recorded_at_ms=2)
    assert standing(written, express) is written


def test_a_grant_is_express_unless_stated() -> None:
    assert entry().strength is ConsentLevel.EXPRESS
    assert entry(proof="form 12").strength is ConsentLevel.EXPRESS
    assert entry(proof="form 12", level=ConsentLevel.WRITTEN).strength is ConsentLevel.WRITTEN
    assert entry(proof="form 12", level=ConsentLevel.IMPLIED).strength is ConsentLevel.IMPLIED
    assert entry(details=ConsentDetails(confirmed_at_ms=1)).strength is ConsentLevel.DOUBLE_OPT_IN
    assert [level.rank for level in ConsentLevel] == [0, 1, 2, 3]


def test_why_none_names_what_happened() -> None:
    def why(*record: Consent) -> str:
        return standing_consent(record, Channel.EMAIL, Purpose.PROMOTIONAL, NOW_MS).why_none

    assert why(entry(expires_at_ms=0)) == "the consent expired on 1970-01-01"
    assert why(entry(granted=False, recorded_at_ms=0)) == "consent was withdrawn on 1970-01-01"
    assert why(entry(channel=Channel.SMS)) == "the consents on record are for other channels or purposes"


def test_days_beyond_the_calendar_do_not_raise() -> None:
    assert day_of(0) == "1970-01-01"
    assert day_of(2**62) == "a day beyond the calendar"
