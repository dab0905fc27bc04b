"""Where replies end, in the protocols that the load generator speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """One whole reply, or one frame of it. What `body` is depends on the framing: bytes for HTTP and NATS, the
    decoded value for RESP.
    """

    body: Any
    error: str = ""
    """What kind of refusal it is; empty for success."""
    closes: bool = False
    """Whether the server closes the connection after it."""


Framing = Callable[[bytearray], Reply | None]
"""Takes a whole reply off the front of what was received, or returns None while there is none."""

_SUCCESS = (b"200", b"202")


def http_reply(received: bytearray) -> Reply | None:
    """HTTP/1.1 with a Content-Length, which all the servers measured send."""
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    body_start = head_end + 4
    head = bytes(received[:body_start]).lower()
    end = body_start + _content_length(head)
    if len(received) < end:
        return None
    body, status = bytes(received[body_start:end]), head[9:12]
    del received[:end]
    return Reply(body, "" if status in _SUCCESS else status.decode(), b"\r\nconnection: close" in head)


def _content_length(head: bytes) -> int:
    start = head.index(b"content-length:") + 15
    return int(head[start : head.index(b"\r", start)])
