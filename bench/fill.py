"""Fill a queue of a data folder through the engine, without a server: `python -m bench.fill DIR --messages N`.

Used by the backlog figure, in a process of its own, so that filling leaves nothing behind but the folder.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

import uvloop

from chappe.engine.base import NewMessage
from chappe.engine.embedded import EmbeddedEngine

BATCH = 1_000
BATCHES_UNDER_WAY = 4


async def fill(folder: Path, queue: str, count: int, body_bytes: int) -> float:
    """Send `count` messages to the queue; the seconds it took."""
    engine = await EmbeddedEngine.open(folder)
    try:
        start = time.perf_counter()
        left = asyncio.Semaphore(BATCHES_UNDER_WAY)

        async def send(first: int, size: int) -> None:
            bodies = (str(first + n).ljust(body_bytes, "x").encode() for n in range(size))
            try:
                await engine.send(queue, [NewMessage(body) for body in bodies])
            finally:
                left.release()

        async with asyncio.TaskGroup() as sending:
            for first in range(0, count, BATCH):
                await left.acquire()
                sending.create_task(send(first, min(BATCH, count - first)))
        return time.perf_counter() - start
    finally:
        await engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--queue", required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--body-bytes", type=int, default=1024)
    given = parser.parse_args()
    seconds = uvloop.run(fill(given.folder, given.queue, given.messages, given.body_bytes))
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
