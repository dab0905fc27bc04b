"""A process that hosts the embedded engine and does what it is told over a Unix socket, until it is killed."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any

from tests.acceptance.crash.wire import read_frame, write_frame
from tests.conformance.engines import SMALL_RESERVE_BYTES
from tests.conformance.tight import TIGHT

from chappe.engine.embedded import EmbeddedEngine
from chappe.model.errors import ChappeError


def run(folder: Path, socket: Path, *, tight: bool) -> None:
    """Serve until killed or told to close."""
    if tight:
        for name, value in TIGHT.items():
            module, constant = name.split(".")
            setattr(importlib.import_module(f"chappe.engine.embedded.{module}"), constant, value)
    asyncio.run(_serve(folder, socket))


async def _serve(folder: Path, socket: Path) -> None:
    engine = await EmbeddedEngine.open(folder, reserve_bytes=SMALL_RESERVE_BYTES)
    closed = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def answer(writer: asyncio.StreamWriter, frame: Any) -> None:
        number, operation, arguments, options = frame
        try:
            result = await getattr(engine, operation)(*arguments, **options)
        except ChappeError as error:
            result = error
        write_frame(writer, (number, result))
        if operation == "close":
            await writer.drain()
            closed.set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                frame = await read_frame(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            task = asyncio.create_task(answer(writer, frame))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    await asyncio.start_unix_server(converse, socket)
    await closed.wait()
