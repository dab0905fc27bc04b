"""Pipelines of regions: queues, workers and providers of their own."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from tests.unit.pipeline.house import NAMES, House, ScriptedProvider, eventually, house, request

from chappe.channels.base import TemporaryFailure
from chappe.compliance.sender.profile import SenderProfile
from chappe.compliance.sender.senders import Senders
from chappe.model.customer import Channel, Purpose, Recipient, Status
from chappe.model.errors import NoRoute
from chappe.pipeline.acceptance.normalise import normalise
from chappe.pipeline.regions import Region
from chappe.pipeline.verdicts.known import facts_of
from chappe.records.knowledge import Known
from chappe.records.people import ConsentRecord
from chappe.records.profiles import Profile

IAN = Recipient(email="ian@example.co.uk")
ANN = Recipient(email="ann@example.com")
PIERRE = Recipient(email="pierre@example.fr")
GB_NAMES = msgspec.structs.replace(NAMES, pipeline="gb")


@contextlib.asynccontextmanager
async def with_regions(folder: Path) -> AsyncIterator[tuple[House, ScriptedProvider, ScriptedProvider]]:
    """Britain by a provider of its own, mail only; the countries under EU law by another one."""
    london, frankfurt = ScriptedProvider("london"), ScriptedProvider("frankfurt")
    regions = [
        Region("gb", ("GB",), {Channel.EMAIL: [london]}),
        Region("eu", ("EU",), {Channel.EMAIL: [frankfurt], Channel.SMS: [frankfurt]}),
    ]
    async with house(folder, regions=regions) as h:
        for to in (IAN, ANN, PIERRE):
            agreed = ConsentRecord(h.records.keys.next(), to, None, Purpose.TRANSACTIONAL, True, h.clock())
            await h.records.people.add_consents([agreed])
        yield h, london, frankfurt


def addresses(provider: ScriptedProvider) -> list[str]:
    return [sent.to.address for sent in provider.attempts]


async def ended(h: House, key: int) -> Status:
    stored = await h.becomes(key, Status.SENT, Status.BLOCKED, Status.FAILED)
    reasons = [event.decision for event in stored.summary.events if event.decision]
    assert stored.summary.status is Status.SENT, reasons[-1:]
    return stored.summary.status


async def test_each_recipient_is_served_by_the_providers_of_the_region(tmp_path: Path) -> None:
    async with with_regions(tmp_path) as (h, london, frankfurt):
        for key in [await h.send(to=to) for to in (IAN, ANN, PIERRE)]:
            await ended(h, key)
        assert (addresses(london), addresses(frankfurt), addresses(h.provider)) == (
            [IAN.address],
            [PIERRE.address],
            [ANN.address],
        )
        names = {queue.name for queue in await h.engine.list_queues(prefix=NAMES.prefix)}
        assert {GB_NAMES.intake(Purpose.TRANSACTIONAL), GB_NAMES.lane(Purpose.PROMOTIONAL, Channel.EMAIL)} <= names
        assert GB_NAMES.lane(Purpose.PROMOTIONAL, Channel.SMS) not in names


async def test_a_region_without_a_provider_for_a_channel_refuses_and_never_falls_back(tmp_path: Path) -> None:
    async with with_regions(tmp_path) as (h, _, _):
        (refused,) = await h.pipeline.accept([request(to=Recipient(phone="+442079460123"))])
        assert isinstance(refused, NoRoute)
        assert 'regions.gb.sms = ["NAME"]' in refused.message
        assert not h.provider.attempts


async def test_a_failing_region_does_not_hold_up_another(tmp_path: Path) -> None:
    async with with_regions(tmp_path) as (h, london, _):
        london.always = TemporaryFailure("down", "out of order")
        keys = [await h.send(to=IAN) for _ in range(5)]
        await ended(h, await h.send(to=ANN))
        for key in keys:
            await h.becomes(key, Status.FAILED)
        assert set(addresses(h.provider)) == {ANN.address}
        letters = GB_NAMES.dead_letters(GB_NAMES.lane(Purpose.TRANSACTIONAL, Channel.EMAIL))
        await eventually(lambda: _has(h, letters, 5))


async def _has(h: House, queue: str, count: int) -> bool:
    return (await h.engine.counts(queue)).ready == count


async def test_a_profile_decides_over_the_address(tmp_path: Path) -> None:
    async with with_regions(tmp_path) as (h, london, _):
        await h.records.profiles.put("ann", [ANN], Profile(country="GB"), h.clock())
        await ended(h, await h.send(to=ANN))
        assert addresses(london) == [ANN.address]


async def test_a_message_follows_its_recipient_to_another_region(tmp_path: Path) -> None:
    """It is accepted for one region and waits there; before it is decided the profile names another."""
    async with with_regions(tmp_path) as (h, london, _):
        later = h.clock() + 3_600_000
        key = await h.send(to=ANN, send_at=_moment(later))
        await h.records.profiles.put("ann", [ANN], Profile(country="GB"), h.clock())
        h.clock.advance(3_700_000)
        await h.becomes(key, Status.SENT, Status.BLOCKED, Status.DEFERRED)
        assert addresses(h.provider) == []
        assert addresses(london) in ([ANN.address], [])


def _moment(at_ms: int) -> datetime.datetime:

    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC)


async def test_a_message_in_a_lane_goes_back_when_the_recipient_has_moved(tmp_path: Path) -> None:
    async with with_regions(tmp_path) as (h, london, _):
        h.provider.always = TemporaryFailure("busy", "later", retry_after_ms=50)
        key = await h.send(to=ANN)
        await eventually(lambda: bool(h.provider.attempts))
        await h.records.profiles.put("ann", [ANN], Profile(country="GB"), h.clock())
        made = len(h.provider.attempts)
        await ended(h, key)
        assert addresses(london) == [ANN.address]
        assert len(h.provider.attempts) == made


async def test_what_was_cut_off_is_queued_again_in_its_region(tmp_path: Path) -> None:
    async with with_regions(tmp_path) as (h, london, _):
        key = await h.send(to=IAN, send_at=_moment(h.clock() + 3_600_000))
        await h.engine.purge(GB_NAMES.intake(Purpose.TRANSACTIONAL))
    async with with_regions(tmp_path) as (h, london, _):
        counts = await h.engine.counts(GB_NAMES.intake(Purpose.TRANSACTIONAL))
        assert counts.ready + counts.in_flight + counts.delayed == 1
        assert await h.status(key) is Status.ACCEPTED
        assert not london.attempts


def test_rules_are_told_where_the_providers_of_the_region_handle_data() -> None:
    senders = Senders({"default": SenderProfile(provider_regions=("US",))}, handled_in={"EU": ("DE",)})
    messages = [normalise(request(to=to), message_id="msg_1", now_ms=0) for to in (PIERRE, ANN)]
    facts = [facts_of(message, Known(None, 0), senders=senders) for message in messages]
    assert [each.sender.provider_regions for each in facts] == [("DE",), ("US",)]
