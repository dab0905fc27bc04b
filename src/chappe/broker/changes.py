"""Changing what is stored of a queue: one change at a time, so that none undoes another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from chappe.broker.attributes import settings_of
from chappe.broker.directory import Call, Directory, FoundQueue
from chappe.engine.base import Engine


class Changes:
    def __init__(self, engine: Engine, directory: Directory) -> None:
        self._engine = engine
        self._directory = directory
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def to(self, call: Call, queue_url: str | None) -> AsyncIterator[FoundQueue]:
        """The queue as it stands, which nobody else changes until the block is left."""
        async with self._turn:
            queue = await self._directory.find(call, queue_url)
            self._directory.check_changeable(queue.name)
            yield queue

    async def store(self, queue: FoundQueue, stored: Mapping[str, str]) -> None:
        """Replace the stored attributes. Storing what is there already leaves the queue unmodified."""
        if stored != queue.settings.attributes:
            await self._engine.set_queue(queue.engine_name, settings_of(stored, fifo=queue.attributes.fifo))
