"""Redis's protocol (RESP2): commands, and replies decoded."""

from __future__ import annotations

import socket
from typing import Any

from bench.framing import Reply
from bench.process import START_SECONDS


class RespError(RuntimeError):
    """The server refused a command."""


def command(*words: bytes | str | int) -> bytes:
    """One command; several may be written one after the other."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        encoded = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(encoded), encoded))
    return b"".join(parts)


def resp_reply(received: bytearray) -> Reply | None:
    """One reply: bytes, int, None, a list of these, or `RespError`."""
    parsed = _parse(received, 0)
    if parsed is None:
        return None
    value, end = parsed
    del received[:end]
    return Reply(value, "error" if isinstance(value, RespError) else "")


def call(address: tuple[str, int], *words: bytes | str | int) -> Any:
    """One command on a connection of its own. Raises `RespError` if it is refused."""
    received = bytearray()
    with socket.create_connection(address, timeout=START_SECONDS) as connection:
        connection.sendall(command(*words))
        while (reply := resp_reply(received)) is None:
            received += connection.recv(65_536)
    if isinstance(reply.body, RespError):
        raise reply.body
    return reply.body


def _parse(received: bytearray, start: int) -> tuple[Any, int] | None:
    line_end = received.find(b"\r\n", start)
    if line_end < 0:
        return None
    kind, line, end = received[start : start + 1], bytes(received[start + 1 : line_end]), line_end + 2
    if kind == b"+":
        return line, end
    if kind == b"-":
        return RespError(line.decode()), end
    number = int(line)
    if kind == b":":
        return number, end
    if number < 0:
        return None, end
    if kind == b"$":
        return (bytes(received[end : end + number]), end + number + 2) if len(received) >= end + number + 2 else None
    values = []
    for _ in range(number):
        parsed = _parse(received, end)
        if parsed is None:
            return None
        value, end = parsed
        values.append(value)
    return values, end
