"""A closed-loop HTTP/1.1 load generator: each connection sends its next request when the last was answered.

One thread, non-blocking sockets and epoll, and no more parsing than finding where a reply ends, so that from
one core it outruns a server on another. `Samples.client_cpu` tells whether it did: near 1 the client was the
limit, not the server.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Source = Callable[[bytes], bytes | None]
"""One connection's script: given the body of the last reply (empty at first), the next request, or None to
stop.
"""

_READ_BYTES = 262_144


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


@dataclass
class _Connection:
    socket: socket.socket
    source: Source
    unsent: bytes = b""
    received: bytearray = field(default_factory=bytearray)
    sent_at: float = 0.0


def drive(
    address: tuple[str, int],
    sources: Sequence[Source],
    *,
    seconds: float,
    warm_up_seconds: float = 0.0,
) -> Samples:
    """Run one connection per source for a time, or until every source has stopped.

    Raises `ConnectionError` if the server closes a connection.
    """
    poller = select.epoll()
    connections = {}
    for source in sources:
        connection = _Connection(_connected(address), source)
        connections[connection.socket.fileno()] = connection
        poller.register(connection.socket, select.EPOLLIN)
    try:
        for connection in list(connections.values()):
            _send_next(poller, connections, connection, b"")
        return _loop(poller, connections, seconds, warm_up_seconds)
    finally:
        for connection in connections.values():
            connection.socket.close()
        poller.close()


def _connected(address: tuple[str, int]) -> socket.socket:
    connection = socket.create_connection(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return connection


def _loop(poller: select.epoll, connections: dict[int, _Connection], seconds: float, warm_up_seconds: float) -> Samples:
    latencies: list[float] = []
    errors: dict[str, int] = {}
    clock = time.perf_counter
    begun = clock() + warm_up_seconds
    end = begun + seconds
    cpu_at_start: float | None = None
    now = clock()
    while now < end and connections:
        for fd, events in poller.poll(0.1):
            connection = connections[fd]
            if events & select.EPOLLOUT:
                _flush(poller, connection)
                continue
            body, status = _read_reply(connection)
            if body is None:
                continue
            now = clock()
            if now >= begun:
                if cpu_at_start is None:
                    cpu_at_start, begun = time.process_time(), now
                latencies.append((now - connection.sent_at) * 1000)
                if status != b"200" and status != b"202":
                    errors[status.decode()] = errors.get(status.decode(), 0) + 1
            _send_next(poller, connections, connection, body)
        now = clock()
    elapsed = max(now - begun, 1e-9)
    cpu = 0.0 if cpu_at_start is None else (time.process_time() - cpu_at_start) / elapsed
    latencies.sort()
    return Samples(begun, elapsed, len(latencies), latencies, errors, cpu)


def _send_next(poller: select.epoll, connections: dict[int, _Connection], connection: _Connection, body: bytes) -> None:
    request = connection.source(body)
    if request is None:
        del connections[connection.socket.fileno()]
        poller.unregister(connection.socket)
        connection.socket.close()
        return
    connection.sent_at = time.perf_counter()
    try:
        sent = connection.socket.send(request)
    except BlockingIOError:
        sent = 0
    if sent < len(request):
        connection.unsent = request[sent:]
        poller.modify(connection.socket, select.EPOLLOUT)


def _flush(poller: select.epoll, connection: _Connection) -> None:
    sent = connection.socket.send(connection.unsent)
    connection.unsent = connection.unsent[sent:]
    if not connection.unsent:
        poller.modify(connection.socket, select.EPOLLIN)


def _read_reply(connection: _Connection) -> tuple[bytes | None, bytes]:
    """The body and status of the reply, or None while it is not complete."""
    data = connection.socket.recv(_READ_BYTES)
    if not data:
        raise ConnectionError("the server closed the connection")
    received = connection.received
    received += data
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None, b""
    body_start = head_end + 4
    if len(received) < body_start + _content_length(bytes(received[:body_start])):
        return None, b""
    body, status = bytes(received[body_start:]), bytes(received[9:12])
    received.clear()
    return body, status


def _content_length(head: bytes) -> int:
    start = head.lower().index(b"content-length:") + 15
    return int(head[start : head.index(b"\r", start)])
