"""SIGKILL during the first start of a data folder: the next start goes on from wherever the first one got."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from tests.acceptance.kill.lives import Nursery, credentials, unsound
from tests.acceptance.kill.sqs import Connection, Signer

FOLDERS = int(os.environ.get("CHAPPE_TEST_FIRST_STARTS", "80"))
SECONDS = 25.0
ENOUGH = 20
KILLS_IN_A_ROW = 4


@pytest.mark.slow
def test_a_first_start_may_be_killed_at_any_moment(
    tmp_path: Path, nursery: Nursery, report: Callable[[str], None]
) -> None:
    folders, kills = uvloop.run(_first_starts(tmp_path, nursery))
    report(f"first starts: {folders} new data folders, {kills} kills, each folder sound and its credentials good")
    assert folders >= min(FOLDERS, ENOUGH)


async def _first_starts(home: Path, nursery: Nursery) -> tuple[int, int]:
    source = random.Random(1794)
    startup_seconds = await _start_and_use(nursery, home)
    end = time.monotonic() + SECONDS
    folders = kills = 0
    while folders < FOLDERS and (folders < ENOUGH or time.monotonic() < end):
        folder = home / str(folders)
        folder.mkdir()
        for _ in range(source.randint(1, KILLS_IN_A_ROW)):
            life = nursery.start(folder)
            await asyncio.sleep(source.uniform(0, startup_seconds))
            await life.kill()
            kills += 1
        seconds = await _start_and_use(nursery, folder)
        startup_seconds = 0.8 * startup_seconds + 0.2 * seconds
        folders += 1
    return folders, kills


async def _start_and_use(nursery: Nursery, folder: Path) -> float:
    """Start once more and use the credentials that are there. Returns how long the start took, in seconds."""
    begun = time.monotonic()
    life = nursery.start(folder)
    port = await life.listening()
    seconds = time.monotonic() - begun
    connection = await Connection.open(port, Signer(*credentials(folder)))
    await connection.call("CreateQueue", QueueName="q")
    await life.kill()
    await connection.close()
    assert not (findings := unsound(folder)), findings
    return seconds
