"""The test's side: hosts that can be killed, and calls to them of which the outcome may stay unknown."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.acceptance.crash.wire import read_frame, write_frame

from chappe.model.errors import ChappeError

ROOT = Path(__file__).parents[3]
CONNECT_PAUSE_SECONDS = 0.002


class Gone(Exception):
    """The host is gone. Whether the call took effect is unknown."""


class HostFailed(AssertionError):
    """The host ended by itself."""


class Answer(NamedTuple):
    """`asked` and `answered` are moments in the order in which this process saw things happen."""

    asked: int
    answered: int
    result: Any


class Zygote:
    """One process that forks the hosts."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path) -> None:
        self._process = process
        self.errors = errors

    @classmethod
    async def start(cls, errors: Path) -> Zygote:
        with errors.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.acceptance.crash.zygote",
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
            )
        return cls(process, errors)

    async def line(self) -> str:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        if not line:
            raise HostFailed(self.errors.read_text())
        return line

    async def fork(self, folder: Path, socket: Path, *, tight: bool) -> Host:
        assert self._process.stdin is not None
        await asyncio.to_thread(socket.unlink, missing_ok=True)
        order = json.dumps([str(folder), str(socket), tight])
        self._process.stdin.write(order.encode() + b"\n")
        return Host(self, int(await self.line()), socket)

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


class Host:
    """A forked process with an engine. Kill it or close it; then `ended` says how it ended."""

    def __init__(self, zygote: Zygote, process: int, socket: Path) -> None:
        self._zygote = zygote
        self.process = process
        self.socket = socket
        self._status = asyncio.ensure_future(zygote.line())

    async def connect(self, moments: Iterator[int]) -> Remote:
        """Wait for the engine to be open."""
        while not self._status.done():
            try:
                reader, writer = await asyncio.open_unix_connection(self.socket)
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(CONNECT_PAUSE_SECONDS)
            else:
                return Remote(reader, writer, moments)
        raise HostFailed(self._zygote.errors.read_text())

    def kill(self) -> None:
        os.kill(self.process, signal.SIGKILL)

    async def ended(self) -> None:
        """Raises `HostFailed` if neither the test killed it nor it closed."""
        status = int(await self._status)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if status and not killed:
            raise HostFailed(self._zygote.errors.read_text())


class Remote:
    """Calls to the engine of one host, any number at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, moments: Iterator[int]) -> None:
        self._reader = reader
        self._writer = writer
        self._moments = moments
        self._numbers = itertools.count()
        self._pending: dict[int, asyncio.Future[tuple[int, Any]]] = {}
        self._gone = False
        self._reading = asyncio.create_task(self._read())

    async def call(self, operation: str, *arguments: Any, **options: Any) -> Answer:
        """Raises `Gone`, and what the engine raised."""
        if self._gone:
            raise Gone
        number, asked = next(self._numbers), next(self._moments)
        future: asyncio.Future[tuple[int, Any]] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        write_frame(self._writer, (number, operation, arguments, options))
        answered, result = await future
        if isinstance(result, ChappeError):
            raise result
        return Answer(asked, answered, result)

    async def _read(self) -> None:
        try:
            while True:
                number, result = await read_frame(self._reader)
                self._pending.pop(number).set_result((next(self._moments), result))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._gone = True
            for future in self._pending.values():
                if not future.done():
                    future.set_exception(Gone())
            self._writer.close()

    async def hung_up(self) -> None:
        """Wait until the host is seen to be gone."""
        await self._reading
