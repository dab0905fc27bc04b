"""What somebody is told to be in force holds at once, also for messages that were checked a moment ago."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from tests.unit.pipeline.house import NAMES, QUICK, SIGNING_KEY, House, clock_at, eventually, house

from chappe.channels.base import Outbound, Reply
from chappe.model.customer import Channel, Purpose, Recipient, Status
from chappe.pipeline.inbound.request import InboundRequest
from chappe.pipeline.rights.asked import About
from chappe.pipeline.rights.service import Rights
from chappe.records.data_requests import RequestKind
from chappe.records.knowledge import Known, Subject
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.profiles import Preference, Profile

PHONE = Recipient(phone="+12125550123")
MESSAGES = 60
NEVER_CHECKED_AGAIN = msgspec.structs.replace(QUICK, recheck_after_ms=3_600_000, max_concurrent_default=1)
"""One attempt at a time, and nothing but news has a message checked again."""
Deny = Callable[[House, Path], Awaitable[object]]


async def suppress(h: House, folder: Path) -> None:
    record = SuppressionRecord(h.records.keys.next(), PHONE, None, None, "on request", h.clock())
    await h.records.people.add_suppression(record)


async def say_stop(h: House, folder: Path) -> None:
    text = InboundRequest(
        person=PHONE, to="+12025550187", channel=Channel.SMS, text="STOP ALL", provider_message_id="in-1"
    )
    await h.pipeline.inbound.take([text])


async def switch_off(h: House, folder: Path) -> None:
    profile = Profile(preferences=(Preference(allowed=False, channel=Channel.SMS),))
    await h.records.profiles.put("ana", [PHONE], profile, h.clock())


async def restrict(h: House, folder: Path) -> None:
    rights = Rights(h.pipeline.context, h.audit, folder, SIGNING_KEY)
    await rights.take(RequestKind.RESTRICT, About(to=PHONE), received_at_ms=None, by="key")


async def erase(h: House, folder: Path) -> None:
    rights = Rights(h.pipeline.context, h.audit, folder, SIGNING_KEY)
    await rights.take(RequestKind.ERASE, About(to=PHONE), received_at_ms=None, by="key")


@pytest.mark.parametrize("deny", [suppress, say_stop, switch_off, restrict, erase])
async def test_no_attempt_begins_after_the_answer(tmp_path: Path, deny: Deny) -> None:
    begins, is_answered = asyncio.Event(), asyncio.Event()

    async def slowly(outbound: Outbound) -> Reply:
        """Attempts follow one another while the denial is under way, and are not all made before its answer."""
        await begins.wait()
        await (asyncio.sleep(0.01) if len(h.provider.attempts) <= MESSAGES // 2 else is_answered.wait())
        return Reply("taken")

    async with house(tmp_path, clock=clock_at("2026-03-04T16:00:00+00:00"), settings=NEVER_CHECKED_AGAIN) as h:
        h.provider.always = slowly
        agreed = ConsentRecord(h.records.keys.next(), PHONE, None, Purpose.TRANSACTIONAL, True, h.clock())
        await h.records.people.add_consents([agreed])
        keys = [await h.send(to=PHONE, purpose=Purpose.TRANSACTIONAL) for _ in range(MESSAGES)]
        lane = NAMES.lane(Purpose.TRANSACTIONAL, Channel.SMS)

        async def all_in_hand() -> bool:
            counts = await h.engine.counts(lane)
            return len(h.provider.attempts) == 1 and counts.in_flight == MESSAGES

        await eventually(all_in_hand)
        begins.set()
        await deny(h, tmp_path)
        begun = len(h.provider.attempts)
        is_answered.set()
        assert begun < MESSAGES
        await h.empties(lane)
        await h.empties(NAMES.intake(Purpose.TRANSACTIONAL))
        # The confirmation of a STOP is no message that was in hand.
        assert len([sent for sent in h.provider.attempts if sent.content.text == "123456"]) == begun
        statuses = [stored.summary.status for stored in await h.records.messages.get_many(keys)]
        assert statuses.count(Status.BLOCKED) == MESSAGES - begun


async def test_a_denial_that_is_answered_while_the_last_check_reads_holds_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    always_checked_again = msgspec.structs.replace(QUICK, recheck_after_ms=-1)
    async with house(tmp_path, settings=always_checked_again) as h:
        read, denied = h.records.look_up, 0

        async def denied_after(subjects: Sequence[Subject], *, urgent: bool) -> list[Known]:
            nonlocal denied
            found = await read(subjects, urgent=urgent)
            if any(subject.key is not None for subject in subjects) and not denied:
                await suppress(h, tmp_path)
                denied += 1
            return found

        monkeypatch.setattr(h.records, "look_up", denied_after)
        key = await h.send(to=PHONE, channel=Channel.SANDBOX)
        await h.becomes(key, Status.BLOCKED, Status.SENT)
        assert denied
        assert h.provider.attempts == []
