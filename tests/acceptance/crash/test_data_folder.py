"""One data folder, one engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.crash.ledger import Ledger
from tests.acceptance.crash.remote import HostFailed, Zygote
from tests.conformance.engines import SMALL_RESERVE_BYTES
from tests.conformance.workplace import STANDARD, send, take, texts

from chappe.engine.embedded import EmbeddedEngine
from chappe.model.errors import DataFolderInUse


async def test_a_second_engine_on_a_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    first = await EmbeddedEngine.open(tmp_path, reserve_bytes=SMALL_RESERVE_BYTES)
    await first.create_queue("q", STANDARD)
    for _ in range(2):
        with pytest.raises(DataFolderInUse):
            await EmbeddedEngine.open(tmp_path, reserve_bytes=SMALL_RESERVE_BYTES)
    await send(first, "q", "body")
    assert texts(await take(first, "q", 1)) == ["body"]
    await first.close()
    second = await EmbeddedEngine.open(tmp_path, reserve_bytes=SMALL_RESERVE_BYTES)
    await second.close()


async def test_another_process_is_refused_until_the_first_is_dead(zygote: Zygote, socket: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    moments = Ledger({}).moments
    host = await zygote.fork(folder, socket, tight=False)
    await host.connect(moments)
    with pytest.raises(DataFolderInUse):
        await EmbeddedEngine.open(folder, reserve_bytes=SMALL_RESERVE_BYTES)
    host.kill()
    await host.ended()

    engine = await EmbeddedEngine.open(folder, reserve_bytes=SMALL_RESERVE_BYTES)
    host = await zygote.fork(folder, socket, tight=False)
    with pytest.raises(HostFailed, match="DataFolderInUse"):
        await host.connect(moments)
    with pytest.raises(HostFailed):
        await host.ended()
    await engine.close()
