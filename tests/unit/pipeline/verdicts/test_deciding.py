from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.pipeline.house import RULES, request

from chappe.model.customer import Purpose, Recipient, Status
from chappe.pipeline.acceptance.normalise import normalise
from chappe.pipeline.envelope import Envelope, from_body, to_body
from chappe.pipeline.verdicts.deciding import UNRECORDED_GRACE_MS, Next, Step, decide_at_intake, decide_before_attempt
from chappe.records import ids
from chappe.records.knowledge import Known
from chappe.records.people import SuppressionRecord

NOW_MS = 1_767_261_600_000
"""1 January 2026, 10:00 UTC."""


def envelope(*, recovered: bool = False, attempts_before: int = 0, **fields: Any) -> Envelope:
    message = normalise(request(**fields), message_id=ids.key_text(ids.MESSAGE, 1), now_ms=NOW_MS - 1_000)
    return Envelope(message, recovered=recovered, attempts_before=attempts_before)


def at_intake(known: Known, wrapped: Envelope | None = None, *, sent_at_ms: int = NOW_MS) -> Step:
    return decide_at_intake(wrapped or envelope(), known, RULES, NOW_MS, sent_at_ms=sent_at_ms)


def before_attempt(known: Known, wrapped: Envelope | None = None, *, sent_at_ms: int = NOW_MS) -> Step:
    return decide_before_attempt(wrapped or envelope(), known, RULES, NOW_MS, sent_at_ms=sent_at_ms)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ACCEPTED, Next.GO),
        (Status.QUEUED, Next.GO),
        (Status.DEFERRED, Next.GO),
        (Status.SENDING, Next.DROP),
        (Status.SENT, Next.DROP),
        (Status.CANCELLED, Next.DROP),
        (Status.FAILED, Next.DROP),
        (Status.EXPIRED, Next.DROP),
    ],
)
def test_intake_works_on_what_has_not_gone_on(status: Status, expected: Next) -> None:
    assert at_intake(Known(status, 0)).next is expected


def test_a_recovered_copy_is_dropped_once_the_other_has_gone_on() -> None:
    assert at_intake(Known(Status.ACCEPTED, 0), envelope(recovered=True)).next is Next.GO
    assert at_intake(Known(Status.QUEUED, 0), envelope(recovered=True)).next is Next.DROP


@pytest.mark.parametrize("decide", [at_intake, before_attempt])
def test_a_queue_message_without_a_record_is_left_for_a_while_and_then_dropped(decide: Any) -> None:
    missing = Known(None, 0)
    assert decide(missing, sent_at_ms=NOW_MS - UNRECORDED_GRACE_MS + 1).next is Next.LEAVE
    assert decide(missing, sent_at_ms=NOW_MS - UNRECORDED_GRACE_MS).next is Next.DROP


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ACCEPTED, Next.GO),
        (Status.QUEUED, Next.GO),
        (Status.SENDING, Next.GO),
        (Status.DEFERRED, Next.GO),
        (Status.SENT, Next.DROP),
        (Status.DELIVERED, Next.DROP),
        (Status.UNDELIVERED, Next.DROP),
        (Status.BLOCKED, Next.DROP),
        (Status.CANCELLED, Next.DROP),
        (Status.FAILED, Next.DROP),
    ],
)
def test_an_attempt_is_made_for_what_is_under_way(status: Status, expected: Next) -> None:
    assert before_attempt(Known(status, 0)).next is expected


def test_a_dead_letter_that_was_moved_back_gets_another_life_once() -> None:
    moved_back = envelope(attempts_before=7)
    assert before_attempt(Known(Status.FAILED, 7), moved_back).next is Next.GO
    assert before_attempt(Known(Status.FAILED, 14), moved_back).next is Next.DROP
    assert before_attempt(Known(Status.FAILED, 7), envelope()).next is Next.DROP
    assert before_attempt(Known(Status.FAILED, 0), envelope()).next is Next.DROP
    never_tried = msgspec.structs.replace(envelope(), dead=True)
    assert before_attempt(Known(Status.FAILED, 0), never_tried).next is Next.GO


def test_intake_decides_a_dead_letter_again_only_if_the_lane_asked_for_it() -> None:
    moved_back = envelope(attempts_before=7)
    assert at_intake(Known(Status.FAILED, 7), moved_back).next is Next.DROP
    readmitted = msgspec.structs.replace(moved_back, readmitted=True)
    assert at_intake(Known(Status.FAILED, 7), readmitted).next is Next.GO
    assert at_intake(Known(Status.SENT, 8), readmitted).next is Next.DROP


@pytest.mark.parametrize("decide", [at_intake, before_attempt])
def test_rules_and_expiry_are_asked_at_both_ends(decide: Any) -> None:
    to = Recipient(email="ana@example.com")
    stop = SuppressionRecord(1, to, None, None, "asked", NOW_MS - 5)
    blocked = decide(Known(Status.QUEUED, 0, suppressions=(stop,)))
    assert (blocked.next, blocked.status) == (Next.END, Status.BLOCKED)
    assert [rule.id for rule in blocked.decision.rules if rule.outcome == "block"]
    no_consent = decide(Known(Status.QUEUED, 0), envelope(purpose=Purpose.PROMOTIONAL))
    assert no_consent.status is Status.BLOCKED
    message = envelope().message
    expired = Envelope(
        type(message)(**{f: getattr(message, f) for f in message.__struct_fields__} | {"expires_at_ms": NOW_MS})
    )
    assert decide(Known(Status.QUEUED, 0), expired) == Step(Next.END, Status.EXPIRED)


def test_envelopes_are_text_and_come_back() -> None:
    wrapped = envelope(recovered=True, attempts_before=3)
    body = to_body(wrapped)
    assert body.decode()
    assert from_body(body) == wrapped
    assert wrapped.key == 1


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"{}", b"[1]", b"\xff", b"[" * 100_000, to_body(envelope()).replace(b"msg_", b"xyz_")]
)
def test_what_is_no_envelope_is_noticed(body: bytes) -> None:
    assert from_body(body) is None
