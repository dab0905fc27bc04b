"""Records go when they are old enough, and not before the rules let them go."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.pipeline.house import House, clock_at, house

from chappe.compliance.consent.grants import standing_consent
from chappe.compliance.facts.consents import Consent, ConsentLevel
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient, Status
from chappe.pipeline.inbound.request import InboundRequest
from chappe.pipeline.retention import DAY_MS, Retention, RetentionSettings
from chappe.records import ids
from chappe.records.messages import NewMessages
from chappe.records.people import ConsentRecord
from chappe.records.timeline import Event

ANA = Recipient(user="ana")  # nowhere: no country's rules ask for anything
HANS = Recipient(email="hans@example.de")
YEAR = 366 * DAY_MS


def retention(h: House, **days: int) -> Retention:
    return Retention(h.pipeline.context, h.audit, RetentionSettings(**days))


async def sent(h: House, to: Recipient = ANA) -> int:
    for purpose in Purpose:
        await agree(h, to, purpose, granted=True)
    key = await h.send(to=to, channel=None if to.email else Channel.IN_APP)
    await h.becomes(key, Status.SENT)
    return key


async def agree(h: House, to: Recipient, purpose: Purpose, *, granted: bool, expires_at_ms: int | None = None) -> None:
    record = ConsentRecord(h.records.keys.next(), to, None, purpose, granted, h.clock(), expires_at_ms=expires_at_ms)
    await h.records.people.add_consents([record])


async def test_messages_go_after_their_days_and_not_before(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        old = await sent(h)
        h.clock.advance(31 * DAY_MS)
        young = await sent(h)
        assert (await retention(h, messages_days=32).prune()).messages == 0
        assert (await retention(h, messages_days=30).prune()).messages == 1
        assert [stored.summary.key for stored in await h.records.messages.get_many([old, young])] == [young]


async def test_contents_may_go_before_the_rest(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        key = await sent(h)
        h.clock.advance(31 * DAY_MS)
        pruned = await retention(h, contents_days=30).prune()
        assert (pruned.messages, pruned.contents) == (0, 1)
        stored = await h.stored(key)
        assert stored.message.content == Content()
        assert [event.status for event in stored.summary.events][-1] is Status.SENT
        assert (await retention(h, contents_days=30).prune()).contents == 0


async def test_a_message_that_still_has_a_way_to_go_stays(tmp_path: Path) -> None:
    async with house(tmp_path, start=False) as h:
        key = h.records.keys.next()
        new = NewMessages()
        message = CustomerMessage(
            ids.key_text(ids.MESSAGE, key), ANA, Channel.IN_APP, Purpose.TRANSACTIONAL, Content(text="x"), h.clock()
        )
        new.append(key, message, Event(at_ms=h.clock(), status=Status.ACCEPTED))
        await h.records.messages.add(new, urgent=True)
        h.clock.advance(YEAR)
        assert (await retention(h, messages_days=1, contents_days=1).prune()).contents == 0


async def test_what_a_legal_hold_covers_stays(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        key = await sent(h)
        h.clock.advance(YEAR)
        hold = await h.audit.hold("*", "a law suit")
        assert (await retention(h, messages_days=30).prune()).messages == 0
        await h.audit.release(hold.key)
        assert (await retention(h, messages_days=30).prune()).messages == 1
        assert await h.records.messages.get_many([key]) == []


async def test_what_a_rule_asks_for_stays_as_long_as_it_says(tmp_path: Path) -> None:
    """German law wants proof of a consent to calls kept for five years, counted from its last use."""
    async with house(tmp_path, clock=clock_at("2026-03-04T12:00:00+00:00")) as h:
        for to in (ANA, HANS):
            await agree(h, to, Purpose.PROMOTIONAL, granted=True, expires_at_ms=h.clock() + DAY_MS)
        h.clock.advance(YEAR)
        pruned = await retention(h, consents_days=30).prune()
        left = await h.records.people.list_consents(None, None, 10)
        assert (pruned.consents, [record.to for record in left]) == (1, [HANS])


async def test_the_last_word_of_a_person_stays(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await agree(h, ANA, Purpose.PROMOTIONAL, granted=True)
        h.clock.advance(DAY_MS)
        await agree(h, ANA, Purpose.PROMOTIONAL, granted=False)
        h.clock.advance(YEAR)
        assert (await retention(h, consents_days=30).prune()).consents == 1
        (left,) = await h.records.people.list_consents(ANA, None, 10)
        assert not left.granted


GRANT, WITHDRAWAL = True, False


@pytest.mark.parametrize(
    ("record", "removed"),
    [
        # A withdrawal on every channel goes only after the grants that it takes back.
        ([(Channel.SMS, GRANT, "written"), (None, WITHDRAWAL, None), (None, GRANT, "express")], [0, 1]),
        ([(None, GRANT, "written"), (Channel.SMS, WITHDRAWAL, None), (Channel.SMS, GRANT, "express")], []),
        # Of two grants the stronger counts, however old.
        ([(None, GRANT, "written"), (None, GRANT, "express")], []),
        ([(None, GRANT, "written"), (None, GRANT, "written")], [0]),
        ([(None, GRANT, "express"), (None, WITHDRAWAL, None), (None, WITHDRAWAL, None)], [0, 1]),
        ([(Channel.SMS, WITHDRAWAL, None), (None, WITHDRAWAL, None)], [0]),
        ([(None, WITHDRAWAL, None), (Channel.SMS, WITHDRAWAL, None)], []),
    ],
)
async def test_a_consent_record_says_the_same_when_the_old_part_of_it_is_gone(
    tmp_path: Path, record: list[tuple[Channel | None, bool, str | None]], removed: list[int]
) -> None:
    async with house(tmp_path) as h:
        stored = [
            ConsentRecord(h.records.keys.next(), ANA, channel, Purpose.PROMOTIONAL, granted, day * DAY_MS, level)
            for day, (channel, granted, level) in enumerate(record)
        ]
        await h.records.people.add_consents(stored)
        before = await standings(h)
        await retention(h, consents_days=30).prune()
        left = {each.key for each in await h.records.people.list_consents(ANA, None, 10)}
        assert [number for number, each in enumerate(stored) if each.key not in left] == removed
        assert await standings(h) == before
        await retention(h, consents_days=30).prune()
        assert await standings(h) == before


async def standings(h: House) -> list[tuple[str | None, bool]]:
    """How strong a consent stands on some channels, and whether the last word is a withdrawal."""
    record = [
        Consent(
            each.channel, each.purpose, each.granted, each.recorded_at_ms, level=ConsentLevel(each.level or "express")
        )
        for each in await h.records.people.list_consents(ANA, None, 10)
    ]
    found = [
        standing_consent(record, channel, Purpose.PROMOTIONAL, h.clock()) for channel in (Channel.SMS, Channel.EMAIL)
    ]
    return [(each.consent and each.consent.strength.value, each.refused) for each in found]


async def test_texts_go_but_not_those_that_wait_for_somebody(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        user = Recipient(user="ana")
        texts = [
            InboundRequest(person=user, to="us", channel=Channel.IN_APP, text=text, provider_message_id=text)
            for text in ("thank you", "not interested")
        ]
        await h.pipeline.inbound.take(texts)
        h.clock.advance(YEAR)
        assert (await retention(h, inbound_days=30).prune()).inbound == 1
        (left,) = await h.records.inbound.page(user, None, 10)
        assert left.text == "not interested"
