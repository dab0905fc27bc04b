"""Bytes that changed on the disk by themselves: said aloud, never delivered as if nothing had happened.

Each case takes a folder with something in every place (messages in rows or in the journal, receives, deduplication
keys), damages a copy, and then looks at what the doctor says, whether the engine opens, and what it gives.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conformance.clocks import ManualClock
from tests.conformance.engines import SMALL_RESERVE_BYTES, copy_as_found
from tests.conformance.tight import tighten
from tests.conformance.workplace import receipts

from chappe.engine.base import NewMessage, QueueSettings
from chappe.engine.embedded import EmbeddedEngine
from chappe.engine.embedded.doctor import examine
from chappe.engine.embedded.store import DATABASE
from chappe.model.errors import DataDamaged, QueueNotFound, StorageFailed

FLIPS = 150
SEED = int(os.environ.get("CHAPPE_TEST_SEED", "1794"))
MESSAGES = 300
MINUTE_MS = 60_000
NAMES = ["standard", "fifo"]


class Folder(NamedTuple):
    path: Path
    clock: ManualClock
    sent: dict[str, tuple[bytes, bytes]]
    """Message id -> (body, attributes) of those not deleted."""


class Outcome(NamedTuple):
    refused: bool
    """Opening or an operation said that something was wrong."""
    found: set[str]


async def open_engine(path: Path, clock: ManualClock) -> EmbeddedEngine:
    return await EmbeddedEngine.open(path, clock=clock, reserve_bytes=SMALL_RESERVE_BYTES)


@pytest.fixture(params=["settled", "journal"])
async def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Closed in good order, so that all is in the database file, as rows or as pages of the journal."""
    with monkeypatch.context() as patch:
        if request.param == "settled":
            tighten(patch)
        clock, sent = ManualClock(), {}
        path = tmp_path / "good"
        engine = await open_engine(path, clock)
        for name in NAMES:
            settings = QueueSettings(fifo=name == "fifo", retention_ms=None, visibility_timeout_ms=MINUTE_MS)
            await engine.create_queue(name, settings)
            for start in range(0, MESSAGES, 10):
                messages = [
                    NewMessage(
                        f"{name} {number} ".encode() * (number % 40 + 1),
                        attributes=f"attributes of {number}".encode(),
                        group=f"group {number % 7}",
                        deduplication_key=f"key {number}".encode() if name == "fifo" else None,
                        delay_ms=1000 if name == "standard" and number % 5 == 0 else None,
                    )
                    for number in range(start, start + 10)
                ]
                for message, answer in zip(messages, await engine.send(name, messages), strict=True):
                    sent[answer.id] = (message.body, message.attributes)
            for received in [await engine.receive(name, max_messages=20) for _ in range(3)]:
                await engine.delete(name, receipts(received[::2]))
                for gone in received[::2]:
                    del sent[gone.id]
        await engine.close()
    return Folder(path, clock, sent)


async def look(damaged: Path, folder: Folder) -> Outcome:
    """Receive all there is; what comes must be what was sent."""
    clock = ManualClock(folder.clock.now_ms + 10 * MINUTE_MS)
    found: set[str] = set()
    refused = False
    try:
        engine = await open_engine(damaged, clock)
    except (DataDamaged, StorageFailed):
        return Outcome(refused=True, found=found)
    try:
        for name in NAMES:
            try:
                while received := await engine.receive(name, max_messages=100):
                    for message in received:
                        assert message.id in folder.sent, f"{message} was never sent, or deleted"
                        assert (message.body, message.attributes) == folder.sent[message.id]
                        found.add(message.id)
                    await engine.delete(name, receipts(received))
            except QueueNotFound:
                continue
            except (DataDamaged, StorageFailed):
                refused = True
    finally:
        await engine.close()
    return Outcome(refused, found)


async def examined(damaged: Path, folder: Folder) -> str:
    """How the damage showed; fails if something is missing and nobody said so."""
    healthy = examine(damaged).healthy
    outcome = await look(damaged, folder)
    missing = set(folder.sent) - outcome.found
    assert not missing or outcome.refused or not healthy, f"{len(missing)} messages vanished silently"
    if outcome.refused:
        return "refused"
    return "seen by the doctor" if not healthy else "without effect"


async def test_the_undamaged_folder_is_whole(folder: Folder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_as_found(folder.path, copy)
    assert examine(copy).healthy
    assert await look(copy, folder) == Outcome(refused=False, found=set(folder.sent))


async def test_flipped_bytes_never_change_a_message_silently(
    folder: Folder, tmp_path: Path, report_figures: list[str], request: pytest.FixtureRequest
) -> None:
    chance = random.Random(SEED)
    damaged = tmp_path / "damaged"
    size = (folder.path / DATABASE).stat().st_size
    shown: dict[str, int] = {}
    for _ in range(FLIPS):
        copy_as_found(folder.path, damaged)
        where = chance.randrange(size)
        with (damaged / DATABASE).open("r+b") as file:
            file.seek(where)
            byte = file.read(1)[0]
            file.seek(where)
            file.write(bytes([byte ^ 1 << chance.randrange(8)]))
        try:
            how = await examined(damaged, folder)
        except AssertionError as failure:
            failure.add_note(f"byte {where} of {size} was flipped (CHAPPE_TEST_SEED={SEED})")
            raise
        shown[how] = shown.get(how, 0) + 1
    figures = ", ".join(f"{how} {count}" for how, count in sorted(shown.items()))
    report_figures.append(f"flipped bytes ({request.node.callspec.id}): {FLIPS}, {figures}, silent losses=0")
    assert shown.keys() - {"without effect"}


def cut_short(by: float) -> Callable[[Path], None]:
    def damage(database: Path) -> None:
        with database.open("r+b") as file:
            file.truncate(int(database.stat().st_size * (1 - by)))

    return damage


def overwrite(start: int, data: bytes) -> Callable[[Path], None]:
    def damage(database: Path) -> None:
        with database.open("r+b") as file:
            file.seek(start)
            file.write(data)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        cut_short(0.01),
        cut_short(0.5),
        cut_short(0.99),
        cut_short(1),
        overwrite(0, b"this is no database at all      "),
        overwrite(0, bytes(4096)),
        overwrite(16, b"\xff\xff"),
        overwrite(100, bytes(200)),
        overwrite(8192, bytes(8192)),
        lambda database: database.unlink(),
        lambda database: database.write_bytes(b"x" * 100_000),
    ],
    ids=[
        "one percent is missing",
        "half is missing",
        "nearly all is missing",
        "the file is empty",
        "another header",
        "a header of zeros",
        "another page size",
        "the schema overwritten",
        "a page of zeros",
        "no file",
        "another file",
    ],
)
async def test_gross_damage_is_refused_or_found(folder: Folder, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(folder.path, damaged)
    damage(damaged / DATABASE)
    assert await examined(damaged, folder) != "without effect"
