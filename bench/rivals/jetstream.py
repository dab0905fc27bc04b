"""NATS JetStream, one server, with every write synced before it is acknowledged (`sync_interval: always`).

A queue is a stream with work-queue retention and one durable pull consumer: publishing is sending, pulling is
receiving, and an acknowledgement that is itself answered deletes. A batch of ten is ten publishes written at once
and then awaited together, one pull of ten, and ten acknowledgements likewise.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from bench.life_log import LifeLog
from bench.load import WAIT, Source
from bench.process import HOST, Process, free_port
from bench.queue_life import BATCH, BODY_BYTES
from bench.rivals import installing
from bench.rivals.nats_protocol import HANDSHAKE, AdminClient, nats_frame, publish

_Script = Generator[bytes, bytes, None]
_PULL = b'{"batch":%d,"expires":1000000000}'
_MAX_ACK_PENDING = 100_000


class JetStream(Process):
    """`nats-server` with its store in a folder."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        settings = folder / "nats.conf"
        settings.write_text(
            f'host: {HOST}\nport: {port}\nping_interval: "1h"\n'
            f'jetstream {{ store_dir: "{folder / "jetstream"}", sync_interval: always }}\n'
        )
        super().__init__([str(installing.nats_program()), "-c", str(settings)], port, log=folder / "nats.log")


class JetStreamContender:
    """The same work through NATS."""

    name = "JetStream"
    durable = "synced"
    speaks_sqs = False
    framing = staticmethod(nats_frame)

    def __init__(self, server: JetStream) -> None:
        self.server = server
        self._streams = itertools.count()

    def senders(self, connections: int) -> Sequence[Source]:
        stream = self._create_stream()
        return [_Connection(stream, number).sending() for number in range(connections)]

    def lives(self, connections: int) -> tuple[LifeLog, Sequence[Source]]:
        stream = self._create_stream()
        log = LifeLog()
        return log, [_Connection(stream, number).living(log) for number in range(connections)]

    def _create_stream(self) -> str:
        name = f"bench{next(self._streams)}"
        with contextlib.closing(AdminClient(self.server.address)) as client:
            options = {"name": name, "subjects": [name], "retention": "workqueue", "storage": "file"}
            client.request(f"$JS.API.STREAM.CREATE.{name}", options)
            consumer = {"durable_name": "c", "ack_policy": "explicit", "max_ack_pending": _MAX_ACK_PENDING}
            client.request(f"$JS.API.CONSUMER.CREATE.{name}.c", {"stream_name": name, "config": consumer})
        return name


class _Connection:
    """One connection; all answers come to one subject of its own."""

    def __init__(self, stream: str, number: int) -> None:
        self._inbox = b"in.%d" % number
        self._publish = publish(stream.encode(), self._inbox, f"{number:08}".ljust(BODY_BYTES, "x").encode())
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.c".encode()

    def sending(self) -> Source:
        return _started(self._sending())

    def living(self, log: LifeLog) -> Source:
        return _started(self._living(log))

    def _sending(self) -> _Script:
        yield from self._handshake()
        while True:
            yield from self._answered(self._publish, 1)

    def _living(self, log: LifeLog) -> _Script:
        yield from self._handshake()
        while True:
            asked = time.perf_counter()
            yield from self._answered(self._publish * BATCH, BATCH)
            log.latencies_ms["send"].append((time.perf_counter() - asked) * 1000)
            left = BATCH
            while left:
                asked = time.perf_counter()
                receipts = yield from self._pull(left)
                log.latencies_ms["receive"].append((time.perf_counter() - asked) * 1000)
                if receipts:
                    asked = time.perf_counter()
                    acknowledgements = b"".join(publish(receipt, self._inbox, b"+ACK") for receipt in receipts)
                    yield from self._answered(acknowledgements, len(receipts))
                    log.latencies_ms["delete"].append((time.perf_counter() - asked) * 1000)
                    log.deletions.append((time.perf_counter(), len(receipts)))
                left -= len(receipts)

    def _handshake(self) -> _Script:
        yield b""
        frame = yield HANDSHAKE + b"SUB %b 1\r\nPING\r\n" % self._inbox
        while not frame.startswith(b"PONG"):
            frame = yield WAIT

    def _answered(self, frames: bytes, answers: int) -> _Script:
        frame = yield frames
        while True:
            if not frame.startswith(b"MSG ") or b'"error"' in frame:
                raise RuntimeError(f"JetStream answered {frame[:500]!r}")
            answers -= 1
            if not answers:
                return
            frame = yield WAIT

    def _pull(self, count: int) -> Generator[bytes, bytes, list[bytes]]:
        """The subjects to acknowledge; fewer than `count` when the pull expired."""
        receipts: list[bytes] = []
        frame = yield publish(self._next, self._inbox, _PULL % count)
        while frame.startswith(b"MSG "):
            receipts.append(frame[: frame.index(b"\r\n")].split(b" ")[3])
            if len(receipts) == count:
                return receipts
            frame = yield WAIT
        if not frame.startswith(b"HMSG "):
            raise RuntimeError(f"JetStream answered {frame[:500]!r}")
        return receipts


def _started(script: _Script) -> Source:
    """A source for `drive`. The one PING that the server sends of itself is answered with the next request."""
    next(script)
    pong = b""

    def source(frame: bytes) -> bytes:
        nonlocal pong
        if frame.startswith(b"PING"):
            pong = b"PONG\r\n"
            return WAIT
        request = script.send(frame)
        if request and pong:
            request, pong = pong + request, b""
        return request

    return source
