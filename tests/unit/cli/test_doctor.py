from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chappe.app import examine_folder, running
from chappe.config import Config, ServerSettings, StorageSettings
from chappe.engine.base import NewMessage, QueueSettings
from chappe.engine.embedded.engine import EmbeddedEngine

from .conftest import Run


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
