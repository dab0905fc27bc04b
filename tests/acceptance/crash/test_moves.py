"""The engine is killed in the middle of moving messages between two queues: each is always in exactly one of them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
from pathlib import Path

import pytest
from tests.acceptance.crash.remote import Gone, Host, Remote, Zygote
from tests.conformance.workplace import total

from chappe.engine.base import NewMessage, QueueSettings, SentMessage

KILLS = int(os.environ.get("CHAPPE_TEST_KILLS", "300")) // 10
SEED = int(os.environ.get("CHAPPE_TEST_SEED", random.randrange(1 << 32)))
MESSAGES = 120
GROUPS = 12
MOVERS = 3
"""In each direction."""
HOLD_MS = 30
LIFE_SECONDS = 0.3
STUCK_SECONDS = 60
WAYS = (("here", "there"), ("there", "here"))


@pytest.mark.slow
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
async def test_a_moved_message_is_never_lost_nor_doubled(
    zygote: Zygote, socket: Path, tmp_path: Path, report_figures: list[str], fifo: bool
) -> None:
    chance = random.Random(SEED)
    folder = tmp_path / "data"
    moments = itertools.count()
    bodies = sorted(b"%d" % number for number in range(MESSAGES))
    moved = 0
    async with asyncio.timeout(STUCK_SECONDS):
        host = await zygote.fork(folder, socket, tight=False)
        remote = await host.connect(moments)
        for name in ("here", "there"):
            await remote.call("create_queue", name, QueueSettings(fifo=fifo))
        messages = [NewMessage(body, group=f"group {n % GROUPS}") for n, body in enumerate(bodies)]
        await remote.call("send", "here", messages)
        await end(host, remote)
    for _ in range(KILLS):
        async with asyncio.timeout(STUCK_SECONDS):
            host = await zygote.fork(folder, socket, tight=chance.random() < 0.5)
            moved += await live(host, await host.connect(moments), chance)
    async with asyncio.timeout(STUCK_SECONDS):
        host = await zygote.fork(folder, socket, tight=False)
        remote = await host.connect(moments)
        assert await there_are(remote) == MESSAGES
        assert sorted(await drain(remote)) == bodies
        await end(host, remote)
    report_figures.append(f"{moved} messages moved through {KILLS} kills (CHAPPE_TEST_SEED={SEED})")
    assert moved > MESSAGES


async def live(host: Host, remote: Remote, chance: random.Random) -> int:
    """One life of the engine; how many moves were acknowledged."""
    assert await there_are(remote) == MESSAGES
    movers = [asyncio.create_task(move(remote, *way, chance)) for way in WAYS * MOVERS]
    await asyncio.wait(movers, timeout=chance.random() * LIFE_SECONDS)
    await end(host, remote)
    return sum(await asyncio.gather(*movers))


async def end(host: Host, remote: Remote) -> None:
    host.kill()
    await remote.hung_up()
    await host.ended()


async def move(remote: Remote, source: str, target: str, chance: random.Random) -> int:
    moved = 0
    with contextlib.suppress(Gone):
        while True:
            options = {"max_messages": chance.choice([1, 5, 20]), "visibility_timeout_ms": HOLD_MS, "wait_ms": 20}
            taken = (await remote.call("receive", source, **options)).result
            receipts = [message.receipt for message in taken]
            if receipts:
                outcomes = (await remote.call("move", source, receipts, target)).result
                moved += sum(isinstance(outcome, SentMessage) for outcome in outcomes)
    return moved


async def there_are(remote: Remote) -> int:
    return sum([total((await remote.call("counts", name)).result) for name in ("here", "there")])


async def drain(remote: Remote) -> list[bytes]:
    """The bodies in both queues, until no more come."""
    found: list[bytes] = []
    for name in ("here", "there"):
        while total((await remote.call("counts", name)).result):
            taken = (await remote.call("receive", name, max_messages=100, wait_ms=HOLD_MS)).result
            found += [message.body for message in taken]
            await remote.call("delete", name, [message.receipt for message in taken])
    return found
