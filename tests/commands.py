"""Commands as a user runs them: processes of their own, with none of the settings of whoever runs the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

PATIENCE_SECONDS = 120
Run = Callable[..., "Finished"]


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


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("CHAPPE_", "AWS_"))}


def run_chappe(folder: Path, *arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> Finished:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "chappe", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=folder,
        env={**clean_environment(), **(env or {})},
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())
