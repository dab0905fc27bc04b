"""A server process: started on the server core, waited for, looked at and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import machine

HOST = "127.0.0.1"
START_SECONDS = 600.0
STOP_SECONDS = 60.0
_ROOT = Path(__file__).parent.parent


class Process:
    """A process that listens on loopback, pinned to the server core. `environment` is added to ours."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self.address = (HOST, port)
        self._log = log.open("ab") if log else None
        self.process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env=_environment() | dict(environment or {}),
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


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
