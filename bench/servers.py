"""The servers of this project that are measured, and folders for their data."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.process import HOST, Process, free_port
from bench.signing import Signer
from bench.sqs_server import SqsServer


class Chappe(SqsServer):
    """`chappe serve` on a data folder."""

    name = "Chappe"
    durable = "synced"

    def __init__(self, data: Path, port: int | None = None) -> None:
        self.data = data
        port = port or free_port()
        command = [sys.executable, "-m", "chappe", "serve", "--data", str(data), "--host", HOST, "--port", str(port)]
        super().__init__(command, port, log=data.with_suffix(".log"))

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


def started(data: Path) -> tuple[Chappe, float]:
    """A Chappe on a data folder, and the seconds from the start of the process to its first answer."""
    begun = time.perf_counter()
    server = Chappe(data)
    try:
        server.wait_until_answering()
    except BaseException:
        server.stop()
        raise
    return server, time.perf_counter() - begun


@contextlib.contextmanager
def echo() -> Iterator[Process]:
    """A running echo server, stopped afterwards."""
    port = free_port()
    server = Process([sys.executable, "-m", "bench.echo", "--port", str(port)], port)
    try:
        server.wait_until_listening()
        yield server
    finally:
        server.stop()
