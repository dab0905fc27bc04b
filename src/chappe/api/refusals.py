"""Refusals of the HTTP front itself, before it is known (or whatever it is) what the request wants: RFC 9457.

They have the members of the REST API's problems (`rest.problems`), so that programs find `type` and `code` in each.
"""

from __future__ import annotations

import http

import msgspec

TYPE_PREFIX = "urn:chappe:problem:"


class Refusal(msgspec.Struct, frozen=True):
    """`code` is the stable name of the problem, `detail` says what was wrong and what to do."""

    status: int
    code: str
    detail: str


TOO_MANY_CONNECTIONS = Refusal(
    503, "too_many_connections", "The server has as many connections as it accepts. Try again."
)


def refusal_bytes(refusal: Refusal, date_line: bytes) -> bytes:
    """The whole answer; the connection ends with it."""
    phrase = http.HTTPStatus(refusal.status).phrase
    problem = {
        "type": TYPE_PREFIX + refusal.code,
        "title": phrase,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
    }
    body = msgspec.json.encode(problem)
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
