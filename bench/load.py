"""A closed-loop load generator: each connection sends its next request when the last was answered.

One thread, non-blocking sockets and epoll, and no more parsing than finding where a reply ends, so that from
one core it outruns a server on another. `Samples.client_cpu` tells whether it did: near 1 the client was the
limit, not the server. What a reply looks like is a `Framing`; HTTP/1.1 is the usual one.
"""

from __future__ import annotations

import heapq
import itertools
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.framing import Framing, Reply, http_reply


@dataclass(frozen=True)
class Pause:
    """Instead of a request: call again, with an empty reply, at `until` on the clock `time.perf_counter`."""

    until: float


WAIT = b""
"""Instead of a request: the reply is not complete, more frames of it are to come."""

Source = Callable[[bytes], "bytes | Pause | None"]
"""One connection's script: given the body of the last reply (empty at first), the next request, or None to
stop.
"""

_READ_BYTES = 262_144
_LONGEST_WAIT_SECONDS = 0.1


@dataclass
class Samples:
    """What was measured after the warm-up. Latencies in milliseconds, ascending."""

    begun: float
    """When counting began, on the clock `time.perf_counter`."""
    seconds: float
    requests: int
    latencies_ms: list[float]
    errors: dict[str, int]
    client_cpu: float
    metered: float = 0.0
    """By how much the meter rose while counting."""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many percent of the requests did not exceed."""
        return percentile(self.latencies_ms, percent)


def percentile(ascending: list[float], percent: float) -> float:
    """The smallest value that at least so many percent do not exceed; 0 for no values."""
    if not ascending:
        return 0.0
    rank = max(0, -int(-len(ascending) * percent // 100) - 1)
    return ascending[rank]


def drive(
    address: tuple[str, int],
    sources: Sequence[Source],
    *,
    seconds: float,
    warm_up_seconds: float = 0.0,
    framing: Framing = http_reply,
    done: Callable[[], bool] | None = None,
    drain_seconds: float = 0.0,
    meter: Callable[[], float] = lambda: 0.0,
) -> Samples:
    """Run one connection per source for a time, until every source has stopped, or until `done`.

    What is under way at the end is abandoned, or awaited for `drain_seconds` without being counted, so that the
    server has nothing left of it to do. `meter` is read when counting begins and when it ends.

    A server that says it closes the connection after a reply is connected to again, within the time of the
    next request. Raises `ConnectionError` if a connection is closed without notice.
    """
    loop = _Loop(address, framing, meter)
    try:
        for source in sources:
            loop.connect(_Connection(source))
        for connection in list(loop.connections.values()):
            loop.advance(connection, b"")
        samples = loop.run(seconds, warm_up_seconds, done or (lambda: False))
        loop.drain(drain_seconds)
        return samples
    finally:
        loop.close()


@dataclass(eq=False)
class _Connection:
    source: Source
    socket: socket.socket | None = None
    unsent: bytes = b""
    received: bytearray = field(default_factory=bytearray)
    sent_at: float = 0.0


class _Loop:
    """All connections of one run. A connection is in `connections` while it has a socket."""

    def __init__(self, address: tuple[str, int], framing: Framing, meter: Callable[[], float]) -> None:
        self.address = address
        self.framing = framing
        self.meter = meter
        self.metered_at_start = 0.0
        self.poller = select.epoll()
        self.connections: dict[int, _Connection] = {}
        self.pauses: list[tuple[float, int, _Connection]] = []
        self.running = 0
        self._order = itertools.count()
        self.latencies: list[float] = []
        self.errors: dict[str, int] = {}
        self.begun = 0.0
        self.cpu_at_start: float | None = None
        self.ended = False

    def connect(self, connection: _Connection) -> None:
        opened = socket.create_connection(self.address)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        connection.socket = opened
        self.connections[opened.fileno()] = connection
        self.poller.register(opened, select.EPOLLIN)

    def run(self, seconds: float, warm_up_seconds: float, done: Callable[[], bool]) -> Samples:
        clock = time.perf_counter
        self.begun = clock() + warm_up_seconds
        end = self.begun + seconds
        now = clock()
        while now < end and (self.running or self.pauses) and not done():
            self._poll(self._wait_seconds(now))
            now = clock()
            while self.pauses and self.pauses[0][0] <= now:
                self.advance(heapq.heappop(self.pauses)[2], b"")
        self.ended = True
        elapsed = max(now - self.begun, 1e-9)
        cpu = metered = 0.0
        if self.cpu_at_start is not None:
            cpu = (time.process_time() - self.cpu_at_start) / elapsed
            metered = self.meter() - self.metered_at_start
        self.latencies.sort()
        return Samples(self.begun, elapsed, len(self.latencies), self.latencies, self.errors, cpu, metered)

    def drain(self, seconds: float) -> None:
        """Take the answers to what is under way; what the sources ask for after them is not sent."""
        end = time.perf_counter() + seconds
        while self.running and time.perf_counter() < end:
            self._poll(_LONGEST_WAIT_SECONDS)

    def advance(self, connection: _Connection, reply: bytes) -> None:
        """Ask a source that has no request under way what comes next."""
        self._next(connection, connection.source(reply))

    def close(self) -> None:
        for connection in list(self.connections.values()):
            self._disconnect(connection)
        self.poller.close()

    def _poll(self, seconds: float) -> None:
        for fd, events in self.poller.poll(seconds):
            connection = self.connections.get(fd)
            if connection is None:
                continue
            if events & select.EPOLLOUT:
                self._flush(connection)
            else:
                self._read(connection)

    def _wait_seconds(self, now: float) -> float:
        if not self.pauses:
            return _LONGEST_WAIT_SECONDS
        return min(max(self.pauses[0][0] - now, 0.0), _LONGEST_WAIT_SECONDS)

    def _send(self, connection: _Connection, request: bytes) -> None:
        connection.sent_at = time.perf_counter()
        if connection.socket is None:
            self.connect(connection)
        assert connection.socket is not None
        try:
            sent = connection.socket.send(request)
        except BlockingIOError:
            sent = 0
        if sent < len(request):
            connection.unsent = request[sent:]
            self.poller.modify(connection.socket, select.EPOLLOUT)

    def _flush(self, connection: _Connection) -> None:
        assert connection.socket is not None
        sent = connection.socket.send(connection.unsent)
        connection.unsent = connection.unsent[sent:]
        if not connection.unsent:
            self.poller.modify(connection.socket, select.EPOLLIN)

    def _read(self, connection: _Connection) -> None:
        assert connection.socket is not None
        data = connection.socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("the server closed the connection")
        connection.received += data
        while connection.received and (reply := self.framing(connection.received)) is not None:
            self._answered(connection, reply)

    def _answered(self, connection: _Connection, reply: Reply) -> None:
        now = time.perf_counter()
        if reply.closes:
            self._disconnect(connection)
        if reply.error and now >= self.begun and not self.ended:
            self.errors[reply.error] = self.errors.get(reply.error, 0) + 1
        sent_at = connection.sent_at
        step = connection.source(reply.body)
        if step == WAIT:
            return
        self.running -= 1
        if self.ended:
            self._disconnect(connection)
            return
        if now >= self.begun:
            if self.cpu_at_start is None:
                self.cpu_at_start, self.begun = time.process_time(), now
                self.metered_at_start = self.meter()
            self.latencies.append((now - sent_at) * 1000)
        self._next(connection, step)

    def _next(self, connection: _Connection, step: bytes | Pause | None) -> None:
        if isinstance(step, Pause):
            heapq.heappush(self.pauses, (step.until, next(self._order), connection))
        elif step is None:
            self._disconnect(connection)
        else:
            self.running += 1
            self._send(connection, step)

    def _disconnect(self, connection: _Connection) -> None:
        if connection.socket is None:
            return
        del self.connections[connection.socket.fileno()]
        self.poller.unregister(connection.socket)
        connection.socket.close()
        connection.socket = None
        connection.received.clear()
