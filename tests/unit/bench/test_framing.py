"""Where replies end: whole ones are taken off the front, parts are left."""

from __future__ import annotations

import pytest
from bench.framing import Framing, http_reply
from bench.rivals.nats_protocol import nats_frame, payload_of, publish
from bench.rivals.resp import RespError, command, resp_reply

_HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: y\r\n\r\nbody"
_ENTRIES = b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$4\r\nbody\r\n$2\r\n\r\n\r\n"


@pytest.mark.parametrize(
    ("framing", "whole", "body"),
    [
        (http_reply, _HTTP, b"body"),
        (nats_frame, b"PING\r\n", b"PING\r\n"),
        (nats_frame, b"MSG in.1 1 4\r\n\r\nab\r\n", b"MSG in.1 1 4\r\n\r\nab\r\n"),
        (nats_frame, b"MSG q 1 $JS.ACK.x 1\r\na\r\n", b"MSG q 1 $JS.ACK.x 1\r\na\r\n"),
        (nats_frame, b"HMSG in.1 1 3 4\r\nabcd\r\n", b"HMSG in.1 1 3 4\r\nabcd\r\n"),
        (resp_reply, b"+OK\r\n", b"OK"),
        (resp_reply, b":12\r\n", 12),
        (resp_reply, b"$-1\r\n", None),
        (resp_reply, b"*-1\r\n", None),
        (resp_reply, _ENTRIES, [[b"s", [[b"1-0", [b"body", b"\r\n"]]]]]),
    ],
)
def test_a_reply_is_taken_when_it_is_whole(framing: Framing, whole: bytes, body: object) -> None:
    for length in range(len(whole)):
        part = bytearray(whole[:length])
        assert framing(part) is None
        assert part == whole[:length]
    received = bytearray(whole + b"next")
    reply = framing(received)
    assert reply is not None
    assert (reply.body, reply.error, reply.closes) == (body, "", False)
    assert received == b"next"


def test_refusals_are_told_from_success() -> None:
    http = http_reply(bytearray(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
    assert http is not None
    assert (http.error, http.closes) == ("403", True)
    nats = nats_frame(bytearray(b"-ERR 'Unknown'\r\n"))
    assert nats is not None
    assert nats.error
    redis = resp_reply(bytearray(b"-ERR no such key\r\n"))
    assert redis is not None
    assert redis.error
    assert isinstance(redis.body, RespError)


def test_what_is_sent_states_its_length() -> None:
    frame = publish(b"q", b"in.1", b"abc")
    assert frame == b"PUB q in.1 3\r\nabc\r\n"
    assert payload_of(b"MSG q 1 3\r\nabc\r\n") == b"abc"
    assert command("XADD", b"s", 10) == b"*3\r\n$4\r\nXADD\r\n$1\r\ns\r\n$2\r\n10\r\n"
