"""What a process that reads a list says to the server: lines of JSON, the last of them the result."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from chappe.records.registries.source import BadLine

NICENESS = 10
_PROGRESS_SECONDS = 0.25
_Order = TypeVar("_Order")


class Progress(msgspec.Struct, frozen=True, tag_field="what", tag="progress"):
    """How far it has come."""

    step: str
    done: int
    total: int


class Built(msgspec.Struct, frozen=True, tag_field="what", tag="built"):
    """The file stands under its name, on stable storage. `lines` are those read, without the header."""

    listings: int
    file_bytes: int
    file_sha256: str
    lines: int
    bad_lines: int
    bad: tuple[BadLine, ...]
    added: int
    removed: int
    absent: int


class Refused(msgspec.Struct, frozen=True, tag_field="what", tag="refused"):
    """Nothing was made."""

    code: str
    reason: str
    bad_lines: int = 0
    bad: tuple[BadLine, ...] = ()


class Checked(msgspec.Struct, frozen=True, tag_field="what", tag="checked"):
    """Every line was read; what the good ones say stands in a file, on stable storage."""

    lines: int
    records: int
    bad_lines: int
    bad: tuple[BadLine, ...]


Report = Callable[[Progress], None]


def work(kind: type[_Order], carry_out: Callable[[_Order, Report], Built | Checked | Refused]) -> None:
    """The life of such a process: an order from standard input, progress now and then, and the result.

    It gives way to others (nice), so that a server beside it stays quick.
    """
    os.nice(NICENESS)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=kind)
    try:
        _say(carry_out(order, _seldom(_say)))
    except OverflowError as error:
        _say(Refused("invalid_input", str(error)))
    except OSError as error:
        _say(Refused("storage_failed", f"The disk failed: {error.strerror}."))


def _seldom(report: Report) -> Report:
    last = 0.0

    def seldom(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PROGRESS_SECONDS:
            last = now
            report(progress)

    return seldom


def _say(document: Progress | Built | Checked | Refused) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
    sys.stdout.buffer.flush()
