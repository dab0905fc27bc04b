"""Webhook receivers that hang: the others are not held up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.pipeline.house import NAMES, QUICK, eventually, house, request

from chappe.channels.base import Outbound, Reply
from chappe.model.customer import Channel, Content, Purpose, Recipient, Status
from chappe.pipeline.context import PipelineSettings

LANE = NAMES.lane(Purpose.TRANSACTIONAL, Channel.WEBHOOK)
SETTINGS = PipelineSettings(
    retry=QUICK.retry, max_concurrent={"scripted": 8}, lane_capacity=20, receive_batch=10, stop_grace_seconds=0.05
)


def hook(host: str) -> dict[str, object]:
    return {"to": Recipient(url=f"https://{host}/hook"), "content": Content(text="hello")}


async def hang_at_dead(outbound: Outbound) -> Reply:
    if outbound.to.url == "https://dead.example/hook":
        await asyncio.Event().wait()
    return Reply("200")


async def test_one_that_hangs_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async with house(tmp_path, settings=SETTINGS) as h:
        h.provider.always = hang_at_dead
        for _ in range(15):
            await h.send(**hook("dead.example"))
        await eventually(lambda: len(h.provider.attempts) == 4)
        for host in ("alive.example", "well.example"):
            await h.becomes(await h.send(**hook(host)), Status.SENT)
        assert len([o for o in h.provider.attempts if o.to.url == "https://dead.example/hook"]) == 4


async def test_nor_does_its_backlog_when_it_fills_the_lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chappe.pipeline.delivery.attempt._SLOT_PATIENCE_SECONDS", 0.02)
    async with house(tmp_path, settings=SETTINGS) as h:
        h.provider.always = hang_at_dead
        await h.pipeline.accept([request(**hook("dead.example")) for _ in range(60)])
        await eventually(lambda: len(h.provider.attempts) == 4)
        await h.becomes(await h.send(**hook("alive.example")), Status.SENT)


async def test_one_that_is_slow_gets_everything_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chappe.pipeline.delivery.attempt._SLOT_PATIENCE_SECONDS", 0.005)

    async def slow(outbound: Outbound) -> Reply:
        await asyncio.sleep(0.02)
        return Reply("200")

    async with house(tmp_path, settings=SETTINGS) as h:
        h.provider.always = slow
        await h.pipeline.accept([request(**hook("slow.example")) for _ in range(50)])

        async def done() -> bool:
            h.clock.advance(500)
            return (await h.records.messages.counts()).get(Status.SENT) == 50

        await eventually(done)
        await h.empties(LANE)
        assert len(h.provider.attempts) == 50
