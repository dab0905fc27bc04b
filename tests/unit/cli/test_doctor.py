from __future__ import annotations

from pathlib import Path

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
