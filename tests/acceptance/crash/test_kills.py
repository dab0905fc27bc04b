"""The engine is killed hundreds of times under load and loses nothing it acknowledged.

Each life begins on the folder the last one left. Most end by SIGKILL in the middle of their work, some while they are
still starting, a few in good order or in the middle of that. See `ledger` for what is held against the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from pathlib import Path

import pytest
from tests.acceptance.crash.ledger import Ledger
from tests.acceptance.crash.load import DEAD_LETTER_QUEUES, Load
from tests.acceptance.crash.remote import Gone, Host, Zygote

from chappe.engine.embedded.doctor import examine

KILLS = int(os.environ.get("CHAPPE_TEST_KILLS", "300"))
SEED = int(os.environ.get("CHAPPE_TEST_SEED", random.randrange(1 << 32)))
KILLED_WHILE_STARTING = 0.15
CLOSED = 0.06
STARTING_SECONDS = 0.03
LIFE_SECONDS = 0.35
STUCK_SECONDS = 180
"""An engine that has not come to an end by then never will."""


@pytest.mark.slow
async def test_kills_lose_nothing(zygote: Zygote, socket: Path, tmp_path: Path, report_figures: list[str]) -> None:
    chance = random.Random(SEED)
    folder = tmp_path / "data"
    ledger = Ledger(DEAD_LETTER_QUEUES)
    load = Load(ledger, chance)
    try:
        while ledger.figures["kills"] < KILLS:
            host = await zygote.fork(folder, socket, tight=chance.random() < 0.5)
            async with asyncio.timeout(STUCK_SECONDS):
                await live(host, load, chance)
        async with asyncio.timeout(STUCK_SECONDS):
            await drain(zygote, folder, socket, load)
        report = await asyncio.to_thread(examine, folder)
        assert report.healthy, report.findings
    finally:
        report_figures.append(told(ledger))


async def live(host: Host, load: Load, chance: random.Random) -> None:
    """One life of the engine."""
    if chance.random() < KILLED_WHILE_STARTING:
        await asyncio.sleep(chance.random() * STARTING_SECONDS)
        host.kill()
        await host.ended()
        load.ledger.killed()
        return
    remote = await host.connect(load.ledger.moments)
    await load.create_queues(remote)
    running = asyncio.create_task(load.run(remote))
    await asyncio.wait([running], timeout=chance.random() * LIFE_SECONDS)
    closing = chance.random()
    if closing < CLOSED:
        with contextlib.suppress(Gone):
            await remote.call("close")
    else:
        if closing < 2 * CLOSED:
            asyncio.create_task(remote.call("close")).add_done_callback(lambda task: task.exception())
            await asyncio.sleep(chance.random() / 100)
        host.kill()
    await remote.hung_up()
    await running
    await host.ended()
    if closing < CLOSED:
        load.ledger.closed()
    else:
        load.ledger.killed()


async def drain(zygote: Zygote, folder: Path, socket: Path, load: Load) -> None:
    host = await zygote.fork(folder, socket, tight=False)
    remote = await host.connect(load.ledger.moments)
    await load.drain(remote)
    await remote.call("close")
    await host.ended()
    load.ledger.check_nothing_lost()


def told(ledger: Ledger) -> str:
    names = ["kills", "sent", "acknowledged", "duplicates", "received", "extended", "deleted", "purges", "dead letters"]
    figures = ", ".join(f"{name} {ledger.figures[name]}" for name in names)
    losses = ledger.figures.get("losses", "unknown")
    return f"embedded engine: {figures}, losses={losses} (CHAPPE_TEST_SEED={SEED})"
