"""Server processes: started on the server core, waited for, looked at and stopped."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench import machine
from bench.signing import Signer

HOST = "127.0.0.1"
START_SECONDS = 600.0
STOP_SECONDS = 60.0
_ROOT = Path(__file__).parent.parent


class Process:
    """A Python process that listens on loopback, pinned to the server core."""

    def __init__(self, arguments: Sequence[str], port: int, log: Path | None = None) -> None:
        self.port = port
        self.address = (HOST, port)
        self._log = log.open("ab") if log else None
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=_ROOT,
            env=_environment(),
            stdout=self._log or subprocess.DEVNULL,
            stderr=self._log or subprocess.DEVNULL,
            preexec_fn=_pin,  # noqa: PLW1509 (one thread here, and it only sets the affinity)
        )

    def wait_until_listening(self) -> None:
        """Raises `RuntimeError` if the process ends, or does not listen in time."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with code {self.process.returncode}{self._said()}")
            with contextlib.suppress(OSError), socket.create_connection(self.address, timeout=1):
                return
            time.sleep(0.01)
        raise RuntimeError("the server did not start in time")

    @property
    def resident_mb(self) -> float:
        return machine.resident_mb(self.process.pid)

    @property
    def cpu_seconds(self) -> float:
        return machine.cpu_seconds(self.process.pid)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process; SIGKILL leaves it no time to tidy up."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._log:
            self._log.close()

    def _said(self) -> str:
        if self._log is None:
            return ""
        return ":\n" + Path(self._log.name).read_text(errors="replace")[-2000:]


def _environment() -> dict[str, str]:
    """Ours, but with compiled modules kept, as they are by default; else starting would be compiling."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _pin() -> None:
    os.sched_setaffinity(0, {machine.SERVER_CORE})


class Chappe(Process):
    """`chappe serve` on a data folder."""

    def __init__(self, data: Path, port: int | None = None) -> None:
        self.data = data
        port = port or free_port()
        arguments = ["-m", "chappe", "serve", "--data", str(data), "--host", HOST, "--port", str(port)]
        super().__init__(arguments, port, log=data.with_suffix(".log"))

    def wait_until_answering(self) -> None:
        """Until a request to the SQS API is answered."""
        self.wait_until_listening()
        self.call("ListQueues", b"{}")

    @property
    def credentials(self) -> dict[str, str]:
        """What the first start left in `credentials.env`."""
        lines = (self.data / "credentials.env").read_text().splitlines()
        pairs = (line.removeprefix("export ").partition("=") for line in lines if line.startswith("export "))
        return {name: value.strip("'\"") for name, _, value in pairs}

    def signer(self) -> Signer:
        """For requests to the SQS API, good for some minutes."""
        keys = self.credentials
        return Signer(self.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])

    def bearer(self) -> dict[str, str]:
        """The headers of a request to the Messages API."""
        return {"Authorization": f"Bearer {self.credentials['CHAPPE_API_KEY']}", "Content-Type": "application/json"}

    def call(self, operation: str, body: bytes) -> bytes:
        """One request to the SQS API. Raises `RuntimeError` unless it succeeds."""
        with socket.create_connection(self.address, timeout=START_SECONDS) as connection:
            connection.sendall(self.signer().sign(operation, body))
            reply = http.client.HTTPResponse(connection)
            reply.begin()
            answer = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{operation} was answered {reply.status}: {answer.decode(errors='replace')}")
        return answer

    def create_queue(self, name: str) -> str:
        """The URL of a new standard queue."""
        answer = self.call("CreateQueue", msgspec.json.encode({"QueueName": name}))
        url: str = msgspec.json.decode(answer)["QueueUrl"]
        return url


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def data_folder(parent: Path) -> Iterator[Path]:
    """A folder for one server, removed afterwards with everything beside it."""
    outer = Path(tempfile.mkdtemp(prefix="chappe-bench-", dir=parent))
    try:
        yield outer / "data"
    finally:
        shutil.rmtree(outer)


@contextlib.contextmanager
def chappe(data: Path) -> Iterator[Chappe]:
    """A running Chappe, stopped afterwards."""
    server = Chappe(data)
    try:
        server.wait_until_answering()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def echo() -> Iterator[Process]:
    """A running echo server, stopped afterwards."""
    port = free_port()
    server = Process(["-m", "bench.echo", "--port", str(port)], port)
    try:
        server.wait_until_listening()
        yield server
    finally:
        server.stop()
