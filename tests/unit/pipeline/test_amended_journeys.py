"""From a request to the provider: what rules add is sent, and can be seen."""

from __future__ import annotations

from pathlib import Path

import msgspec

from chappe.channels.base import TemporaryFailure
from chappe.compliance.sender.profile import Registration, SenderProfile
from chappe.model.customer import Content, Outcome, Purpose, Recipient, Status
from chappe.pipeline.delivery.handing import content_to_send

from .house import SENDER, clock_at, house

NOON = "2026-11-18T12:00:00+00:00"
KIWI = Recipient(phone="+6421234567")


async def test_what_the_rules_add_is_sent_and_shown(tmp_path: Path) -> None:
    async with house(tmp_path, clock=clock_at(NOON)) as h:
        key = await h.send(to=KIWI, content=Content(text="Your parcel has arrived."))
        stored = await h.becomes(key, Status.SENT)
        (sent,) = h.provider.taken
        assert sent.content.text == "Your parcel has arrived.\nAcme, +12025550187"
        assert sent.sender == "+12025550187"
        assert stored.message.content.text == "Your parcel has arrived.", "what was accepted never changes"
        events = stored.summary.events
        decision = next(event.decision for event in events if event.decision is not None)
        (told,) = [rule for rule in decision.rules if rule.amendments]
        assert (told.id, told.outcome) == ("nz-uema-identity", Outcome.REQUIRE)
        assert content_to_send(h.pipeline.context.links, stored.message, key, decision) == sent.content
        begun = next(event for event in events if event.status is Status.SENDING)
        assert begun.note == "from +12025550187"
        assert begun.decision is None, "the timeline tells it already"


async def test_each_attempt_adds_it_once(tmp_path: Path) -> None:
    async with house(tmp_path, clock=clock_at(NOON)) as h:
        h.provider.answers.extend([TemporaryFailure("busy", "try again"), TemporaryFailure("busy", "try again")])
        key = await h.send(to=KIWI, content=Content(text="Your parcel has arrived."))
        await h.becomes(key, Status.SENT)
        texts = {attempt.content.text for attempt in h.provider.attempts}
        assert len(h.provider.attempts) == 3
        assert texts == {"Your parcel has arrived.\nAcme, +12025550187"}


async def test_without_a_sender_the_message_stops_and_says_what_to_do(tmp_path: Path) -> None:
    async with house(tmp_path, clock=clock_at(NOON), sender=SenderProfile()) as h:
        key = await h.send(to=KIWI, content=Content(text="Your parcel has arrived."))
        stored = await h.becomes(key, Status.BLOCKED)
        decision = stored.summary.events[-1].decision
        assert decision is not None
        reason = next(rule.reason for rule in decision.rules if rule.id == "nz-uema-identity")
        assert "set name, phone or email or website or postal_address of senders.NAME" in reason
        assert h.provider.attempts == []


async def test_the_sender_registered_for_the_place_is_used(tmp_path: Path) -> None:
    registration = Registration(register="AF2M", country="FR", id="38123", purposes=(Purpose.TRANSACTIONAL,))
    sender = msgspec.structs.replace(SENDER, registrations=(registration,))
    async with house(tmp_path, clock=clock_at(NOON), sender=sender) as h:
        key = await h.send(to=Recipient(phone="+33639980012"), content=Content(text="Your code is 4711."))
        await h.becomes(key, Status.SENT)
        assert [sent.sender for sent in h.provider.taken] == ["38123"]
