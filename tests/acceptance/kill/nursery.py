"""A program that starts servers quickly: it has loaded everything a server needs and forks one for each life.

Loading Chappe takes most of the time of a start, and hundreds of lives are wanted. The server itself is wired as by
`chappe serve`. Forks happen before there is a thread or an event loop, so each child begins as a fresh process would.

Commands come as lines of JSON on standard input: `{"data": ..., "log": ..., "reserve_bytes": ..., "tight": ...}`
starts a server.
Events go out as lines of JSON: `{"event": "born" | "ready" | "ended", "pid": ...}`, with the port or the exit code.
When standard input ends, the servers are killed and the program ends.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import pytest
import uvloop
from tests.conformance.tight import tighten

from chappe.app import Running, run
from chappe.cli.logs import configure_logs
from chappe.compliance.rule_sets.rule_set import load_rule_set
from chappe.config import Config, ServerSettings, StorageSettings

LOADED_LATE = ("anyio._backends._asyncio", "uvicorn.protocols.http.auto", "sqlalchemy.dialects.sqlite")
"""What a server loads only while it starts."""


def main() -> None:
    load_rule_set()
    for name in LOADED_LATE:
        importlib.import_module(name)
    children: set[int] = set()

    def reap(_signal: int, _frame: object) -> None:
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                children.discard(pid)
                _tell("ended", pid, code=os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGCHLD, reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted test run ends standard input
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        command = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # no end is told before its birth
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            _live(command)
        children.add(pid)
        _tell("born", pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _live(command: dict[str, Any]) -> NoReturn:
    """Be a server until the end."""
    code = 1
    try:
        log = os.open(command["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(log, 2)
        config = Config(
            server=ServerSettings(port=0, data=Path(command["data"])),
            storage=StorageSettings(reserve_bytes=command["reserve_bytes"]),
        )
        if command["tight"]:
            tighten(pytest.MonkeyPatch())
        configure_logs()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(config, on_start=_ready))
        code = 0
    except BaseException:  # noqa: BLE001 - a child must never return into its parent's program
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _ready(server: Running) -> None:
    _tell("ready", os.getpid(), port=server.port)


def _tell(event: str, pid: int, **more: int) -> None:
    """One write a line, so that the lines of several processes do not mix."""
    os.write(1, json.dumps({"event": event, "pid": pid, **more}).encode() + b"\n")


if __name__ == "__main__":
    main()
