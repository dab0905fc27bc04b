"""Sending to a server that goes away in between: a real HTTP server that answers by a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from chappe.cli import send
from chappe.cli.connection import Server, ServerRefused
from chappe.cli.entries import Entry, Malformed


class Scripted(HTTPServer):
    """Answers with the given statuses, 202 after that, and keeps what it was asked."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.statuses = list(statuses)
        self.asked: list[tuple[str | None, Any]] = []


class Answering(BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.headers["idempotency-key"], document))
        status = self.server.statuses.pop(0) if self.server.statuses else 202
        results = [{"id": f"msg_{message['n']}", "status": "accepted"} for message in document["messages"]]
        body = json.dumps({"results": results} if status == 202 else {"code": "unavailable", "detail": "no"}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "RETRY_DELAYS_SECONDS", (0.0, 0.0))


@pytest.fixture
def scripted() -> Iterator[Any]:
    started: list[Scripted] = []

    def start(*statuses: int) -> Scripted:
        server = Scripted(*statuses)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def sent(scripted: Scripted, count: int, batch: int) -> list[send.Outcome]:
    entries = iter([Entry(n, {"n": n}, 10) for n in range(1, count + 1)])
    with Server(f"http://127.0.0.1:{scripted.server_port}", None) as server:
        return [outcome for group in send.send_all(server, entries, batch) for outcome in group]


def test_a_batch_is_repeated_with_its_key_when_the_server_was_away(scripted: Any) -> None:
    server = scripted(202, 503, 429, 202)
    outcomes = sent(server, 4, 2)
    assert [outcome.id for outcome in outcomes] == ["msg_1", "msg_2", "msg_3", "msg_4"]
    first, *repeated = server.asked
    assert len(repeated) == 3
    assert len({key for key, _ in repeated}) == 1
    assert first[0] != repeated[0][0]


def test_a_server_that_stays_away_is_given_up(scripted: Any) -> None:
    server = scripted(202, 503, 503, 503)
    with pytest.raises(ServerRefused) as caught:
        sent(server, 4, 2)
    assert caught.value.details["code"] == "unavailable"
    assert len(server.asked) == 4


@pytest.mark.parametrize("statuses", [(503,), (202, 401)])
def test_what_will_not_pass_is_not_repeated(scripted: Any, statuses: tuple[int, ...]) -> None:
    server = scripted(*statuses)
    with pytest.raises(ServerRefused):
        sent(server, 4, 2)
    assert len(server.asked) == len(statuses)


def test_a_batch_of_bad_lines_only_is_not_sent(scripted: Any) -> None:
    server = scripted()
    with Server(f"http://127.0.0.1:{server.server_port}", None) as connected:
        (group,) = send.send_all(connected, iter([Malformed(1, "is not JSON")]), 10)
    assert [(outcome.line, outcome.status, outcome.ok) for outcome in group] == [(1, "malformed", False)]
    assert server.asked == []


def test_batches_are_bounded_in_bytes(scripted: Any) -> None:
    server = scripted()
    entries = iter([Entry(n, {"n": n}, 3 * 1024 * 1024) for n in range(1, 6)])
    with Server(f"http://127.0.0.1:{server.server_port}", None) as connected:
        list(send.send_all(connected, entries, 1000))
    assert [len(document["messages"]) for _, document in server.asked] == [2, 2, 1]


def test_a_pause_ends_a_batch(scripted: Any) -> None:
    server = scripted()
    entries = iter([None, Entry(1, {"n": 1}, 10), None, None, Entry(2, {"n": 2}, 10), Entry(3, {"n": 3}, 10)])
    with Server(f"http://127.0.0.1:{server.server_port}", None) as connected:
        list(send.send_all(connected, entries, 1000))
    assert [len(document["messages"]) for _, document in server.asked] == [1, 2]


def lines_of(count: int) -> bytes:
    return b"".join(b'{"n": %d}\n' % n for n in range(1, count + 1))


@pytest.mark.parametrize("once", [None, "receipts"])
def test_when_the_server_goes_away_for_good_the_account_is_closed(
    scripted: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    once: str | None,
) -> None:
    monkeypatch.setattr(send, "RETRY_DELAYS_SECONDS", (0.0, 0.0))
    server = scripted(202, 202, *[503] * 3)
    file = tmp_path / "messages.jsonl"
    file.write_bytes(lines_of(25))
    with pytest.raises(ServerRefused):
        send.send(str(file), batch=10, once=once, url=f"http://127.0.0.1:{server.server_port}")
    shown = capsys.readouterr()
    assert "20 lines" in shown.out
    assert "accepted" in shown.out
    assert "Answered up to line 20." in shown.err
    assert "--once" in shown.err
    assert ("Repeat the command" in shown.err) is (once is not None)
    assert shown.err.count("Trying again in") == 2


def test_when_nothing_was_answered_there_is_no_account(
    scripted: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = scripted(503)
    file = tmp_path / "messages.jsonl"
    file.write_bytes(lines_of(2))
    with pytest.raises(ServerRefused):
        send.send(str(file), batch=10, url=f"http://127.0.0.1:{server.server_port}")
    assert capsys.readouterr() == ("", "")
