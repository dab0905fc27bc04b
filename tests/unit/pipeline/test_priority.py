"""The one-time code never stands behind the newsletter."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.conformance.clocks import RunningClock
from tests.unit.pipeline.house import NAMES, QUICK, eventually, house, request

from chappe.channels.base import Outbound, Reply
from chappe.engine.embedded import EmbeddedEngine
from chappe.model.customer import Channel, Purpose, Recipient, Status
from chappe.pipeline.acceptance.accept import Acceptance
from chappe.pipeline.context import PipelineSettings
from chappe.pipeline.names import create_queues
from chappe.records.people import ConsentRecord

BACKLOG = 1_500


async def test_a_transactional_message_overtakes_a_backlog_of_promotional_ones(tmp_path: Path) -> None:
    clock = RunningClock()
    engine = await EmbeddedEngine.open(tmp_path / "engine", clock=clock, reserve_bytes=4096)
    async with house(tmp_path, clock=clock, engine=engine, start=False) as h:
        people = [Recipient(email=f"p{number}@example.com") for number in range(BACKLOG)]
        await h.records.people.add_consents(
            [ConsentRecord(h.records.keys.next(), to, None, Purpose.PROMOTIONAL, True, clock()) for to in people]
        )
        context = h.pipeline.context
        await create_queues(engine, NAMES, context.routes.channels)
        await Acceptance(context).accept([request(to=to, purpose=Purpose.PROMOTIONAL) for to in people])
        assert (await engine.counts(NAMES.intake(Purpose.PROMOTIONAL))).ready == BACKLOG

        await h.pipeline.start()
        await h.becomes(await h.send(), Status.SENT)
        await eventually(lambda: len(h.provider.taken) == BACKLOG + 1)
        assert h.provider.taken[-1].purpose is Purpose.PROMOTIONAL
    await engine.close()


async def test_with_one_slot_every_message_gets_its_turn(tmp_path: Path) -> None:
    settings = PipelineSettings(retry=QUICK.retry, max_concurrent={"scripted": 1})

    async def short(outbound: Outbound) -> Reply:
        await asyncio.sleep(0)
        return Reply("ok")

    async with house(tmp_path, settings=settings) as h:
        h.provider.always = short
        for _ in range(40):
            await h.becomes(await h.send(), Status.SENT)
        keys = [await h.send() for _ in range(40)]
        for key in keys:
            await h.becomes(key, Status.SENT)
        assert {outbound.channel for outbound in h.provider.taken} == {Channel.EMAIL}
