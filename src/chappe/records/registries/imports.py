"""Imports under way and lately ended, and the process that carries one out."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum

import msgspec

from chappe.model.errors import ImportNotFound, StorageFailed, TooManyImports
from chappe.records.registries.reporting import Built, Checked, Progress, Refused
from chappe.records.registries.source import BadLine

WAITING_MAX = 8
"""Imports that may be under way or wait at once."""
ENDED_KEPT = 100
"""Ended imports that are remembered."""
_LINE_BYTES_MAX = 1 << 20

_Answer = Progress | Built | Checked | Refused
_answers: msgspec.json.Decoder[_Answer] = msgspec.json.Decoder(_Answer)


class ImportStatus(StrEnum):
    """How an import stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    """The list could not be used; nothing was changed."""
    FAILED = "failed"
    """The server could not carry it out; nothing was changed."""


class Import(msgspec.Struct):
    """An import. `done` of `total` says how far its `step` has come; `version` is what it made of a
    registry; `changed` is how many of the lines of another list brought something new.
    """

    id: str
    target: str
    status: ImportStatus
    started_at_ms: int
    step: str = "waiting"
    done: int = 0
    total: int = 0
    version: int | None = None
    lines: int = 0
    changed: int | None = None
    code: str | None = None
    reason: str | None = None
    bad_lines: int = 0
    bad: tuple[BadLine, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status not in (ImportStatus.WAITING, ImportStatus.RUNNING)

    def note_progress(self, progress: Progress) -> None:
        """Show how far it has come."""
        self.step, self.done, self.total = progress.step, progress.done, progress.total

    def fail(self, status: ImportStatus, code: str, reason: str) -> None:
        """End it without a result."""
        self.status, self.code, self.reason = status, code, reason


class Imports:
    """The imports that are known, for those who ask how one stands."""

    def __init__(self) -> None:
        self._imports: OrderedDict[str, Import] = OrderedDict()

    def check_room(self) -> None:
        """Raise `TooManyImports` if enough are under way."""
        if sum(not each.ended for each in self._imports.values()) >= WAITING_MAX:
            raise TooManyImports(f"{WAITING_MAX} imports wait or run already; try again when one has ended.")

    def add(self, new: Import) -> None:
        """Remember an import; the oldest that ended are forgotten."""
        self._imports[new.id] = new
        ended = [each.id for each in self._imports.values() if each.ended]
        for import_id in ended[: max(0, len(ended) - ENDED_KEPT)]:
            del self._imports[import_id]

    def get(self, target: str, import_id: str) -> Import:
        """Raises `ImportNotFound`."""
        found = self._imports.get(import_id)
        if found is None or found.target != target:
            raise ImportNotFound(
                f"There is no import {import_id!r} here. If the server was restarted meanwhile, an import that had not "
                "ended changed nothing: repeat it.",
                id=import_id,
            )
        return found


async def carry_out(module: str, order: msgspec.Struct, show: Callable[[Progress], None]) -> Built | Checked | Refused:
    """Have a process of its own carry out an order: `python -m module`, with the order on its standard input.

    Raises `StorageFailed` if it comes to grief. Cancelled, it ends the process first.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(ConnectionError):
            process.stdin.write(msgspec.json.encode(order))
            await process.stdin.drain()
        process.stdin.close()
        async for line in process.stdout:
            answer = _answers.decode(line)
            if not isinstance(answer, Progress):
                return answer
            show(answer)
        code = await process.wait()
        raise StorageFailed(f"The process that reads the list ended with code {code}; the log says more.")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
