from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from tests.conformance.clocks import ManualClock

from chappe.model.customer import Channel, Purpose, Recipient, Status
from chappe.model.sends import RecentSend
from chappe.records.counted import counted_as
from chappe.records.knowledge import RECENT_SENDS_LIMIT, Known, Subject
from chappe.records.messages import NewMessages
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.store import Records

Build = Callable[..., Any]
ANA = "email:ana@example.com"


def moments(known: Known) -> tuple[int, ...]:
    return tuple(send.at_ms for send in known.recent_sends)


async def test_nothing_is_known_of_a_stranger(records: Records) -> None:
    (known,) = await records.look_up([Subject(None, ANA, Channel.EMAIL, 0)], urgent=True)
    assert known.status is None
    assert (known.consents, known.suppressions, known.recent_sends) == ((), (), ())


async def test_how_far_messages_have_come(records: Records, add: Build, step: Build) -> None:
    keys = [await add(records) for _ in range(3)]
    await records.messages.advance(
        [step(keys[1], Status.QUEUED, attempts=3), step(keys[2], Status.CANCELLED)], urgent=True
    )
    subjects = [Subject(key, ANA, Channel.EMAIL) for key in (*keys, keys[2] + 1)]
    found = await records.look_up(subjects, urgent=False)
    assert [(known.status, known.attempts) for known in found] == [
        (Status.ACCEPTED, 0),
        (Status.QUEUED, 3),
        (Status.CANCELLED, 0),
        (None, 0),
    ]


async def test_consents_and_suppressions_go_to_their_people(records: Records, clock: ManualClock) -> None:
    ana, ben = Recipient(email="ana@example.com"), Recipient(user="ben")
    consents = [
        ConsentRecord(records.keys.next(), ana, Channel.EMAIL, Purpose.PROMOTIONAL, True, clock(), "express", "form"),
        ConsentRecord(records.keys.next(), ana, None, Purpose.PROMOTIONAL, False, clock() + 5),
        ConsentRecord(records.keys.next(), ben, None, Purpose.PROMOTIONAL, True, clock(), expires_at_ms=clock() + 9),
    ]
    await records.people.add_consents(consents)
    suppression = SuppressionRecord(records.keys.next(), ben, None, Purpose.PROMOTIONAL, "stop", clock())
    await records.people.add_suppression(suppression)
    subjects = [Subject(None, text, Channel.SANDBOX) for text in (ANA, "user:ben", ANA, "email:ben")]
    first, second, third, nobody = await records.look_up(subjects, urgent=True)
    assert set(first.consents) == set(consents[:2]) == set(third.consents)
    assert first.suppressions == ()
    assert second.consents == (consents[2],)
    assert second.suppressions == (suppression,)
    assert nobody.consents == ()


async def test_counted_messages_of_the_same_recipient_and_channel(
    records: Records, add: Build, step: Build, clock: ManualClock
) -> None:
    start = clock()

    async def counted(at_ms: int | None, **fields: Any) -> int:
        key: int = await add(records, purpose=Purpose.PROMOTIONAL, **fields)
        await records.messages.advance([step(key, Status.QUEUED, counted_at_ms=at_ms)], urgent=True)
        return key

    mine = await counted(start + 10)
    await counted(start + 30)
    await counted(start + 20)
    await counted(start - 100)
    await counted(None)
    await counted(start + 40, channel=Channel.SANDBOX)
    await counted(start + 50, to=Recipient(email="ben@example.com"))
    withdrawn = await counted(start + 60)
    await records.messages.advance([step(withdrawn, Status.FAILED, counted_at_ms=None)], urgent=True)

    def subject(key: int | None, since_ms: int | None) -> Subject:
        return Subject(key, ANA, Channel.EMAIL, since_ms)

    found = await records.look_up([subject(None, start), subject(mine, start), subject(None, None)], urgent=True)
    assert [moments(known) for known in found] == [
        (start + 10, start + 20, start + 30),
        (start + 20, start + 30),
        (),
    ]
    (all_of_them,) = await records.look_up([subject(None, start - 200)], urgent=True)
    assert len(all_of_them.recent_sends) == 4


async def test_a_step_that_leaves_the_count_alone(
    records: Records, add: Build, step: Build, clock: ManualClock
) -> None:
    key = await add(records, purpose=Purpose.PROMOTIONAL)
    await records.messages.advance([step(key, Status.QUEUED, counted_at_ms=clock())], urgent=True)
    await records.messages.advance([step(key, Status.SENT)], urgent=True)
    (known,) = await records.look_up([Subject(None, ANA, Channel.EMAIL, 0)], urgent=True)
    assert moments(known) == (clock(),)


async def test_many_subjects_in_one_question(records: Records, add: Build, clock: ManualClock) -> None:
    count = 700
    people = [Recipient(email=f"p{number}@example.com") for number in range(count)]
    await records.people.add_consents(
        [ConsentRecord(records.keys.next(), to, None, Purpose.PROMOTIONAL, True, clock()) for to in people[::2]]
    )
    keys = [await add(records, to=to) for to in people[:5]]
    subjects = [Subject(keys[n] if n < 5 else None, f"email:p{n}@example.com", Channel.EMAIL, 0) for n in range(count)]
    found = await records.look_up(subjects, urgent=False)
    assert [len(known.consents) for known in found] == [(n + 1) % 2 for n in range(count)]
    assert [known.status for known in found[:6]] == [Status.ACCEPTED] * 5 + [None]


async def test_the_counted_messages_looked_at_are_bounded(records: Records, clock: ManualClock) -> None:
    from chappe.model.customer import Content, CustomerMessage
    from chappe.records.messages import Transition
    from chappe.records.timeline import Event

    new, keys = NewMessages(), []
    for _ in range(RECENT_SENDS_LIMIT + 20):
        keys.append(records.keys.next())
        message = CustomerMessage(
            "m", Recipient(email="ana@example.com"), Channel.EMAIL, Purpose.PROMOTIONAL, Content(text="x"), clock()
        )
        new.append(keys[-1], message, Event(clock(), Status.ACCEPTED))
    await records.messages.add(new, urgent=True)
    steps = [
        Transition(key, Event(clock(), Status.QUEUED), counted_at_ms=clock() + number)
        for number, key in enumerate(keys)
    ]
    await records.messages.advance(steps, urgent=True)
    (known,) = await records.look_up([Subject(None, ANA, Channel.EMAIL, 0)], urgent=True)
    newest = tuple(clock() + number for number in range(20, RECENT_SENDS_LIMIT + 20))
    assert moments(known) == newest


async def test_counted_messages_tell_what_they_were(
    records: Records, add: Build, step: Build, clock: ManualClock
) -> None:
    told = {
        "category": "fraud_alert",
        "event": "card 7; 50 % off, a/b",
        "sender": "Bank <b@bank.example>",
        "template": "t",
    }
    sms = {"to": Recipient(phone="+12125550123"), "channel": Channel.SMS}
    for number, fields in enumerate((told, {}, {"event": "only this"})):
        key = await add(records, **sms, **fields)
        message = (await records.messages.get(key)).message
        counted = step(key, Status.QUEUED, counted_at_ms=clock() + number, counted_as=counted_as(message))
        await records.messages.advance([counted, step(key, Status.SENT)], urgent=True)
    voice = await add(records, to=Recipient(phone="+12125550123"), channel=Channel.VOICE, purpose=Purpose.PROMOTIONAL)
    await records.messages.advance([step(voice, Status.QUEUED, counted_at_ms=clock() + 9)], urgent=True)
    subject = Subject(None, "phone:+12125550123", Channel.SMS, 0)
    both = msgspec.structs.replace(subject, counted_on=(Channel.SMS, Channel.VOICE))
    alone, together = await records.look_up([subject, both], urgent=True)
    assert alone.recent_sends == (
        RecentSend(clock(), Channel.SMS, Purpose.TRANSACTIONAL, **told),
        RecentSend(clock() + 1, Channel.SMS, Purpose.TRANSACTIONAL),
        RecentSend(clock() + 2, Channel.SMS, Purpose.TRANSACTIONAL, event="only this"),
    )
    assert together.recent_sends == (*alone.recent_sends, RecentSend(clock() + 9, Channel.VOICE, Purpose.PROMOTIONAL))


async def test_subjects_of_one_person_reach_back_as_far_as_the_furthest(
    records: Records, add: Build, step: Build, clock: ManualClock
) -> None:
    key = await add(records, purpose=Purpose.PROMOTIONAL)
    await records.messages.advance([step(key, Status.QUEUED, counted_at_ms=clock())], urgent=True)
    far, near = Subject(None, ANA, Channel.EMAIL, 0), Subject(None, ANA, Channel.EMAIL, clock() + 1)
    found = await records.look_up([far, near], urgent=True)
    assert moments(found[0]) == (clock(),)
