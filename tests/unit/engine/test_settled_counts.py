"""The counts kept beside the rows: if one is too low, messages on disk are not looked for after a restart."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.conformance.engines import open_embedded
from tests.conformance.tight import tighten

from chappe.engine.base import Engine, NewMessage, QueueSettings
from chappe.engine.embedded.doctor import examine

MINUTE_MS = 60_000
GIVE_UP_SECONDS = 30
KEPT = 4
DOOMED = 10


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def until_settled(folder: Path) -> None:
    """Until the journal is empty."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while examine(folder).figures["journal_pages"]:  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(0.01)


async def received(engine: Engine, count: int) -> list[str]:
    """The receipts of `count` new messages that have rows."""
    await engine.send("q", [NewMessage(b"doomed")] * count)
    found: list[str] = []
    while batch := await engine.receive("q", max_messages=count, visibility_timeout_ms=MINUTE_MS):
        found += [message.receipt for message in batch]
    return found


async def all_are_found(engine: Engine, folder: Path) -> bool:
    """Send a few messages, close, and see whether a restart finds all of them."""
    await engine.send("q", [NewMessage(b"kept")] * KEPT)
    await until_settled(folder)
    await engine.close()
    reopened = await open_embedded(folder, now_ms)
    found = 0
    while batch := await reopened.receive("q", max_messages=KEPT):
        found += len(batch)
    await reopened.close()
    assert not (findings := examine(folder).findings), findings
    return found == KEPT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tighten(monkeypatch)
    monkeypatch.setattr("chappe.engine.embedded.settling.CHUNK", 1)
    return tmp_path / "data"


async def test_two_deletions_of_one_message_that_are_settled_apart_count_once(folder: Path) -> None:
    engine = await open_embedded(folder, now_ms)
    await engine.create_queue("q", QueueSettings())
    receipts = await received(engine, DOOMED)
    for receipt in receipts:
        await until_settled(folder)
        first = asyncio.create_task(engine.delete("q", [receipt]))
        await asyncio.sleep(0)  # the first deletion is on its way to a page of its own
        await asyncio.sleep(0)
        assert await engine.delete("q", [receipt]) == await first == [None]
    assert await all_are_found(engine, folder)


async def test_a_deletion_that_is_settled_after_a_purge_does_not_count(folder: Path) -> None:
    engine = await open_embedded(folder, now_ms)
    await engine.create_queue("q", QueueSettings())
    receipts = await received(engine, DOOMED)
    await until_settled(folder)
    await asyncio.gather(engine.delete("q", receipts), engine.purge("q"))
    assert await all_are_found(engine, folder)
