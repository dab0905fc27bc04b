"""The little of the NATS protocol that a JetStream client needs: frames, and requests that wait for an answer."""

from __future__ import annotations

import socket
from typing import Any

import msgspec

from bench.framing import Reply
from bench.process import START_SECONDS

HANDSHAKE = b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'


def nats_frame(received: bytearray) -> Reply | None:
    """One frame: a line, and the payload that a MSG or HMSG announces."""
    line_end = received.find(b"\r\n")
    if line_end < 0:
        return None
    end = line_end + 2
    if received.startswith((b"MSG ", b"HMSG ")):
        end += int(received[received.rindex(b" ", 0, line_end) + 1 : line_end]) + 2
        if len(received) < end:
            return None
    frame = bytes(received[:end])
    del received[:end]
    return Reply(frame, "-ERR" if frame.startswith(b"-ERR") else "")


def publish(subject: bytes, answer_to: bytes, payload: bytes) -> bytes:
    """A frame that asks for an answer to `answer_to`."""
    return b"PUB %b %b %d\r\n%b\r\n" % (subject, answer_to, len(payload), payload)


def payload_of(frame: bytes) -> bytes:
    """What a MSG carries."""
    return frame[frame.index(b"\r\n") + 2 : -2]


class AdminClient:
    """A blocking connection for making streams and consumers."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._connection = socket.create_connection(address, timeout=START_SECONDS)
        self._received = bytearray()
        self._connection.sendall(HANDSHAKE + b"SUB admin.answer 1\r\n")

    def request(self, subject: str, parameters: dict[str, Any]) -> None:
        """Raises `RuntimeError` unless the server agrees."""
        self._connection.sendall(publish(subject.encode(), b"admin.answer", msgspec.json.encode(parameters)))
        while not (frame := self._frame()).startswith((b"MSG ", b"HMSG ", b"-ERR")):
            pass
        if not frame.startswith(b"MSG ") or "error" in msgspec.json.decode(payload_of(frame)):
            raise RuntimeError(f"{subject} was answered {frame[:500]!r}")

    def close(self) -> None:
        self._connection.close()

    def _frame(self) -> bytes:
        while (reply := nats_frame(self._received)) is None:
            self._received += self._connection.recv(65_536)
        frame: bytes = reply.body
        return frame
