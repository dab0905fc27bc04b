"""What the duty rules ask of records and requests, all together."""

from __future__ import annotations

import pytest
from tests.unit.compliance.conftest import utc_ms

from chappe.compliance.rule.record_kinds import History, RecordKind, Since, Subject
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.rule_sets.duties import FOR_GOOD_MS, Duties
from chappe.model.customer import Channel, Purpose


@pytest.fixture(scope="module")
def duties() -> Duties:
    return Duties(read_rules(packaged_rule_files()))


NOW_MS = utc_ms("2026-06-01")


def test_the_longest_period_counts_and_outlasts_a_shorter_limit(duties: Duties) -> None:
    consent = History(made_ms=utc_ms("2024-06-01"))
    keeping = duties.keeping("DE", RecordKind.CONSENT, consent, NOW_MS, channel=Channel.VOICE)
    assert keeping.until_ms == utc_ms("2029-06-01"), "five years in Germany, three in the Union"
    assert keeping.by_ms == keeping.until_ms, "the storage limit gives way to the duty"
    assert keeping.must_keep(NOW_MS)
    assert not keeping.must_delete(NOW_MS)
    assert keeping.must_delete(utc_ms("2029-06-01"))
    assert {"de-uwg-7a-consent-retention", "eu-gdpr-consent-proof"} <= {*keeping.rules}


def test_a_duty_is_only_about_its_channel_and_purpose(duties: Duties) -> None:
    consent = History(made_ms=utc_ms("2024-06-01"))
    by_mail = duties.keeping("DE", RecordKind.CONSENT, consent, NOW_MS, channel=Channel.EMAIL)
    assert by_mail.until_ms == utc_ms("2027-06-01")
    codes = duties.keeping("DE", RecordKind.CONSENT, consent, NOW_MS, purpose=Purpose.TRANSACTIONAL)
    assert codes.until_ms is None


def test_what_nothing_is_said_of_may_be_kept_or_not(duties: Duties) -> None:
    keeping = duties.keeping(None, RecordKind.PERSON, History(made_ms=0), NOW_MS)
    assert (keeping.must_keep(NOW_MS), keeping.must_delete(NOW_MS)) == (False, False)


def test_a_relationship_that_goes_on_keeps_its_records(duties: Duties) -> None:
    keeping = duties.keeping("CA", RecordKind.CONSENT, History(made_ms=0), NOW_MS)
    assert keeping.until_ms == FOR_GOOD_MS


def test_a_child_needs_a_period(duties: Duties) -> None:
    made = History(made_ms=utc_ms("2026-05-01"))
    assert duties.keeping("US", RecordKind.PERSON, made, NOW_MS, subject=Subject.CHILD).must_delete(NOW_MS)
    with_policy = duties.keeping("US", RecordKind.PERSON, made, NOW_MS, subject=Subject.CHILD, retention_days=60)
    assert with_policy.by_ms == utc_ms("2026-06-30")


def test_a_request_to_be_forgotten(duties: Duties) -> None:
    received_ms = utc_ms("2026-01-31")
    in_union = duties.erasure("FR", received_ms)
    assert (in_union.acknowledge_by_ms, in_union.complete_by_ms) == (None, utc_ms("2026-02-28"))
    assert in_union.keep_suppression
    in_california = duties.erasure("US-CA", received_ms)
    assert in_california.acknowledge_by_ms == utc_ms("2026-02-10")
    assert in_california.extended_to_ms == utc_ms("2026-05-01")
    assert not in_california.keep_suppression
    assert duties.erasure("US-NY", received_ms).complete_by_ms is None


def test_what_a_record_must_hold_and_what_a_complaint_leads_to(duties: Duties) -> None:
    assert "text_shown" in duties.wanted_fields("DE", RecordKind.CONSENT, NOW_MS, purpose=Purpose.PROMOTIONAL)
    assert duties.wanted_fields("DE", RecordKind.SEND_LOG, NOW_MS) == ()
    assert duties.reactions(None, "7726", NOW_MS) == ("suppress", "review")


@pytest.mark.parametrize("since", [Since.LAST_USED, Since.LAST_SENT, Since.LAST_CONTACT])
def test_what_never_happened_is_counted_from_the_making(since: Since) -> None:
    assert History(made_ms=7).moment_ms(since) == 7
    assert History(made_ms=7, last_used_ms=9, last_sent_ms=9, last_contact_ms=9).moment_ms(since) == 9
