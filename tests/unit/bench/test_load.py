"""The load generator of the benchmarks: it counts what it should, and notices what fails."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator

import pytest
from bench.framing import Reply
from bench.load import WAIT, Pause, Source, drive, percentile
from bench.signing import Signer


class _Handler(socketserver.StreamRequestHandler):
    """Answers each line with its own text, in two pieces; `missing` with 404, `last` with word that it then closes
    the connection, and `bye` with a closed connection.
    """

    def handle(self) -> None:
        for line in self.rfile:
            word = line.strip()
            if word == b"bye":
                return
            status = b"404 Not Found" if word == b"missing" else b"200 OK"
            self.wfile.write(b"HTTP/1.1 " + status + b"\r\ncontent-LENGTH: %d\r\n" % len(word))
            self.wfile.flush()
            self.wfile.write((b"Connection: close\r\n" if word == b"last" else b"") + b"\r\n" + word)
            if word == b"last":
                return


class _Parrot(socketserver.BaseRequestHandler):
    """Sends back what it gets."""

    def handle(self) -> None:
        while data := self.request.recv(100):
            self.request.sendall(data)


def _one_byte(received: bytearray) -> Reply:
    return Reply(bytes([received.pop(0)]))


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield ("127.0.0.1", server.server_address[1])
        server.shutdown()
        serving.join()


def _script(words: list[bytes], replies: list[bytes]) -> Source:
    turns = iter(words)

    def source(reply: bytes) -> bytes | None:
        replies.append(reply)
        word = next(turns, None)
        return None if word is None else word + b"\n"

    return source


def test_each_connection_gets_the_replies_to_its_own_requests(address: tuple[str, int]) -> None:
    first: list[bytes] = []
    second: list[bytes] = []
    samples = drive(address, [_script([b"a", b"bb"], first), _script([b"c"], second)], seconds=30)
    assert (first, second) == ([b"", b"a", b"bb"], [b"", b"c"])
    assert samples.requests == len(samples.latencies_ms) == 3
    assert samples.errors == {}
    assert 0 < samples.percentile_ms(50) <= samples.percentile_ms(99)


def test_a_request_larger_than_the_socket_takes_at_once_is_sent_whole(address: tuple[str, int]) -> None:
    replies: list[bytes] = []
    large = b"x" * 5_000_000
    drive(address, [_script([large], replies)], seconds=30)
    assert replies == [b"", large]


def test_refusals_are_counted_by_status(address: tuple[str, int]) -> None:
    samples = drive(address, [_script([b"a", b"missing", b"missing"], [])], seconds=30)
    assert samples.errors == {"404": 2}


def test_a_server_that_says_it_closes_is_connected_to_again(address: tuple[str, int]) -> None:
    replies: list[bytes] = []
    samples = drive(address, [_script([b"last", b"a", b"last"], replies)], seconds=30)
    assert replies == [b"", b"last", b"a", b"last"]
    assert samples.requests == 3


def test_a_paused_source_is_asked_again_with_an_empty_reply(address: tuple[str, int]) -> None:
    replies: list[bytes] = []
    steps = iter([b"a\n", Pause(time.perf_counter() + 0.01), b"b\n", Pause(0.0), None])

    def source(reply: bytes) -> bytes | Pause | None:
        replies.append(reply)
        return next(steps)

    samples = drive(address, [source], seconds=30)
    assert replies == [b"", b"a", b"", b"b", b""]
    assert samples.requests == 2


def test_a_reply_of_several_frames_is_one_request() -> None:
    frames: list[bytes] = []
    steps = iter([b"abc", WAIT, WAIT, None])

    def source(frame: bytes) -> bytes | None:
        frames.append(frame)
        return next(steps)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Parrot) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        samples = drive(("127.0.0.1", server.server_address[1]), [source], seconds=30, framing=_one_byte)
        server.shutdown()
        serving.join()
    assert frames == [b"", b"a", b"b", b"c"]
    assert samples.requests == 1


def test_a_run_ends_when_it_is_done(address: tuple[str, int]) -> None:
    replies: list[bytes] = []

    def source(reply: bytes) -> bytes:
        replies.append(reply)
        return b"a\n"

    drive(address, [source], seconds=3600, done=lambda: len(replies) > 5, drain_seconds=30)
    assert len(replies) > 5


def test_the_meter_is_read_when_counting_begins_and_when_it_ends(address: tuple[str, int]) -> None:
    readings = iter([2.0, 5.0])
    samples = drive(address, [_script([b"a", b"b"], [])], seconds=30, meter=lambda: next(readings))
    assert samples.metered == 3.0


def test_what_is_under_way_at_the_end_is_awaited_and_not_counted(address: tuple[str, int]) -> None:
    replies: list[bytes] = []

    def source(reply: bytes) -> bytes:
        replies.append(reply)
        return b"a\n"

    samples = drive(address, [source], seconds=3600, done=lambda: len(replies) > 5, drain_seconds=30)
    assert samples.requests == len(replies) - 2


def test_a_closed_connection_is_an_error(address: tuple[str, int]) -> None:
    with pytest.raises(ConnectionError):
        drive(address, [_script([b"bye"], [])], seconds=30)


@pytest.mark.parametrize(
    ("values", "percent", "value"),
    [
        ([], 50, 0.0),
        ([7.0], 99, 7.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 75, 3.0),
        ([1.0, 2.0, 3.0, 4.0], 76, 4.0),
        ([1.0, 2.0, 3.0, 4.0], 100, 4.0),
        ([float(n) for n in range(1, 1001)], 99, 990.0),
    ],
)
def test_percentiles_are_values_that_occurred(values: list[float], percent: float, value: float) -> None:
    assert percentile(values, percent) == value


def test_the_quick_signer_agrees_with_botocore() -> None:
    request = Signer(("127.0.0.1", 9324), "AKIDEXAMPLE", "secret").sign("DeleteMessageBatch", b"{}")
    assert request.startswith(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:9324\r\n")
    assert request.endswith(b"Content-Length: 2\r\n\r\n{}")
