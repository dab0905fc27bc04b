from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.commands import Run

from chappe.app import examine_folder, running
from chappe.config import Config, ServerSettings, StorageSettings
from chappe.engine.base import NewMessage, QueueSettings
from chappe.engine.embedded.engine import EmbeddedEngine
from chappe.model.registry import RegistryKind
from chappe.records.registries.building import Mode
from chappe.records.registries.layout import Form
from chappe.records.registries.registry_records import Registry
from chappe.records.registries.store import ListImport
from chappe.records.store import Records


async def filled(folder: Path) -> None:
    engine = await EmbeddedEngine.open(folder, reserve_bytes=4096)
    await engine.create_queue("orders", QueueSettings())
    await engine.send("orders", [NewMessage(b"one"), NewMessage(b"two")])
    await engine.close()


async def test_a_sound_folder(chappe: Run, tmp_path: Path) -> None:
    await filled(tmp_path / "chappe-data")
    result = chappe("doctor")
    assert result.code == 0, result.err
    assert "Nothing is damaged." in result.out
    report = chappe("doctor", "--json").json
    assert report["healthy"] is True
    assert report["figures"]["queues"] == 1
    assert "\x1b" not in result.out, "no colour outside of a terminal"


async def test_a_damaged_folder(chappe: Run, tmp_path: Path) -> None:
    await filled(tmp_path / "data")
    database = tmp_path / "data" / "queues.db"
    content = bytearray(database.read_bytes())
    content[100:4096] = b"\xff" * 3996
    database.write_bytes(content)
    result = chappe("doctor", "--data", tmp_path / "data")
    assert result.code == 1
    assert "damage:" in result.out
    assert "Traceback" not in result.err
    assert chappe("doctor", "--json", "--data", tmp_path / "data").json["healthy"] is False


def test_a_folder_that_is_none(chappe: Run, tmp_path: Path) -> None:
    assert chappe("doctor", "--data", tmp_path / "nope").code == 1
    assert not (tmp_path / "nope").exists()


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


async def test_nothing_is_changed_so_that_a_read_only_backup_can_be_examined(chappe: Run, tmp_path: Path) -> None:
    folder = tmp_path / "chappe-data"
    await complete(folder)
    (folder / "lock").unlink()
    before, changed_at = contents(folder), folder.stat().st_mtime_ns
    assert chappe("doctor").code == 0
    assert contents(folder) == before
    assert folder.stat().st_mtime_ns == changed_at


async def complete(folder: Path) -> None:
    """A folder on which a server has run."""
    async with running(Config(server=ServerSettings(data=folder, port=0), storage=StorageSettings(reserve_bytes=4096))):
        pass


async def test_a_complete_folder_is_sound(tmp_path: Path) -> None:
    await complete(tmp_path / "data")
    report = examine_folder(tmp_path / "data")
    assert report.healthy, report.findings


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("keys.json", b""),
        ("keys.json", b"{"),
        ("server-secret", b"zz"),
        ("server-secret", None),
        ("webhook-secret", b"?"),
        ("format", b"99\n"),
        ("records.db", None),
    ],
)
async def test_what_a_server_would_refuse_or_lose_is_damage(
    chappe: Run, tmp_path: Path, name: str, content: bytes | None
) -> None:
    await complete(tmp_path / "chappe-data")
    path = tmp_path / "chappe-data" / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    result = chappe("doctor", "--json")
    assert result.code == 1
    assert [finding["where"] for finding in result.json["findings"]] == [name]


async def test_a_secret_that_others_can_read_is_told(tmp_path: Path) -> None:
    await complete(tmp_path / "data")
    (tmp_path / "data" / "keys.json").chmod(0o644)
    (finding,) = examine_folder(tmp_path / "data").findings
    assert (finding.level, finding.where) == ("damage", "keys.json")
    assert "chmod 600" in finding.what


async def test_lost_keys_are_a_warning(tmp_path: Path) -> None:
    await complete(tmp_path / "data")
    (tmp_path / "data" / "keys.json").unlink()
    (finding,) = examine_folder(tmp_path / "data").findings
    assert (finding.level, finding.where) == ("warning", "keys.json")


async def with_two_versions(folder: Path) -> list[Path]:
    """A folder with a registry; the files of its versions, the one in use last."""
    await complete(folder)
    records = await Records.open(folder, now_ms=lambda: 1_000)
    registry = Registry("dnc", "DNC", RegistryKind.DO_NOT_CALL, "US", Form.NUMBERS, 0)
    await records.registries.records.create(registry)

    async def content(text: str) -> AsyncIterator[bytes]:
        yield text.encode()

    for number in ("2025550101", "2025550102"):
        how = ListImport(mode=Mode.FULL, as_of_ms=1)
        started = await records.registries.start_import(registry, how, content(f"number\n{number}\n"))
        async with asyncio.timeout(60):
            while not started.ended:  # noqa: ASYNC110 (an import is asked how it stands, as users do)
                await asyncio.sleep(0.01)
    versions = await records.registries.records.versions("dnc")
    await records.close()
    return [folder / "registries" / version.file for version in reversed(versions)]


async def test_the_files_of_registries_are_looked_at(tmp_path: Path) -> None:
    before, in_use = await with_two_versions(tmp_path / "data")
    assert examine_folder(tmp_path / "data").healthy
    content = bytearray(in_use.read_bytes())
    content[-1] ^= 1
    in_use.write_bytes(content)
    before.unlink()
    findings = examine_folder(tmp_path / "data").findings
    assert [(finding.level, finding.where) for finding in findings] == [
        ("warning", "registries, version 1 of dnc"),
        ("damage", "registries, version 2 of dnc"),
    ]
    assert "is not as it was written" in findings[1].what


async def test_an_index_that_disagrees_with_its_table_is_damage(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    await filled(folder)
    database = folder / "queues.db"
    content = bytearray(database.read_bytes())
    places = [place for place in range(len(content)) if content.startswith(b"orders", place)]
    assert len(places) > 1, "in the table and in the index of its names"
    content[places[-1]] ^= 1
    database.write_bytes(content)
    report = examine_folder(folder)
    assert not report.healthy


async def test_a_log_that_a_crash_left_is_read_too(tmp_path: Path) -> None:
    folder, copy = tmp_path / "data", tmp_path / "copy"
    engine = await EmbeddedEngine.open(folder, reserve_bytes=4096)
    await engine.create_queue("orders", QueueSettings())
    copy.mkdir(mode=0o700)
    for name in ("queues.db", "queues.db-wal", "format"):
        shutil.copy(folder / name, copy)
    await engine.close()
    assert examine_folder(copy).figures["queues"] == 1
