"""`chappe serve` as a process that can be killed, with a sandbox that writes down what it takes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 120.0
CONFIGURATION = """
[storage]
reserve_bytes = 4096
[providers.book]
kind = "sandbox"
file = "taken.jsonl"
[routes]
email = ["book"]
[pipeline]
max_attempts = 2
min_backoff_ms = 0
first_backoff_ms = 1
"""


class Server:
    """One data folder and port, served by one process after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (folder / "log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "chappe.toml").write_text(CONFIGURATION)

    def start(self) -> None:
        """Start a process and wait until it answers."""
        environment = {name: v for name, v in os.environ.items() if not name.startswith(("CHAPPE_", "AWS_"))}
        command = [sys.executable, "-W", "error", "-m", "chappe", "serve", "--config", "chappe.toml", "--data", "data"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            assert self._process.poll() is None, self.log
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.02)
        raise AssertionError(f"the server does not answer: {self.log}")

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(how)
        code = self._process.wait(PATIENCE_SECONDS)
        self._process = None
        return code

    def close(self) -> None:
        self.end(signal.SIGKILL)
        self._log.close()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def credentials(self) -> dict[str, str]:
        """What the first start left in the data folder."""
        lines = (self.folder / "data" / "credentials.env").read_text().splitlines()
        pairs = (line.removeprefix("export ").partition("=") for line in lines if "=" in line)
        return {name: value.strip("'\"") for name, _, value in pairs}

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.credentials['CHAPPE_API_KEY']}"}

    @property
    def taken(self) -> list[dict[str, Any]]:
        """What the sandbox took, over all processes. A line that a kill cut short is no message."""
        path = self.folder / "taken.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["outbound"] for line in lines if line.endswith("}")]

    def messages(self, **query: str) -> list[dict[str, Any]]:
        """All messages that match."""
        found: list[dict[str, Any]] = []
        with httpx.Client(base_url=self.url, headers=self.headers, timeout=60) as http:
            while True:
                page = http.get("/v1/messages", params={"limit": "500", **query}).raise_for_status().json()
                found += page["messages"]
                if "next_cursor" not in page:
                    return found
                query["cursor"] = page["next_cursor"]

    def wait_until_at_rest(self) -> None:
        """Until no message is on its way."""
        end = time.monotonic() + PATIENCE_SECONDS
        while any(self.messages(status=status) for status in ("accepted", "queued", "sending")):
            assert time.monotonic() < end, self.log
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
