"""A disk that is really full: a small file system of its own, which takes the rights of root to make."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.conformance.workplace import eventually, receipts, total

from chappe.engine.base import NewMessage, QueueSettings
from chappe.engine.embedded import EmbeddedEngine
from chappe.engine.embedded.doctor import examine
from chappe.model.errors import StorageFull

DISK_BYTES = 32 << 20
RESERVE_BYTES = 6 << 20
BODY_BYTES = 20_000
KEEP = QueueSettings(retention_ms=None, visibility_timeout_ms=3_600_000)
BOTH_KINDS = pytest.mark.parametrize("settings", [KEEP, QueueSettings(fifo=True, retention_ms=None)])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
async def engine(small_disk: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = await open_on(small_disk)
    yield engine
    await engine.close()


async def open_on(disk: Path) -> EmbeddedEngine:
    return await EmbeddedEngine.open(disk / "data", reserve_bytes=RESERVE_BYTES)


def fill(hog: Path) -> None:
    """Leave no room on the disk."""
    file = os.open(hog, os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        while True:
            os.write(file, bytes(4096))
    os.close(file)


def body(number: int) -> bytes:
    return f"{number}:".encode() + bytes([number % 251]) * BODY_BYTES


async def send_until_full(engine: EmbeddedEngine, start: int = 0) -> list[int]:
    """Send numbered messages until one is refused; gives those that were acknowledged."""
    acknowledged: list[int] = []
    for number in range(start, start + 10 * DISK_BYTES // BODY_BYTES):
        try:
            await engine.send("q", [NewMessage(body(number), group=f"g{number % 20}")])
        except StorageFull:
            return acknowledged
        acknowledged.append(number)
    raise AssertionError("the disk never was full")


async def receive_numbers(engine: EmbeddedEngine, count: int, *, delete: bool) -> list[int]:
    numbers: list[int] = []
    while len(numbers) < count:
        received = await engine.receive("q", max_messages=min(100, count - len(numbers)), wait_ms=1000)
        assert received, f"{len(numbers)} of {count} messages came"
        for message in received:
            number = int(message.body.split(b":")[0])
            assert message.body == body(number)
            numbers.append(number)
        if delete:
            assert set(await engine.delete("q", receipts(received))) == {None}
    return numbers


async def sends_are_taken_again(engine: EmbeddedEngine) -> None:
    async def taken() -> bool:
        try:
            await engine.send("q", [NewMessage(body(-1), group="again")])
        except StorageFull:
            return False
        return True

    await eventually(taken)


@BOTH_KINDS
async def test_a_full_disk_refuses_sends_and_serves_receives_and_deletes(
    engine: EmbeddedEngine, settings: QueueSettings
) -> None:
    await engine.create_queue("q", settings)
    acknowledged = await send_until_full(engine)
    assert len(acknowledged) > DISK_BYTES // BODY_BYTES // 3
    with pytest.raises(StorageFull):
        await engine.send("q", [NewMessage(b"one more", group="g")])
    found = await receive_numbers(engine, len(acknowledged), delete=True)
    assert sorted(found) == acknowledged
    assert await engine.receive("q") == []


async def test_a_full_disk_serves_changes_of_visibility(engine: EmbeddedEngine) -> None:
    await engine.create_queue("q", KEEP)
    await send_until_full(engine)
    received = await engine.receive("q", max_messages=10)
    assert set(await engine.change_visibility("q", [(receipt, 0) for receipt in receipts(received)])) == {None}


async def test_sends_are_taken_again_when_messages_were_deleted(engine: EmbeddedEngine) -> None:
    await engine.create_queue("q", KEEP)
    acknowledged = await send_until_full(engine)
    deleted = await receive_numbers(engine, len(acknowledged) * 3 // 4, delete=True)
    await sends_are_taken_again(engine)
    left = await engine.counts("q")
    assert total(left) == len(acknowledged) - len(deleted) + 1


async def test_sends_are_taken_again_when_the_queue_was_purged(engine: EmbeddedEngine) -> None:
    await engine.create_queue("q", KEEP)
    await send_until_full(engine)
    await engine.purge("q")
    await sends_are_taken_again(engine)


async def test_sends_are_taken_again_when_somebody_else_made_room(small_disk: Path, engine: EmbeddedEngine) -> None:
    await engine.create_queue("q", KEEP)
    hog = small_disk / "hog"
    await asyncio.to_thread(hog.write_bytes, bytes(DISK_BYTES // 2))
    with capture_logs() as log:
        acknowledged = await send_until_full(engine)
        await asyncio.to_thread(hog.unlink)
        await sends_are_taken_again(engine)
    assert [entry["event"] for entry in log if entry["event"].startswith("disk_")] == ["disk_full", "disk_has_room"]
    more = await send_until_full(engine, start=len(acknowledged))
    assert more
    found = await receive_numbers(engine, len(acknowledged) + len(more) + 1, delete=False)
    assert sorted(set(found)) == [-1, *acknowledged, *more]


async def test_a_full_disk_that_fills_again_and_again_loses_nothing(engine: EmbeddedEngine) -> None:
    await engine.create_queue("q", KEEP)
    left: set[int] = set()
    start = 0
    for _ in range(5):
        acknowledged = await send_until_full(engine, start)
        start += len(acknowledged)
        left |= set(acknowledged)
        left -= set(await receive_numbers(engine, len(left) * 3 // 4, delete=True))
        await sends_are_taken_again(engine)
        left.add(-1)
        while -1 in left:
            numbers = await receive_numbers(engine, 1, delete=True)
            left -= set(numbers)
    found = await receive_numbers(engine, total(await engine.counts("q")), delete=False)
    assert set(found) - {-1} == left


async def test_an_engine_opens_on_a_full_disk_and_serves_what_is_there(small_disk: Path) -> None:
    engine = await open_on(small_disk)
    await engine.create_queue("q", KEEP)
    acknowledged = list(range(100))
    for number in acknowledged:
        await engine.send("q", [NewMessage(body(number))])
    await engine.close()
    hog = small_disk / "hog"
    await asyncio.to_thread(fill, hog)
    engine = await open_on(small_disk)
    with pytest.raises(StorageFull):
        await engine.send("q", [NewMessage(body(0))])
    found = await receive_numbers(engine, len(acknowledged), delete=True)
    assert sorted(found) == acknowledged
    await asyncio.to_thread(hog.unlink)
    await sends_are_taken_again(engine)
    await engine.close()
    assert examine(small_disk / "data").healthy
