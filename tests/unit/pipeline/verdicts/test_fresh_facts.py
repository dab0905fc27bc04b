"""Facts that are used again: never once anything they depend on may have changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.clocks import ManualClock

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.facts.registries import RegistryAnswer
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient, Status
from chappe.pipeline.names import VISIBILITY_MS
from chappe.pipeline.verdicts.fresh_facts import GOOD_FOR_MS, FreshFacts
from chappe.records import ids
from chappe.records.idempotency import Answer
from chappe.records.messages import NewMessages
from chappe.records.people import SuppressionRecord
from chappe.records.recipients import recipient_text
from chappe.records.steps import Transition
from chappe.records.store import Records
from chappe.records.timeline import Event

ANA, BOB = Recipient(email="ana@example.com"), Recipient(email="bob@example.com")
FACTS = Facts("ES", ("Europe/Madrid",))
RULES = RuleSet(())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def records(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Records]:
    opened = await Records.open(tmp_path, now_ms=clock)
    yield opened
    await opened.close()


class _Desk:
    """Keeps facts of one message to Ana and asks for them."""

    def __init__(self, records: Records, clock: ManualClock, kept: int = 100) -> None:
        self.fresh = FreshFacts(records, kept)
        self._clock = clock
        self.keep(1)

    def keep(self, key: int, facts: Facts = FACTS) -> None:
        self.fresh.keep(key, facts, RULES, self.fresh.mark(), self._clock())

    def take(self, key: int = 1, *, rules: RuleSet = RULES, capped: bool = True) -> Facts | None:
        found = self.fresh.take(key, recipient_text(ANA), rules, self._clock(), capped=capped)
        return None if found is None else found[0]


async def test_facts_are_handed_out_once(records: Records, clock: ManualClock) -> None:
    desk = _Desk(records, clock)
    assert desk.take(2) is None
    assert desk.take() is FACTS
    assert desk.take() is None


async def test_facts_grow_old_before_a_queue_shows_a_message_again(records: Records, clock: ManualClock) -> None:
    assert 2 * GOOD_FOR_MS <= VISIBILITY_MS  # those of acceptance may be handed on once
    desk = _Desk(records, clock)
    clock.advance(GOOD_FOR_MS)
    assert desk.take() is FACTS
    desk.keep(1)
    clock.advance(GOOD_FOR_MS + 1)
    assert desk.take() is None


async def test_other_rules_ask_for_other_facts(records: Records, clock: ManualClock) -> None:
    assert _Desk(records, clock).take(rules=RuleSet((), version=2)) is None


@pytest.mark.parametrize("to", [ANA, BOB], ids=["of the recipient", "of anyone"])
async def test_after_a_suppression_everything_is_read_again(
    records: Records, clock: ManualClock, to: Recipient
) -> None:
    desk = _Desk(records, clock)
    await records.people.add_suppression(SuppressionRecord(5, to, None, None, "asked to", clock()))
    assert desk.take() is None


async def test_to_lift_a_suppression_counts_as_well(records: Records, clock: ManualClock) -> None:
    await records.people.add_suppression(SuppressionRecord(5, ANA, None, None, "asked to", clock()))
    desk = _Desk(records, clock)
    await records.people.remove_suppression(5)
    assert desk.take() is None


async def test_after_a_cancellation_everything_is_read_again(records: Records, clock: ManualClock) -> None:
    key = await _stored(records, clock)
    desk = _Desk(records, clock)
    await records.messages.cancel(key, Event(at_ms=clock(), status=Status.CANCELLED))
    assert desk.take() is None


async def test_news_alone_are_enough(records: Records, clock: ManualClock) -> None:
    desk = _Desk(records, clock)
    records.news.tell([recipient_text(BOB)])
    assert desk.take() is FACTS
    desk.keep(1)
    records.news.tell([recipient_text(ANA)])
    assert desk.take() is None


async def test_writes_that_decide_about_nobody_change_nothing(records: Records, clock: ManualClock) -> None:
    desk = _Desk(records, clock)
    await records.marks.set("how far", 7)
    await records.idempotency.sweep(clock())
    await records.idempotency.forget([Answer("caller", "k1", "digest", 202, "{}", clock())])
    key = await _stored(records, clock)
    await records.messages.advance([_step(key, clock)], urgent=True)
    assert desk.take() is FACTS


@pytest.mark.parametrize("counted_at_ms", [5, None], ids=["counted", "no longer counted"])
@pytest.mark.parametrize(
    ("told", "known"), [(ANA, True), (None, True), (BOB, False)], ids=["the same", "anybody", "another"]
)
async def test_caps_look_again_once_messages_to_the_recipient_count_otherwise(
    records: Records, clock: ManualClock, told: Recipient | None, known: bool, counted_at_ms: int | None
) -> None:
    key = await _stored(records, clock)
    desk = _Desk(records, clock)
    desk.keep(2)
    recipient = None if told is None else recipient_text(told)
    step = _step(key, clock, counted_at_ms=counted_at_ms, recipient=recipient)
    await records.messages.advance([step], urgent=True)
    assert (desk.take(1, capped=True) is None) is known
    assert desk.take(2, capped=False) is FACTS


async def test_a_mark_that_was_handed_on_still_counts_from_the_first_reading(
    records: Records, clock: ManualClock
) -> None:
    desk = _Desk(records, clock)
    found = desk.fresh.take(1, recipient_text(ANA), RULES, clock(), capped=True)
    assert found is not None
    records.news.tell([recipient_text(ANA)])
    desk.fresh.keep(1, found[0], RULES, found[1], clock())
    assert desk.take() is None


async def test_to_forget_reaches_what_was_handed_on(records: Records, clock: ManualClock) -> None:
    desk = _Desk(records, clock)
    found = desk.fresh.take(1, recipient_text(ANA), RULES, clock(), capped=True)
    assert found is not None
    desk.fresh.forget()
    desk.fresh.keep(1, found[0], RULES, found[1], clock())
    assert desk.take() is None


async def test_what_registries_say_is_not_kept(records: Records, clock: ManualClock) -> None:
    desk = _Desk(records, clock)
    desk.keep(2, Facts("US", (), registries=(RegistryAnswer(registry="us-dnc", listed=False, as_of_ms=1),)))
    assert desk.take(2) is None


async def test_without_room_the_first_stay_until_they_are_old(records: Records, clock: ManualClock) -> None:
    desk = _Desk(records, clock, kept=2)
    for key in (2, 3):
        desk.keep(key)
    assert desk.take(3) is None
    clock.advance(GOOD_FOR_MS + 1)
    desk.keep(4)
    assert desk.take(4) is FACTS


async def _stored(records: Records, clock: ManualClock) -> int:
    key = records.keys.next()
    message = CustomerMessage(
        ids.key_text(ids.MESSAGE, key), BOB, Channel.SANDBOX, Purpose.TRANSACTIONAL, Content(text="x"), clock()
    )
    new = NewMessages()
    new.append(key, message, Event(at_ms=clock(), status=Status.ACCEPTED))
    await records.messages.add(new, urgent=True)
    return key


def _step(key: int, clock: ManualClock, *, counted_at_ms: int | None = -1, recipient: str | None = None) -> Transition:
    event = Event(at_ms=clock(), status=Status.QUEUED)
    return Transition(key, event, counted_at_ms=counted_at_ms, recipient=recipient)
