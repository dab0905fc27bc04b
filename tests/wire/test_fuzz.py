"""The HTTP front holds against damaged requests: no internal failure, and the next client is served."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire.live import GIVE_UP_SECONDS, LiveServer
from tests.wire.raw import RawClient, message, signed

FORM = "application/x-www-form-urlencoded"

FORM_LINE = b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n11\r\nAction=ListQueues\r\n0\r\n\r\n"
EXPECTING = b"Expect: 100-continue\r\nContent-Length: 32\r\n\r\nAction=SendMessage&MessageBody=x"
GOOD = [
    b"POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AmazonSQS.ListQueues\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /?Action=ListQueues&Version=2012-11-05 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\n" + FORM_LINE + CHUNKED,
    b"POST /000000000000/q HTTP/1.1\r\nHost: h\r\n" + FORM_LINE + EXPECTING,
    b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    b"GET / HTTP/1.0\r\n\r\n",
]
PIECES = [
    b"\r\n",
    b"\r\n\r\n",
    b"\x00",
    b"\xff",
    b":",
    b" ",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Upgrade: h2c\r\nConnection: upgrade\r\n",
    b"X-Amz-Target: AmazonSQS.SendMessage\r\n",
    b"Expect: 100-continue\r\n",
    b"Authorization: AWS4-HMAC-SHA256 x\r\n",
    b"ffffffffffffffff\r\n",
    b"%",
    b"A" * 300,
]
CHANGES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 6), st.sampled_from(PIECES) | st.binary(max_size=6)), max_size=4
)


def damaged(request: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The request with some bytes cut out and others put in."""
    for at, cut, piece in changes:
        at %= len(request) + 1
        request = request[:at] + piece + request[at + cut :]
    return request


def answers_to(server: LiveServer, *parts: bytes) -> bytes:
    """All that the server says until it closes the connection, which it may do before it has heard everything."""
    answers = b""
    with socket.create_connection(server.address, timeout=GIVE_UP_SECONDS) as connection, suppress(ConnectionError):
        try:
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        while answer := connection.recv(65536):
            answers += answer
    return answers


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(GOOD), CHANGES), min_size=1, max_size=3), st.integers(1, 400))
def test_damaged_requests(server: LiveServer, requests: Any, split: int) -> None:
    data = b"".join(damaged(request, changes) for request, changes in requests)
    answers = answers_to(server, data[:split], data[split:])
    assert not re.search(rb"HTTP/1\.1 5\d\d", answers), (data, answers)
    with RawClient(server) as client:
        assert client.ask(b"{}", "ListQueues").status == 200


@settings(max_examples=100, deadline=None)
@given(CHANGES, st.booleans())
def test_damaged_signed_requests(server: LiveServer, changes: Any, by_form: bool) -> None:
    body = b"Action=SendMessage&QueueUrl=q&MessageBody=x" if by_form else message("q")
    good = signed(
        server, body, None if by_form else "SendMessage", content_type=FORM if by_form else "application/json"
    )
    answers = answers_to(server, damaged(good, changes))
    assert not re.search(rb"HTTP/1\.1 5\d\d", answers), answers
