"""Servers on one data folder, one life after the other."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

from chappe.engine.embedded.doctor import Finding, examine

PATIENCE_SECONDS = 120.0
RESERVE_BYTES = 64 * 1024
PROJECT = Path(__file__).parents[3]


class Life:
    """One server process. `ready` gives its port once it listens, `ended` its exit code."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.ready: Future[int] = Future()
        self.ended: Future[int] = Future()
        self.struck = False
        self._log = log

    async def listening(self) -> int:
        """Wait until it accepts requests; its port. Raises `AssertionError` if it ends instead."""
        return await _patiently(self.ready)

    async def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        self.strike()
        code = await self.end()
        assert code == -signal.SIGKILL, f"the server ended by itself with code {code}:\n{self.log}"

    def strike(self) -> None:
        """SIGKILL, now."""
        self.struck = True
        if not self.ended.done():
            os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end in good order."""
        os.kill(self.pid, signal.SIGTERM)
        assert await self.end() == 0, self.log

    async def end(self) -> int:
        return await _patiently(self.ended)

    @property
    def log(self) -> str:
        """The end of the log of all lives so far."""
        return self.whole_log[-5000:]

    @property
    def whole_log(self) -> str:
        return self._log.read_text()


async def _patiently(future: Future[int]) -> int:
    """Its result. Whoever is cancelled while waiting leaves the future alone."""
    return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), PATIENCE_SECONDS)


class Nursery:
    """The program that forks servers; see nursery.py."""

    def __init__(self) -> None:
        environment = {name: v for name, v in os.environ.items() if not name.startswith(("CHAPPE_", "AWS_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.acceptance.kill.nursery"],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._born: queue.SimpleQueue[Life | None] = queue.SimpleQueue()
        self._next_log = Path()
        self._lives: dict[int, Life] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(self, folder: Path, *, tight: bool = False) -> Life:
        """Start a server on `folder / "data"` and return at once; its log is `folder / "log"`.

        A `tight` one has next to no memory, as in tests.conformance.tight.
        """
        self._next_log = folder / "log"
        command = {
            "data": str(folder / "data"),
            "log": str(self._next_log),
            "reserve_bytes": RESERVE_BYTES,
            "tight": tight,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        life = self._born.get(timeout=PATIENCE_SECONDS)
        assert life is not None, "the nursery has ended"
        return life

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            pid = event["pid"]
            if event["event"] == "born":
                self._lives[pid] = Life(pid, self._next_log)
                self._born.put(self._lives[pid])
            elif event["event"] == "ready":
                self._lives[pid].ready.set_result(event["port"])
            else:
                life = self._lives.pop(pid)
                life.ended.set_result(event["code"])
                if not life.ready.done():
                    life.ready.set_exception(AssertionError(f"ended with code {event['code']} before it listened"))
        self._born.put(None)

    def __enter__(self) -> Nursery:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        self._process.stdout.close()


def credentials(folder: Path) -> tuple[str, str, str]:
    """Access key, secret and region, as the first start left them in the data folder."""
    lines = (folder / "data" / "credentials.env").read_text().splitlines()
    named = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
    return named["AWS_ACCESS_KEY_ID"], named["AWS_SECRET_ACCESS_KEY"], named["AWS_DEFAULT_REGION"]


def unsound(folder: Path) -> list[Finding]:
    """What `chappe doctor` finds in the data folder, apart from its surroundings (a disk that is nearly full)."""
    data = folder / "data"
    return [finding for finding in examine(data).findings if finding.where != str(data)]
