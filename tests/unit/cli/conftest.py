"""The command line as a user runs it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest


class Finished(msgspec.Struct, frozen=True):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Finished]


@pytest.fixture
def chappe(tmp_path: Path) -> Run:
    """Run a command in an empty folder, with none of the settings of whoever runs the tests."""

    def run(*arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> Finished:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CHAPPE_", "AWS_"))}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "chappe", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env={**clean, **(env or {})},
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
