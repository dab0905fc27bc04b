"""Redis Streams, one server, with every write synced before it is acknowledged (`appendfsync always`).

A queue is a stream with one consumer group: XADD is sending, XREADGROUP receiving, XACK with XDEL deleting. A batch
of ten is ten XADDs written at once, one XREADGROUP of ten, and one XACK and one XDEL of ten written at once.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from bench.life_log import LifeLog
from bench.load import WAIT, Source
from bench.process import HOST, Process, free_port
from bench.queue_life import BATCH, BODY_BYTES
from bench.rivals import installing
from bench.rivals.resp import call, command, resp_reply

_Script = Generator[bytes, Any, None]
_GROUP = "g"


class Redis(Process):
    """`redis-server` with its append-only file in a folder, and no snapshots beside it."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        data = folder / "redis"
        data.mkdir()
        settings = {
            "bind": HOST,
            "port": str(port),
            "dir": str(data),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "daemonize": "no",
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        super().__init__([str(installing.redis_program()), *options], port, log=folder / "redis.log")


class RedisContender:
    """The same work through Redis."""

    name = "Redis Streams"
    durable = "synced"
    speaks_sqs = False
    framing = staticmethod(resp_reply)

    def __init__(self, server: Redis) -> None:
        self.server = server
        self._streams = itertools.count()

    def senders(self, connections: int) -> Sequence[Source]:
        stream = self._create_stream()
        return [_started(_sending(stream, number)) for number in range(connections)]

    def lives(self, connections: int) -> tuple[LifeLog, Sequence[Source]]:
        stream = self._create_stream()
        log = LifeLog()
        return log, [_started(_living(stream, number, log)) for number in range(connections)]

    def _create_stream(self) -> str:
        name = f"bench{next(self._streams)}"
        call(self.server.address, "XGROUP", "CREATE", name, _GROUP, "$", "MKSTREAM")
        return name


def _add(stream: str, number: int) -> bytes:
    return command("XADD", stream, "*", "body", f"{number:08}".ljust(BODY_BYTES, "x"))


def _sending(stream: str, number: int) -> _Script:
    request = _add(stream, number)
    yield b""
    while True:
        yield request


def _living(stream: str, number: int, log: LifeLog) -> _Script:
    sends = _add(stream, number) * BATCH
    yield b""
    while True:
        asked = time.perf_counter()
        yield from _answered(sends, BATCH)
        log.latencies_ms["send"].append((time.perf_counter() - asked) * 1000)
        left = BATCH
        while left:
            asked = time.perf_counter()
            words = ["XREADGROUP", "GROUP", _GROUP, str(number), "COUNT", left, "BLOCK", 1000, "STREAMS", stream, ">"]
            streams = yield command(*words)
            log.latencies_ms["receive"].append((time.perf_counter() - asked) * 1000)
            receipts = [entry[0] for entry in streams[0][1]] if streams else []
            if receipts:
                asked = time.perf_counter()
                deletion = command("XACK", stream, _GROUP, *receipts) + command("XDEL", stream, *receipts)
                counts = yield from _answered(deletion, 2)
                if counts != [len(receipts)] * 2:
                    raise RuntimeError(f"Redis deleted {counts} of {len(receipts)}")
                log.latencies_ms["delete"].append((time.perf_counter() - asked) * 1000)
                log.deletions.append((time.perf_counter(), len(receipts)))
            left -= len(receipts)


def _answered(commands: bytes, answers: int) -> Generator[bytes, Any, list[Any]]:
    values = [(yield commands)]
    while len(values) < answers:
        values.append((yield WAIT))
    return values


def _started(script: _Script) -> Source:
    """A source for `drive`. Raises the server's refusals."""
    next(script)

    def source(value: Any) -> bytes:
        if isinstance(value, Exception):
            raise value
        return script.send(value)

    return source
