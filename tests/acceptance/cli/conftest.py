"""A server and commands as a user runs them: processes of their own, talking over loopback."""

from __future__ import annotations

import contextlib
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.commands import PATIENCE_SECONDS, Run, clean_environment, run_chappe


class Process:
    """`chappe serve` with what it prints, line by line."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.printed: list[str] = []
        self._log = (folder / "log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "chappe", "serve", "--data", str(self.data), *arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=folder,
            env=clean_environment(),
            text=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, text: str) -> str:
        """Wait for a line that contains the text."""
        while True:
            line = self._lines.get(timeout=PATIENCE_SECONDS)
            assert line is not None, f"ended without saying {text!r}: {self.printed} {self.log}"
            self.printed.append(line)
            if text in line:
                return line

    def started(self) -> str:
        """Wait until it listens; its URL."""
        line = self.until("listens on")
        self.until("Ctrl-C")
        return next(word for word in line.split() if word.startswith("http://"))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(timeout=PATIENCE_SECONDS)
        self._reader.join(timeout=PATIENCE_SECONDS)
        self._log.close()
        return code


@pytest.fixture
def chappe(tmp_path: Path) -> Run:
    """Run a command in an empty folder."""
    return lambda *arguments, **options: run_chappe(tmp_path, *arguments, **options)


@contextlib.contextmanager
def served(folder: Path, *arguments: str) -> Iterator[Process]:
    process = Process(folder, *arguments)
    try:
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server whose e-mail goes to the sandbox."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "chappe.toml").write_text('[routes]\nemail = ["sandbox"]\n[pipeline]\nmax_attempts = 2\n')
    with served(folder, "--port", "0", "--config", str(folder / "chappe.toml")) as process:
        process.started()
        yield process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
