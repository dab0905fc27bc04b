"""`make run`: the whole journey, from a file of messages to mails and webhooks received."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands import run_chappe

from .conftest import free_port, served


def test_the_demonstration(tmp_path: Path) -> None:
    with served(tmp_path, "--demo", "--port", str(free_port())) as process:
        process.started()
        process.until("The server stays up")
        printed = "\n".join(process.printed)

        listed: list[dict[str, str]] = []
        for status in ("sent", "blocked", "deferred", "undelivered", "failed", "queued", "accepted", "sending"):
            listed += _messages(tmp_path, process.data, status)
        by_status = {s: [m for m in listed if m["status"] == s] for s in {m["status"] for m in listed}}
        assert len(listed) == 231, printed
        assert set(by_status) <= {"sent", "blocked", "deferred", "undelivered"}, printed

        mails = list((process.data / "demo" / "mail").glob("*.eml"))
        webhooks = (process.data / "demo" / "webhooks.jsonl").read_text().splitlines()
        assert len(mails) == sum(1 for m in by_status["sent"] if m["channel"] == "email")
        assert len(webhooks) == sum(1 for m in by_status["sent"] if m["channel"] == "webhook") == 25

        news = [mail for mail in mails if b"news@acme.example" in mail.read_bytes()]
        assert all(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail.read_bytes() for mail in news)
        assert not any(b"kirra@example.com.au" in mail.read_bytes() for mail in news), "she unsubscribed"
        assert not any(b"omar@example.ae" in mail.read_bytes() for mail in mails), "his mailbox does not exist"
        assert by_status["deferred"], "it is night somewhere"
        assert "line 18: malformed" in printed
        assert "malformed" in printed

        retried = next(m for m in by_status["sent"] if m["to"].get("email", "").startswith("fail+once"))
        drawn = run_chappe(tmp_path, "status", retried["id"], "--data", process.data).out
        assert "451 4.3.2 not now, try again" in drawn
        assert "attempt 2 by demo-mail" in drawn
        assert process.stop() == 0
        assert "Traceback" not in process.log


def _messages(folder: Path, data: Path, status: str) -> list[dict[str, str]]:
    import httpx

    url = (data / "server-url").read_text().strip()
    lines = (data / "credentials.env").read_text().splitlines()
    key = next(line.partition("=")[2] for line in lines if "CHAPPE_API_KEY" in line)
    answer = httpx.get(
        f"{url}/v1/messages", params={"status": status, "limit": 500}, headers={"authorization": f"Bearer {key}"}
    )
    found: list[dict[str, str]] = json.loads(answer.content)["messages"]
    return found
