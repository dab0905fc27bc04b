"""Clients of the Messages API: threads that post prepared bodies, as fast as they are answered or at a rate."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from bench.consenting import address
from bench.servers import Chappe

BATCH = 500
TEXT = "Your order is on its way. It should be with you tomorrow between nine and noon. Thank you for shopping with us."
_TIMEOUT_SECONDS = 120.0


@dataclass
class Posted:
    """What the clients did together. Times are those of `time.perf_counter`."""

    begun: float
    ended: float = 0.0
    accepted: int = 0
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def per_second(self) -> float:
        """Messages answered per second."""
        return self.accepted / (self.ended - self.begun)


def batches(purpose: str, people: range) -> list[bytes]:
    """Bodies for POST /v1/messages:batch, one message a person."""
    entries = [message(purpose, number) for number in people]
    return [
        msgspec.json.encode({"messages": entries[first : first + BATCH]}) for first in range(0, len(entries), BATCH)
    ]


def message(purpose: str, number: int) -> dict[str, object]:
    """One message to the sandbox."""
    return {
        "to": {"email": address(number)},
        "channel": "sandbox",
        "purpose": purpose,
        "content": {"subject": "Your order", "text": TEXT},
    }


def post(
    server: Chappe,
    path: str,
    bodies: Sequence[bytes],
    *,
    connections: int,
    messages_per_body: int = 1,
    bodies_per_second: float | None = None,
    until: threading.Event | None = None,
) -> Posted:
    """Post all bodies over some connections; with a rate, none before its turn. `until` ends it early."""
    posted = Posted(time.perf_counter())
    turns = enumerate(bodies)
    arguments = (server, path, turns, posted, messages_per_body, bodies_per_second, until)
    clients = [threading.Thread(target=_client, args=arguments) for _ in range(connections)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    posted.ended = time.perf_counter()
    if posted.errors:
        raise RuntimeError(f"{len(posted.errors)} requests failed, the first with: {posted.errors[0]}")
    return posted


def _client(
    server: Chappe,
    path: str,
    turns: Iterator[tuple[int, bytes]],
    posted: Posted,
    messages_per_body: int,
    bodies_per_second: float | None,
    until: threading.Event | None,
) -> None:
    connection = http.client.HTTPConnection(*server.address, timeout=_TIMEOUT_SECONDS)
    headers = server.bearer()
    try:
        while not (until and until.is_set()):
            with posted.lock:
                turn = next(turns, None)
            if turn is None:
                return
            number, body = turn
            if bodies_per_second is not None:
                time.sleep(max(0.0, posted.begun + number / bodies_per_second - time.perf_counter()))
            connection.request("POST", path, body=body, headers=headers)
            reply = connection.getresponse()
            answer = reply.read()
            with posted.lock:
                if reply.status not in (200, 202, 207) or b'"error"' in answer:
                    posted.errors.append(f"{reply.status} {answer[:300].decode(errors='replace')}")
                    return
                posted.accepted += messages_per_body
    except OSError as error:
        with posted.lock:
            posted.errors.append(repr(error))
    finally:
        connection.close()


def wait_until_done(server: Chappe, *, purpose: str = "", timeout_seconds: float = 600.0) -> None:
    """Until no message (of this purpose) is under way. Raises `RuntimeError` if that does not happen in time."""
    connection = http.client.HTTPConnection(*server.address, timeout=_TIMEOUT_SECONDS)
    end = time.monotonic() + timeout_seconds
    try:
        for status in ("accepted", "queued", "sending", "accepted", "queued", "sending"):
            while _any(connection, server, status, purpose):
                if time.monotonic() > end:
                    raise RuntimeError(f"messages were still {status} after {timeout_seconds:g} s")
                time.sleep(0.05)
    finally:
        connection.close()


def _any(connection: http.client.HTTPConnection, server: Chappe, status: str, purpose: str) -> bool:
    query = f"status={status}&limit=1" + (f"&purpose={purpose}" if purpose else "")
    connection.request("GET", f"/v1/messages?{query}", headers=server.bearer())
    reply = connection.getresponse()
    answer = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"listing messages was answered {reply.status}: {answer[:300]!r}")
    return bool(msgspec.json.decode(answer)["messages"])
