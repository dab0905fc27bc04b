"""Refusals of the HTTP front itself, before it is known (or whatever it is) what the request wants: RFC 9457."""

from __future__ import annotations

import http

import msgspec


class Refusal(msgspec.Struct, frozen=True):
    status: int
    detail: str


TOO_MANY_CONNECTIONS = Refusal(503, "The server has as many connections as it accepts. Try again.")


def refusal_bytes(refusal: Refusal, date_line: bytes) -> bytes:
    """The whole answer; the connection ends with it."""
    phrase = http.HTTPStatus(refusal.status).phrase
    body = msgspec.json.encode({"title": phrase, "status": refusal.status, "detail": refusal.detail})
    return b"".join(
        (
            f"HTTP/1.1 {refusal.status} {phrase}\r\n".encode(),
            b"Content-Type: application/problem+json\r\n",
            b"Content-Length: %d\r\n" % len(body),
            date_line,
            b"Connection: close\r\n\r\n",
            body,
        )
    )
