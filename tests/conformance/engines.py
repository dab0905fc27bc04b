"""The engines that the suite holds to the contract. A new engine is added here and nowhere else."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest
from tests.conformance.tight import tighten
from tests.model.reference import ReferenceEngine

from chappe.engine.base import Engine
from chappe.engine.embedded.store import DATABASE

Clock = Callable[[], int]


class EngineKind(NamedTuple):
    """How to open an engine on a folder, and whether what it stored is there when it is opened again."""

    name: str
    open: Callable[[Path, Clock], Awaitable[Engine]]
    durable: bool
    prepare: Callable[[pytest.MonkeyPatch], None] = lambda monkeypatch: None
    """Done before it is opened, and undone after the test."""
    large: bool = True
    """Whether it has room for a few hundred messages, and is quick enough for tens of thousands."""


async def open_reference(folder: Path, clock: Clock) -> Engine:
    return ReferenceEngine(clock)


SMALL_RESERVE_BYTES = 64 * 1024
"""Room set aside for a full disk: tests open folders by the thousand."""


async def open_embedded(folder: Path, clock: Clock) -> Engine:
    from chappe.engine.embedded import EmbeddedEngine

    return await EmbeddedEngine.open(folder, clock=clock, reserve_bytes=SMALL_RESERVE_BYTES)


KINDS = (
    EngineKind("reference", open_reference, durable=False),
    EngineKind("embedded", open_embedded, durable=True),
    EngineKind("tight", open_embedded, durable=True, prepare=tighten, large=False),
)


def copy_as_found(source: Path, target: Path) -> None:
    """Copy a folder whose owner is still running: what a new process would find after the owner was killed.

    A kill leaves the files of one instant. So that the copy does too, nobody may write to the database meanwhile; what
    a checkpoint copies at the same time is still in the log as well.
    """
    shutil.rmtree(target, ignore_errors=True)
    database = apsw.Connection(str(source / DATABASE))
    try:
        database.set_busy_timeout(10_000)
        database.execute("BEGIN IMMEDIATE")
        shutil.copytree(source, target)
        database.execute("ROLLBACK")
    finally:
        database.close()
