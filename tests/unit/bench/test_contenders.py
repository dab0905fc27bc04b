"""The same work in three protocols: each connection sends ten, receives ten, deletes ten, and notes it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from bench.comparison import beside
from bench.fifo_life import GROUPS_PER_CONNECTION, FifoLives
from bench.figure import Figure
from bench.figures.peers_latency import _Paced
from bench.life_log import LifeLog
from bench.load import WAIT, Pause
from bench.queue_life import Received
from bench.rivals import jetstream, redis_streams
from bench.rivals.resp import RespError
from bench.signing import Signer

_STORED = b'MSG in.s.0 1 22\r\n{"stream":"s","seq":1}\r\n'


def test_jetstream_lives_are_acknowledged_one_by_one() -> None:
    log = LifeLog()
    source: Any = jetstream._Connection("s", 0).living(log)
    assert source(b"").startswith(b"CONNECT ")
    assert source(b"INFO {}\r\n") == WAIT
    sends = source(b"PONG\r\n")
    assert sends.count(b"PUB s in.s.0 1024\r\n") == 10
    assert [source(_STORED) for _ in range(9)] == [WAIT] * 9
    pull = source(_STORED)
    assert pull.startswith(b"PUB $JS.API.CONSUMER.MSG.NEXT.s.c in.s.0 ")
    assert b'"batch":10' in pull
    for number in range(4):
        assert source(b"MSG s 1 $JS.ACK.%d 1\r\nx\r\n" % number) == WAIT
    acknowledgements = source(b"HMSG in.s.0 1 4 4\r\n408 \r\n")
    assert acknowledgements.split(b"\r\n")[::2][:4] == [b"PUB $JS.ACK.%d in.s.0 4" % number for number in range(4)]
    assert [source(b"MSG in.s.0 1 0\r\n\r\n") for _ in range(3)] == [WAIT] * 3
    assert b'"batch":6' in source(b"MSG in.s.0 1 0\r\n\r\n")
    assert [count for _, count in log.deletions] == [4]


def test_jetstream_refusals_end_the_run() -> None:
    source: Any = jetstream._Connection("s", 0).sending()
    source(b"")
    source(b"PONG\r\n")
    with pytest.raises(RuntimeError, match="no space"):
        source(b'MSG in.s.0 1 40\r\n{"error":{"description":"no space"}}\r\n')


def test_pings_are_answered_with_the_next_request() -> None:
    source: Any = jetstream._Connection("s", 0).sending()
    source(b"")
    source(b"PONG\r\n")
    assert source(b"PING\r\n") == WAIT
    assert source(_STORED).startswith(b"PONG\r\nPUB s ")
    assert source(_STORED).startswith(b"PUB s ")


def test_redis_lives_are_acknowledged_and_deleted() -> None:
    log = LifeLog()
    source: Any = redis_streams._started(redis_streams._living("s", 0, log))
    assert source(b"").count(b"XADD") == 10
    assert [source(b"1-0") for _ in range(9)] == [WAIT] * 9
    assert b"XREADGROUP" in source(b"1-0")
    deletion = source([[b"s", [[b"%d-0" % number, [b"body", b"x"]] for number in range(10)]]])
    assert b"XACK" in deletion
    assert b"XDEL" in deletion
    assert deletion.count(b"9-0") == 2
    assert source(10) == WAIT
    assert source(10).count(b"XADD") == 10
    assert [count for _, count in log.deletions] == [10]


def test_redis_refusals_end_the_run() -> None:
    source: Any = redis_streams._started(redis_streams._living("s", 0, LifeLog()))
    source(b"")
    with pytest.raises(RespError, match="OOM"):
        source(RespError("OOM"))


def _received(group: str, number: int) -> Received:
    return Received("receipt", msgspec.Raw(msgspec.json.encode(f"{group} {number} xxx")))


def _fifo() -> FifoLives:
    return FifoLives(Signer(("127.0.0.1", 9324), "AKIDEXAMPLE", "secret"), "http://127.0.0.1:9324/0/q.fifo")


def test_order_within_each_group_is_checked() -> None:
    lives = _fifo()
    lives.received([_received("0-0", 0), _received("0-1", 0), _received("0-0", 1)])
    lives.received([_received("0-0", 2), _received("0-1", 1)])
    assert lives.out_of_order == 0
    lives.received([_received("0-0", 4)])
    assert lives.out_of_order == 1
    lives.received([_received("0-1", 0)])
    assert lives.out_of_order == 2


def test_a_fifo_batch_has_ten_groups_and_each_comes_again_in_order() -> None:
    lives = _fifo()
    numbers: dict[str, list[int]] = {}
    deduplication = set()
    for _ in range(GROUPS_PER_CONNECTION):
        body = lives.next_send(7).split(b"\r\n\r\n", 1)[1]
        entries = msgspec.json.decode(body)["Entries"]
        assert len({entry["MessageGroupId"] for entry in entries}) == len({entry["Id"] for entry in entries}) == 10
        for entry in entries:
            group, number, _ = entry["MessageBody"].split(" ")
            assert group == entry["MessageGroupId"]
            assert len(entry["MessageBody"]) == 1024
            numbers.setdefault(group, []).append(int(number))
            deduplication.add(entry["MessageDeduplicationId"])
    assert len(numbers) == GROUPS_PER_CONNECTION
    assert all(of_group == list(range(10)) for of_group in numbers.values())
    assert len(deduplication) == 10 * GROUPS_PER_CONNECTION


def test_a_send_that_is_late_counts_from_when_it_was_due() -> None:
    latencies_ms: list[float] = []
    source = _Paced(lambda _: b"request", first_due=-1e6, every=1.0, latencies_ms=latencies_ms)
    assert source(b"") == b"request"
    assert source(b"first") == b"request"
    assert latencies_ms == []
    source(b"second")
    assert latencies_ms[0] > 1e9


def test_a_send_is_held_back_until_it_is_due() -> None:
    latencies_ms: list[float] = []
    source = _Paced(lambda _: b"request", first_due=1e12, every=1.0, latencies_ms=latencies_ms)
    source(b"")
    assert source(b"first") == Pause(1e12)
    assert source(b"") == b"request"
    assert source(b"second") == Pause(1e12 + 1)
    assert len(latencies_ms) == 1


def test_targets_are_set_beside_the_best_rival() -> None:
    figure = Figure("x", "x")
    beside(figure, "sends", 3.0, 100.0, {"slow": 10.0, "fast": 50.0})
    assert figure.targets[0].measured == 2.0
    assert not figure.targets[0].met
    assert "fast" in figure.targets[0].what
    beside(figure, "sends", 3.0, 100.0, {})
    assert len(figure.targets) == 1
