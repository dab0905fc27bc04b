"""What the commands write: tables for people, JSON for programs, errors in one line."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping

import msgspec
from rich.console import Console
from rich.table import Table

from chappe.model.errors import ChappeError

_WIDE = 1000
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates of the bidirectional algorithm (UAX #9): they can show a link as another one."""

STATUS_STYLES = {
    "delivered": "green",
    "sent": "green",
    "accepted": "cyan",
    "queued": "cyan",
    "sending": "cyan",
    "deferred": "yellow",
    "accepted, to wait": "yellow",
    "blocked": "magenta",
    "accepted, to be blocked": "magenta",
    "malformed": "red",
    "refused": "red",
    "undelivered": "red",
    "failed": "red",
    "expired": "red",
    "cancelled": "dim",
}


def terminal() -> Console:
    """Standard output; styled on a terminal only (and not there either if NO_COLOR is set)."""
    return Console(highlight=False, width=_width(sys.stdout.isatty()))


def messages() -> Console:
    """Standard error, for progress and complaints."""
    return Console(stderr=True, highlight=False, width=_width(sys.stderr.isatty()))


def _width(is_terminal: bool) -> int | None:
    # What goes into a file or a pipe is not cut to the width of some window.
    return None if is_terminal else _WIDE


def print_json(document: object) -> None:
    """One JSON document on one line of standard output."""
    sys.stdout.write(msgspec.json.encode(document).decode() + "\n")


def report_error(error: ChappeError) -> None:
    """`chappe: error [code]: message`, on one line whatever the message holds."""
    code = error.details.get("code", error.code)
    sys.stderr.write(f"chappe: error [{code}]: {' '.join(error.message.split())}\n")


def printable(text: str) -> str:
    """Text of others, safe to show: what would command a terminal or turn the direction of writing is spelt out."""
    return "".join(
        char
        if char in "\n\t" or (unicodedata.category(char) != "Cc" and char not in _TURNING)
        else f"\\u{ord(char):04x}"
        for char in text
    )


def minute(moment: str) -> str:
    """A moment of the API (RFC 3339) to the minute, for tables."""
    return moment[:16].replace("T", " ")


def status_table(counts: Mapping[str, int]) -> Table:
    """How many entries ended in each status, most frequent first."""
    table = Table()
    table.add_column("status")
    table.add_column("messages", justify="right")
    for status, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(status, str(count), style=STATUS_STYLES.get(status))
    return table
