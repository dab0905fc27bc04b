"""The power fails: only what was synced is certain, and of the rest the disk kept what it liked."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path

import pytest
from tests.acceptance.crash.faulty_disk import VolatileDisk, volatile_disk
from tests.acceptance.crash.test_kills import SEED
from tests.conformance.engines import SMALL_RESERVE_BYTES
from tests.conformance.tight import tighten
from tests.conformance.workplace import consume, texts

from chappe.engine.base import NewMessage, QueueSettings
from chappe.engine.embedded import EmbeddedEngine
from chappe.engine.embedded.doctor import examine

CUTS = 120
STEPS = 25
MINUTE_MS = 60_000


@pytest.mark.parametrize("memory", ["ample", "tight"])
async def test_power_cuts_lose_nothing_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report_figures: list[str], memory: str
) -> None:
    if memory == "tight":
        tighten(monkeypatch)
    chance = random.Random(SEED)
    life = Life(chance)
    folder = tmp_path / "0"
    for cut in range(CUTS // 2):
        with volatile_disk() as disk:
            left = tmp_path / str(cut + 1)
            await life.until_the_power_fails(folder, disk, left)
        shutil.rmtree(folder)
        folder = left
    report = examine(folder)
    assert report.healthy, report.findings
    engine = await EmbeddedEngine.open(folder, reserve_bytes=SMALL_RESERVE_BYTES, clock=life.clock)
    life.now_ms += MINUTE_MS
    found = texts(await consume(engine, "q", (await engine.counts("q")).ready))
    await engine.close()
    assert len(found) == len(set(found))
    assert set(found) <= life.tried
    assert not set(found) & life.deleted
    lost = life.acknowledged - life.deleting - set(found)
    report_figures.append(
        f"power cuts ({memory} memory): {CUTS // 2}, acknowledged {len(life.acknowledged)},"
        f" deleted {len(life.deleted)}, losses={len(lost)} (CHAPPE_TEST_SEED={SEED})"
    )
    assert not lost


class Life:
    """One user through all power cuts, and what was promised to it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.now_ms = 1_767_225_600_000
        self.tried: set[str] = set()
        self.acknowledged: set[str] = set()
        self.deleting: set[str] = set()
        self.deleted: set[str] = set()

    def clock(self) -> int:
        return self.now_ms

    async def until_the_power_fails(self, folder: Path, disk: VolatileDisk, left: Path) -> None:
        engine = await EmbeddedEngine.open(folder, reserve_bytes=SMALL_RESERVE_BYTES, vfs=disk.name, clock=self.clock)
        if not await engine.list_queues():
            await engine.create_queue("q", QueueSettings(retention_ms=None, visibility_timeout_ms=MINUTE_MS))
        assert not self.deleted & await self._seen(engine)
        for _ in range(self._chance.randint(1, STEPS)):
            await self._step(engine)
        under_way = [asyncio.create_task(self._step(engine)) for _ in range(3)]
        for _ in range(self._chance.randint(0, 3)):
            await asyncio.sleep(0)
        if self._chance.random() < 0.3:
            await asyncio.sleep(self._chance.random() / 100)
        tried, acknowledged, deleted = set(self.tried), set(self.acknowledged), set(self.deleted)
        deleting = set(self.deleting)
        disk.cut(folder, left, self._chance)
        await asyncio.gather(*under_way)
        # What was acknowledged after the cut was acknowledged in another world.
        self.tried, self.acknowledged, self.deleted, self.deleting = tried, acknowledged, deleted, deleting
        await engine.close()

    async def _seen(self, engine: EmbeddedEngine) -> set[str]:
        """All that can be received, looked at without being taken."""
        self.now_ms += MINUTE_MS
        received = await engine.receive("q", max_messages=1000, visibility_timeout_ms=0)
        return set(texts(received))

    async def _step(self, engine: EmbeddedEngine) -> None:
        if self._chance.random() < 0.5:
            names = [f"{len(self.tried)}-{number}-{self._chance.random()}" for number in range(3)]
            self.tried.update(names)
            filler = "x" * self._chance.choice([0, 100, 10_000])
            await engine.send("q", [NewMessage(name.encode(), attributes=filler.encode()) for name in names])
            self.acknowledged.update(names)
        else:
            received = await engine.receive("q", max_messages=self._chance.randint(1, 5))
            self.deleting.update(texts(received))
            if received:
                await engine.delete("q", [message.receipt for message in received])
            self.deleted.update(texts(received))
