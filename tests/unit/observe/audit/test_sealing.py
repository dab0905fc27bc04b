"""Older records move into files, and nothing that cuts the move off loses or doubles one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conformance.clocks import ManualClock

from chappe.model.errors import DataDamaged
from chappe.observe.audit.checking import verify
from chappe.observe.audit.sealing import Sealer, sweep, write_segment
from chappe.observe.audit.storage import AuditStorage
from chappe.records import audit
from chappe.records.audit_pages import Entry
from chappe.records.store import Records

DAY_MS = 86_400_000
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
Plain = Callable[..., Entry]


async def fill(records: Records, plain: Plain, *, days: int = 3, pages: int = 3, per_page: int = 4) -> int:
    """Pages of some days; how many records."""
    number = 0
    for day in range(days):
        for _ in range(pages):
            entries = [plain(number + n, at_ms=day * DAY_MS + n) for n in range(per_page)]
            await records.audit.append(
                [
                    Entry(e.message, day * DAY_MS + n, e.open_part, e.personal_part, e.digest)
                    for n, e in enumerate(entries)
                ]
            )
            number += per_page
    return number


def numbers(folder: Path) -> list[int]:
    with AuditStorage(folder) as storage:
        assert verify(storage, KEY.public_key()).sound
        return [record.number for piece in storage.stretches() for record in piece]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "audit" / "segments")) for path in folder.rglob("*.parquet"))


async def test_days_that_are_over_become_a_file_each_and_the_newest_page_stays(tmp_path: Path, plain: Plain) -> None:
    clock = ManualClock()
    records = await Records.open(tmp_path, now_ms=clock)
    count = await fill(records, plain)
    sealer = Sealer(records.audit, tmp_path, lambda: 10 * DAY_MS)
    while await sealer.seal_next():
        pass
    assert [name.split("/")[0] for name in files(tmp_path)] == ["day=1970-01-01", "day=1970-01-02", "day=1970-01-03"]
    assert numbers(tmp_path) == list(range(count))
    with AuditStorage(tmp_path) as storage:
        assert storage.read(audit.first_in_pages) == count - 4
    await records.audit.append([plain(count)])
    assert numbers(tmp_path) == list(range(count + 1))
    await records.close()


async def test_the_day_that_is_not_over_is_sealed_only_in_full_files(tmp_path: Path, plain: Plain) -> None:
    records = await Records.open(tmp_path, now_ms=ManualClock())
    await fill(records, plain, days=1, pages=5)
    sealer = Sealer(records.audit, tmp_path, lambda: 0, segment_records=8)
    assert await sealer.seal_next() is not None
    assert await sealer.seal_next() is not None
    assert await sealer.seal_next() is None
    assert numbers(tmp_path) == list(range(20))
    await records.close()


async def test_what_a_crash_before_the_entry_left_is_swept_and_sealed_again(tmp_path: Path, plain: Plain) -> None:
    records = await Records.open(tmp_path, now_ms=ManualClock())
    count = await fill(records, plain)
    await asyncio.to_thread(write_segment, tmp_path, 0, 11, "1970-01-01")
    stray = tmp_path / "audit" / "segments" / "day=1970-01-01" / "000000000000-000000000011.0.writing"
    stray.write_bytes(b"half of a file")
    assert numbers(tmp_path) == list(range(count))
    sweep(tmp_path, 0.0)
    assert files(tmp_path) == []
    assert not stray.exists()
    sealer = Sealer(records.audit, tmp_path, lambda: 10 * DAY_MS)
    await sealer.seal_next()
    assert numbers(tmp_path) == list(range(count))
    sweep(tmp_path, 0.0)
    assert len(files(tmp_path)) == 1
    await records.close()


async def test_a_changed_record_is_not_sealed_as_if_it_were_sound(tmp_path: Path, plain: Plain) -> None:
    records = await Records.open(tmp_path, now_ms=ManualClock())
    await fill(records, plain)
    whole = (await records.audit.read(lambda connection: audit.page_rows(connection, 4)))[0]

    def change(connection: object) -> None:
        personal = bytearray(whole.hashes)
        personal[40] ^= 1
        connection.exec_driver_sql("UPDATE audit_pages SET hashes = ? WHERE first = 4", (bytes(personal),))  # type: ignore[attr-defined]

    await records._commits.run(change)
    with pytest.raises(DataDamaged, match="audit record 5"):
        await Sealer(records.audit, tmp_path, lambda: 10 * DAY_MS).seal_next()
    await records.close()


KILLED = """
import asyncio, os, sys
from pathlib import Path
from chappe.observe.audit import sealing, segments
from chappe.records.audit import AuditRecords
from chappe.records.store import Records

folder, step = Path(sys.argv[1]), sys.argv[2]

def die(*args, **kwargs):
    os.kill(os.getpid(), 9)

if step == "while writing":
    segments._write_group = die
elif step == "before the rename":
    Path.replace = die
elif step == "before the entry":
    AuditRecords.seal = die
async def main():
    records = await Records.open(folder, now_ms=lambda: 0, make=False)
    sealer = sealing.Sealer(records.audit, folder, lambda: 10 * 86_400_000)
    await sealer.seal_next()
    if step == "after the entry":
        die()
    sealing.sweep(folder, 0.0)
    die()
asyncio.run(main())
"""


@pytest.mark.parametrize(
    "step", ["while writing", "before the rename", "before the entry", "after the entry", "after the sweep"]
)
async def test_kill_9_between_any_two_steps_loses_and_doubles_nothing(tmp_path: Path, plain: Plain, step: str) -> None:
    records = await Records.open(tmp_path, now_ms=ManualClock())
    count = await fill(records, plain)
    await records.close()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, str(tmp_path), step], env=environment, check=False
    )
    assert killed.returncode == -9
    assert numbers(tmp_path) == list(range(count))
    records = await Records.open(tmp_path, now_ms=ManualClock())
    sweep(tmp_path, 0.0)
    sealer = Sealer(records.audit, tmp_path, lambda: 10 * DAY_MS)
    while await sealer.seal_next():
        pass
    assert numbers(tmp_path) == list(range(count))
    assert len(files(tmp_path)) == 3
    await records.close()
