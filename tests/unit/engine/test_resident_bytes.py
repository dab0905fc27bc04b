"""The bytes of contents that are counted as held in memory: counted too many, contents would leave it too early."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.engines import open_embedded
from tests.conformance.tight import tighten
from tests.unit.engine.test_settled_counts import MINUTE_MS, now_ms, until_settled

from chappe.engine.base import NewMessage, QueueSettings
from chappe.engine.embedded import EmbeddedEngine


@pytest.mark.parametrize("tenants", [0, 3])
async def test_delayed_messages_that_are_left_to_the_disk_are_no_longer_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenants: int
) -> None:
    tighten(monkeypatch)
    monkeypatch.setattr("chappe.engine.embedded.core.RESIDENT_BYTES", 1 << 26)
    engine = await open_embedded(tmp_path / "data", now_ms)
    assert isinstance(engine, EmbeddedEngine)
    await engine.create_queue("q", QueueSettings())
    for number in range(40):  # each is due before those that were sent before it
        group = f"tenant {number % tenants}" if tenants else None
        await engine.send("q", [NewMessage(b"x" * 1_000, delay_ms=MINUTE_MS - number, group=group)])
    await until_settled(tmp_path / "data")
    core = engine._core
    (queue,) = core.by_id.values()
    held = [entry for entry in queue.entries() if entry.settled]
    assert 0 < len(held) < 40
    assert core.resident_bytes == sum(entry.content_bytes for entry in held)
    await engine.close()
