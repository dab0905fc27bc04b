from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.commands import Run, clean_environment

from .conftest import Process


def message(email: str = "ada@example.com", **changes: object) -> dict[str, object]:
    return {
        "to": {"email": email},
        "purpose": "transactional",
        "content": {"subject": "Hi", "text": "Hello."},
        **changes,
    }


def jsonl(*entries: object) -> bytes:
    return "".join((entry if isinstance(entry, str) else json.dumps(entry)) + "\n" for entry in entries).encode()


def test_a_file_of_messages_is_sent(chappe: Run, server: Process, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_bytes(jsonl(*(message(f"p{n}@example.com") for n in range(25))))
    done = chappe("send", file, "--batch", "10", "--wait", "--data", server.data)
    assert (done.code, done.err) == (0, "")
    assert "25 lines" in done.out
    assert "sent" in done.out
    assert "\x1b" not in done.out


def test_standard_input_and_json(chappe: Run, server: Process) -> None:
    done = chappe("send", "-", "--json", "--wait", "--data", server.data, stdin=jsonl(message(), message()))
    assert (done.code, done.err) == (0, "")
    first, second, summary = done.lines
    assert (first["line"], first["status"], first["decision"]) == (1, "accepted", "allow")
    assert first["id"] != second["id"]
    assert summary == {"summary": {"sent": 2}, "lines": 2}
    shown = chappe("status", first["id"], "--json", "--data", server.data).json
    assert shown["message"]["status"] == "sent"


def test_bad_lines_are_reported_and_the_others_go_on(chappe: Run, server: Process) -> None:
    lines = jsonl(
        message(),
        "{broken",
        message(to={}),
        message(purpose="nagging"),
        message(to={"phone": "+12025550143"}),
        "[]",
        message(),
    )
    done = chappe("send", "-", "--wait", "--data", server.data, stdin=lines)
    assert done.code == 1
    reported = done.err.splitlines()
    assert [line.partition(":")[0] for line in reported] == ["line 2", "line 3", "line 4", "line 5", "line 6"]
    assert "is not JSON" in reported[0]
    assert "/to" in reported[1]
    assert "/purpose" in reported[2]
    assert "refused [no_route]" in reported[3]
    assert "is not a JSON object" in reported[4]
    assert "7 lines" in done.out
    counts = dict(re.findall(r"│ (\S.*?) +│ +(\d+) │", done.out))
    assert counts == {"sent": "2", "malformed": "4", "refused": "1"}


def test_bad_lines_in_json(chappe: Run, server: Process) -> None:
    done = chappe("send", "-", "--json", "--data", server.data, stdin=jsonl(message(), "{broken", message(to={})))
    assert done.code == 1
    good, broken, nobody, summary = done.lines
    assert good["id"]
    assert (broken["line"], broken["status"], broken["code"]) == (2, "malformed", "malformed")
    assert (nobody["line"], nobody["status"], nobody["code"]) == (3, "malformed", "invalid_input")
    assert summary == {"summary": {"malformed": 2, "accepted": 1}, "lines": 3}


def test_csv(chappe: Run, server: Process, tmp_path: Path) -> None:
    file = tmp_path / "people.CSV"
    file.write_text(
        "email,purpose,subject,text,metadata.order\n"
        'ada@example.com,transactional,"Hi, Ada","Two\nlines",7\n'
        "nobody,transactional,Hi,Hello,\n"
        "too,few\n"
        "bob@example.com,transactional,Hi,Hello,8\n"
    )
    done = chappe("send", file, "--json", "--data", server.data)
    assert done.code == 1
    first, nobody, few, last, _ = done.lines
    assert [entry["line"] for entry in (first, nobody, few, last)] == [2, 4, 5, 6]
    assert (nobody["status"], few["status"]) == ("malformed", "malformed")
    shown = chappe("status", first["id"], "--json", "--data", server.data).json["message"]
    assert shown["content"] == {"subject": "Hi, Ada", "text": "Two\nlines"}
    assert shown["metadata"] == {"order": "7"}


def test_under_one_name_nothing_is_sent_twice(chappe: Run, server: Process) -> None:
    lines = jsonl(message(), message(), message())
    first = chappe("send", "-", "--once", "receipts-1", "--json", "--data", server.data, stdin=lines).lines
    again = chappe("send", "-", "--once", "receipts-1", "--json", "--data", server.data, stdin=lines).lines
    assert [entry.get("id") for entry in again] == [entry.get("id") for entry in first]
    other = chappe("send", "-", "--once", "receipts-2", "--json", "--data", server.data, stdin=lines).lines
    assert not {entry.get("id") for entry in other[:3]} & {entry.get("id") for entry in first[:3]}


def test_an_empty_file_is_no_error(chappe: Run, server: Process) -> None:
    done = chappe("send", "-", "--json", "--data", server.data)
    assert (done.code, done.json) == (0, {"summary": {}, "lines": 0})


def test_what_stops_everything_is_one_line(chappe: Run, server: Process, tmp_path: Path) -> None:
    for arguments, exit_code, code in (
        (("send", tmp_path / "nope.jsonl", "--data", server.data), 2, "invalid_configuration"),
        (("send", "-", "--url", "http://127.0.0.1:1"), 1, "server_unreachable"),
        (("send", "-", "--api-key", "chp_guess", "--data", server.data), 1, "invalid_api_key"),
        (("send", "-", "--url", (server.data / "server-url").read_text().strip()), 1, "missing_authentication_token"),
    ):
        done = chappe(*arguments, stdin=jsonl(message()))
        assert done.code == exit_code
        assert done.err.startswith(f"chappe: error [{code}]: ")
        assert done.err.count("\n") == 1
        assert done.out == ""


def test_a_line_that_comes_through_a_pipe_does_not_wait_for_others(server: Process, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "chappe", "send", "-", "--json", "--data", str(server.data)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()
    ) as sending:
        assert sending.stdin is not None
        assert sending.stdout is not None
        assert sending.stderr is not None
        for line in (1, 2):
            sending.stdin.write(jsonl(message()))
            sending.stdin.flush()
            assert json.loads(sending.stdout.readline())["line"] == line
        sending.stdin.close()
        assert json.loads(sending.stdout.readline())["lines"] == 2
        assert (sending.wait(), sending.stderr.read()) == (0, b"")


def test_a_refused_sender_does_not_wait_for_more_of_a_pipe(server: Process) -> None:
    command = [sys.executable, "-W", "error", "-m", "chappe", "send", "-", "--url", "http://127.0.0.1:1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) as sending:
        assert sending.stdin is not None
        assert sending.stderr is not None
        sending.stdin.write(jsonl(message()))
        sending.stdin.flush()
        assert sending.wait() == 1
        assert sending.stderr.read().count(b"\n") == 1
