"""Disks that fail to sync or to write: what was not stored is not acknowledged, and what was acknowledged is stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import apsw
import pytest
from tests.acceptance.crash.faulty_disk import FaultyDisk, faulty_disk
from tests.conformance.engines import SMALL_RESERVE_BYTES
from tests.conformance.workplace import consume, receipts, send, take, texts

from chappe.engine.base import Engine, QueueSettings
from chappe.engine.embedded import EmbeddedEngine
from chappe.model.errors import StorageFailed, StorageFull

STANDARD = QueueSettings(retention_ms=None)


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    with faulty_disk() as disk:
        yield disk


async def open_on(disk: FaultyDisk, folder: Path) -> EmbeddedEngine:
    return await EmbeddedEngine.open(folder, reserve_bytes=SMALL_RESERVE_BYTES, vfs=disk.name)


async def stored(folder: Path) -> list[str]:
    """What is found when the folder is opened on a good disk."""
    engine = await EmbeddedEngine.open(folder, reserve_bytes=SMALL_RESERVE_BYTES)
    try:
        ready = (await engine.counts("q")).ready
        return texts(await consume(engine, "q", ready))
    finally:
        await engine.close()


async def test_a_send_that_could_not_be_synced_is_not_acknowledged(disk: FaultyDisk, tmp_path: Path) -> None:
    engine = await open_on(disk, tmp_path)
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "acknowledged")
    disk.good_syncs = 0
    with pytest.raises(StorageFailed):
        await send(engine, "q", "1", "2")
    disk.good_syncs = None
    await engine.close()
    assert await stored(tmp_path) in (["acknowledged"], ["acknowledged", "1", "2"])


async def test_after_a_failed_sync_nothing_more_is_promised(disk: FaultyDisk, tmp_path: Path) -> None:
    """Even if the disk says it is well again: what it holds is uncertain until the folder is opened anew."""
    engine = await open_on(disk, tmp_path)
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "acknowledged")
    [received] = await take(engine, "q", 1)
    disk.good_syncs = 0
    with pytest.raises(StorageFailed):
        await send(engine, "q", "lost")
    disk.good_syncs = None
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: send(engine, "q", "later"),
        lambda: engine.delete("q", [received.receipt]),
        lambda: engine.change_visibility("q", [(received.receipt, 0)]),
        lambda: engine.purge("q"),
        lambda: engine.delete_queue("q"),
        lambda: engine.create_queue("other", STANDARD),
    ]
    for call in calls:
        with pytest.raises(StorageFailed):
            await call()
    await engine.close()
    engine = await EmbeddedEngine.open(tmp_path, reserve_bytes=SMALL_RESERVE_BYTES)
    assert [info.name for info in await engine.list_queues()] == ["q"]
    counts = await engine.counts("q")
    assert counts.ready + counts.in_flight in (1, 2)
    await engine.close()


BATCHES = 12


@pytest.mark.parametrize(
    ("what", "error"),
    [("good_syncs", apsw.IOError), ("good_writes", apsw.IOError), ("good_writes", apsw.FullError)],
    ids=["syncs fail", "writes fail", "writes find no room"],
)
async def test_a_disk_that_fails_at_any_moment_costs_nothing_acknowledged(
    tmp_path: Path, what: str, error: type[apsw.Error]
) -> None:
    refusals = 0
    for good in range(40):
        folder = tmp_path / str(good)
        with faulty_disk() as disk:
            disk.write_error = error
            engine = await open_on(disk, folder)
            await engine.create_queue("q", STANDARD)
            setattr(disk, what, good)
            acknowledged, deleted = await work(engine)
            disk.good_syncs = disk.good_writes = None
            await engine.close()
        found = await stored(folder)
        assert len(found) == len(set(found))
        assert set(acknowledged) - set(deleted) <= set(found)
        assert not set(found) & set(deleted)
        for batch in range(BATCHES):
            pair = {f"{batch}a", f"{batch}b"}
            if not pair & set(acknowledged):
                refusals += 1
                assert len(pair & set(found)) in (0, 2), "a send was stored in part"
    assert refusals


async def work(engine: Engine) -> tuple[list[str], list[str]]:
    """Send pairs and delete one message after each; gives what of it was acknowledged. Goes on after failures."""
    acknowledged: list[str] = []
    deleted: list[str] = []
    for batch in range(BATCHES):
        pair = [f"{batch}a", f"{batch}b"]
        try:
            await send(engine, "q", *pair)
        except (StorageFailed, StorageFull):
            continue
        acknowledged += pair
        try:
            received = await engine.receive("q")
            outcome = await engine.delete("q", receipts(received))
        except (StorageFailed, StorageFull):
            continue
        if outcome == [None]:
            deleted += texts(received)
    return acknowledged, deleted
