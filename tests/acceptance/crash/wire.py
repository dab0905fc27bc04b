"""How the tests talk to an engine in another process: pickled frames over a Unix socket."""

from __future__ import annotations

import asyncio
import pickle
import struct
from typing import Any

_LENGTH = struct.Struct("<I")


async def read_frame(reader: asyncio.StreamReader) -> Any:
    """Raises `asyncio.IncompleteReadError` or `ConnectionError` when the other side is gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return pickle.loads(await reader.readexactly(length))


def write_frame(writer: asyncio.StreamWriter, frame: Any) -> None:
    data = pickle.dumps(frame)
    writer.write(_LENGTH.pack(len(data)) + data)
