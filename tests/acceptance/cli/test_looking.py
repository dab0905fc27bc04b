from __future__ import annotations

import json

from tests.commands import Run

from .conftest import Process


def sent(chappe: Run, server: Process, email: str, **changes: object) -> str:
    message = {
        "to": {"email": email},
        "purpose": "transactional",
        "content": {"subject": "Hi", "text": "Hello."},
        **changes,
    }
    done = chappe("send", "-", "--json", "--wait", "--data", server.data, stdin=json.dumps(message).encode())
    assert done.code == 0, done.err
    return str(done.lines[0]["id"])


def test_the_timeline_is_drawn(chappe: Run, server: Process) -> None:
    message_id = sent(chappe, server, "fail+once@example.com")
    done = chappe("status", message_id, "--data", server.data)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{message_id}\ntransactional email to fail+once@example.com: Hi\n")
    drawn = done.out.splitlines()[3:]
    steps = [line.partition("● ")[2].strip() for line in drawn if "●" in line]
    assert steps[0] == "accepted"
    assert steps[-1] == "sent"
    assert "attempt 1 by sandbox" in done.out
    assert "[sandbox_once] fail+once@example.com fails at the first attempt" in done.out
    assert "attempt 2 by sandbox" in done.out
    assert "UTC" in drawn[0]


def test_the_reasons_of_a_block_are_told(chappe: Run, server: Process) -> None:
    message_id = sent(chappe, server, "nobody-asked@example.de", purpose="promotional")
    done = chappe("status", message_id, "--data", server.data)
    assert "● blocked" in done.out
    assert "block, rule set 1" in done.out
    assert "default-promotional-consent: block:" in done.out


def test_an_unknown_message(chappe: Run, server: Process) -> None:
    for message_id in ("msg_0000000000000000", "nonsense", "../queues"):
        done = chappe("status", message_id, "--data", server.data)
        assert done.code == 1
        assert done.err.startswith("chappe: error [")
        assert done.err.count("\n") == 1


def test_queues(chappe: Run, server: Process) -> None:
    sent(chappe, server, "fail+temporary@example.com")
    found = {queue["name"]: queue for queue in chappe("queues", "--json", "--data", server.data).json}
    assert found["chappe-transactional-email-dlq"]["ready"] >= 1
    assert found["chappe-transactional-email"]["fifo"] is False
    table = chappe("queues", "chappe-promotional", "--data", server.data).out
    assert "chappe-promotional-email" in table
    assert "chappe-transactional" not in table
