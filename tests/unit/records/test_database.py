from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.clocks import ManualClock

from chappe.model.customer import Recipient, Status
from chappe.model.errors import DataDamaged, StorageFailed
from chappe.records import database
from chappe.records.database import check
from chappe.records.profiles import Profile
from chappe.records.store import FILE_NAME, Records

Build = Callable[..., Any]


async def test_what_was_acknowledged_is_there_after_a_kill(
    tmp_path: Path, records: Records, add: Build, step: Build, clock: ManualClock
) -> None:
    """A copy of the files while the owner still runs is what a kill would leave."""
    key = await add(records)
    await records.messages.advance([step(key, Status.QUEUED)], urgent=True)
    copy = tmp_path / "copy"
    copy.mkdir()
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(tmp_path / (FILE_NAME + suffix), copy)
    found = await Records.open(copy, now_ms=clock)
    assert (await found.messages.get(key)).summary.status is Status.QUEUED
    assert found.keys.next() > key
    await found.close()


async def test_keys_go_on_after_a_restart_with_the_clock_set_back(
    tmp_path: Path, add: Build, clock: ManualClock
) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    key = await add(records)
    await records.close()
    records = await Records.open(tmp_path, now_ms=lambda: clock() - 3_600_000)
    assert records.keys.next() > key
    await records.close()


async def test_another_format_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    await (await Records.open(tmp_path, now_ms=clock)).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    connection.close()
    with pytest.raises(DataDamaged, match=r"format 99.*reads format 3"):
        await Records.open(tmp_path, now_ms=clock)
    assert "format 99" in check(tmp_path / FILE_NAME)[0]


async def test_somebody_elses_database_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("CREATE TABLE recipes (id)")
    connection.close()
    with pytest.raises(DataDamaged, match="not one of Chappe's"):
        await Records.open(tmp_path, now_ms=clock)


async def test_missing_tables_are_damage(tmp_path: Path, clock: ManualClock) -> None:
    await (await Records.open(tmp_path, now_ms=clock)).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("DROP TABLE consents")
    connection.close()
    with pytest.raises(DataDamaged, match="lacks the tables consents"):
        await Records.open(tmp_path, now_ms=clock)


async def test_what_is_no_database_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is not a database" * 1000)
    with pytest.raises(DataDamaged, match="damaged"):
        await Records.open(tmp_path, now_ms=clock)
    assert "damaged" in check(tmp_path / FILE_NAME)[0]


async def test_a_database_with_damaged_tables_is_refused(tmp_path: Path, add: Build, clock: ManualClock) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    await add(records)
    await records.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'messages'").fetchone()[0]
    connection.close()
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek((root - 1) * page_bytes)
        file.write(b"\xff" * 512)
    with pytest.raises(DataDamaged, match="restore the data folder"):
        await Records.open(tmp_path, now_ms=clock)


async def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(StorageFailed):
        await Records.open(tmp_path / "nowhere", now_ms=clock)


async def test_a_sound_database_has_no_findings(tmp_path: Path, add: Build, clock: ManualClock) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    await add(records)
    await records.close()
    assert check(tmp_path / FILE_NAME) == []
    assert "does not exist" in check(tmp_path / "nothing.db")[0]


async def test_a_damaged_page_is_found(tmp_path: Path, add: Build, clock: ManualClock) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    for _ in range(200):
        await add(records)
    await records.close()
    path = tmp_path / FILE_NAME
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = b"\xa5" * 3000
    path.write_bytes(content)
    assert check(path)


async def test_the_log_starts_over(
    tmp_path: Path, add: Build, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CHECKPOINT_INTERVAL_SECONDS", 0.001)
    monkeypatch.setattr(database, "LOG_LIMIT_PAGES", 20)
    records = await Records.open(tmp_path, now_ms=clock)
    log = tmp_path / (FILE_NAME + "-wal")
    largest = 0
    for _ in range(400):
        await add(records)
        largest = max(largest, log.stat().st_size)
    await records.close()
    # Without starting over, 400 commits of several pages each would have made it a multiple of this.
    assert largest < 400 * 3 * 4096


async def test_closing_leaves_one_file(tmp_path: Path, add: Build, clock: ManualClock) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    await add(records)
    await records.close()
    assert os.listdir(tmp_path) == [FILE_NAME]  # noqa: PTH208


async def test_what_is_erased_is_not_left_in_the_file(tmp_path: Path, clock: ManualClock) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    for number in range(50):
        to = Recipient(email=f"somebody-{number}@example.com")
        await records.profiles.put(f"p{number}", [to], Profile(country="US"), clock())
    for number in range(50):
        await records.profiles.remove(f"p{number}")
    await records.close()
    assert b"somebody-" not in (tmp_path / FILE_NAME).read_bytes()
