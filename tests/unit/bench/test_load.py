"""The load generator of the benchmarks: it counts what it should, and notices what fails."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest
from bench.load import Source, drive, percentile
from bench.signing import Signer


class _Handler(socketserver.StreamRequestHandler):
    """Answers each line with its own text, in two pieces; `missing` with 404 and `bye` with a closed connection."""

    def handle(self) -> None:
        for line in self.rfile:
            word = line.strip()
            if word == b"bye":
                return
            status = b"404 Not Found" if word == b"missing" else b"200 OK"
            self.wfile.write(b"HTTP/1.1 " + status + b"\r\ncontent-LENGTH: %d\r\n" % len(word))
            self.wfile.flush()
            self.wfile.write(b"\r\n" + word)


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
