"""Limits on how many messages a person gets, kept by the whole pipeline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from tests.unit.pipeline.house import NAMES, QUICK, House, eventually, house

from chappe.channels.base import TemporaryFailure
from chappe.compliance.kinds.frequency_cap import FrequencyCapRule
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Content, Decision, Purpose, Recipient, Status
from chappe.records.person_keys import PersonKey
from chappe.records.profiles import Profile

PATIENT = Recipient(phone="+12125550123")
TEXT = Content(text="Your appointment is on Monday at 10:30.")
FINAL = (Status.SENT, Status.BLOCKED)


async def test_of_many_capped_transactional_messages_at_once_one_goes(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        appointment = {"to": PATIENT, "channel": Channel.SMS, "content": TEXT, "category": "healthcare_exempt"}
        keys = await asyncio.gather(*(h.send(**appointment) for _ in range(8)))
        await eventually(lambda: _ended(h, keys))
        ends = [await h.records.messages.get(key) for key in keys]
        other = await h.send(to=PATIENT, channel=Channel.SMS, content=TEXT, category="one_time_code")
        await h.becomes(other, Status.SENT)
    assert sorted(end.summary.status.value for end in ends) == ["blocked"] * 7 + ["sent"]
    blocked = next(end.summary.events[-1].decision for end in ends if end.summary.status is Status.BLOCKED)
    assert isinstance(blocked, Decision)
    assert blocked.rules[0].id == "us-tcpa-exempt-healthcare-cap"


async def test_the_cap_of_a_place_that_only_the_profile_tells_is_kept_too(tmp_path: Path) -> None:
    abroad = Recipient(phone="+447700900123")
    one_by_one = msgspec.structs.replace(QUICK, receive_batch=1)
    async with house(tmp_path, settings=one_by_one) as h:
        await h.records.profiles.put("ann", [abroad], Profile(country="US"), h.clock())
        appointment = {"to": abroad, "channel": Channel.SMS, "content": TEXT, "category": "healthcare_exempt"}
        keys = await asyncio.gather(*(h.send(**appointment) for _ in range(8)))
        await eventually(lambda: _ended(h, keys))
        ends = [(await h.records.messages.get(key)).summary.status.value for key in keys]
    assert sorted(ends) == ["blocked"] * 7 + ["sent"]


async def test_a_cap_on_messages_of_both_purposes_binds_those_decided_at_once_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cap = msgspec.convert(
        {
            "id": "one-a-day",
            "kind": "frequency_cap",
            "jurisdiction": "*",
            "regulation": "A test",
            "citation": "none",
            "channels": ["any"],
            "applies_to": "both",
            "parameters": {"caps": [{"limit": 1, "per": "24h"}]},
            "action": "block",
            "severity": "low",
            "summary": "One message a day.",
            "source": "the tests",
            "confidence": "house",
        },
        FrequencyCapRule,
    )
    async with house(tmp_path) as h:
        h.pipeline.context.rules = RuleSet([cap])
        find, deciding, both_decide = h.audit.recorder.persons, 0, asyncio.Event()

        async def find_together(recipients: Sequence[str]) -> dict[str, PersonKey]:
            """Both workers have looked up what was sent before either goes on, if they do not take turns."""
            nonlocal deciding
            deciding += 1
            if deciding == len(Purpose):
                both_decide.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(both_decide.wait(), 0.3)
            return await find(recipients)

        monkeypatch.setattr(h.audit.recorder, "persons", find_together)
        to = Recipient(user="ana")
        keys = [await h.send(to=to, channel=Channel.SANDBOX, purpose=purpose) for purpose in Purpose]
        await eventually(lambda: _ended(h, keys))
        ends = [await h.status(key) for key in keys]
    assert sorted(ends) == [Status.BLOCKED, Status.SENT]


async def test_a_dead_letter_that_is_moved_back_keeps_to_the_cap_that_others_have_used_up_since(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        appointment = {"to": PATIENT, "channel": Channel.SMS, "content": TEXT, "category": "healthcare_exempt"}
        h.provider.always = TemporaryFailure("busy", "come again")
        failed = await h.send(**appointment)
        await h.becomes(failed, Status.FAILED)
        h.provider.always = None
        await h.becomes(await h.send(**appointment), Status.SENT)
        assert await h.redrive(NAMES.lane(Purpose.TRANSACTIONAL, Channel.SMS)) == 1
        stored = await h.becomes(failed, Status.BLOCKED, Status.SENT)
        assert stored.summary.status is Status.BLOCKED
        assert len(h.provider.taken) == 1


async def test_caps_per_event_tell_events_apart(tmp_path: Path) -> None:
    async with house(tmp_path) as h:

        async def alert(event: str) -> Status:
            fraud = {"category": "financial_security_exempt", "event": event}
            key = await h.send(to=PATIENT, channel=Channel.SMS, content=TEXT, **fraud)
            await eventually(lambda: _ended(h, [key]))
            return (await h.records.messages.get(key)).summary.status

        found = [await alert("card; stolen, 50 %") for _ in range(4)]
        assert found == [Status.SENT, Status.SENT, Status.SENT, Status.BLOCKED]
        assert await alert("another") is Status.SENT


async def _ended(h: House, keys: list[int]) -> bool:
    return all([(await h.records.messages.get(key)).summary.status in FINAL for key in keys])
