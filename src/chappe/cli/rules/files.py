"""Files named on the command line: rules, and messages to decide by them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chappe.cli.entries import Entry, Format, Malformed, read_entries
from chappe.model.errors import InvalidInput
from chappe.model.unreadable import unreadable

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from chappe.compliance.rule_files.loading import Reading

DRY_RUN_MESSAGES_MAX = 1_000
PathsArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Rule files, or folders of them (`*.yaml`).", show_default=False)
]


def read_files(files: Iterable[Path] | Iterable[Traversable]) -> Reading:
    """The rules of files and folders, and what is wrong with them. Raises `InvalidConfiguration`, `InvalidInput`."""
    from chappe.compliance.rule_files.loading import Reading, rule_files

    found = list(files)
    paths = [file for file in found if isinstance(file, Path)]
    reading = Reading()
    for file in rule_files(paths) if len(paths) == len(found) else found:
        reading.read(_bytes_of(file), file.name)
    return reading


def text_of(files: Sequence[Path]) -> str:
    """The one rule file that is sent to a server. Raises `InvalidInput`."""
    if len(files) != 1 or files[0].is_dir():
        raise InvalidInput("name one rule file; changes to a version cannot be in several")
    try:
        return _bytes_of(files[0]).decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{files[0]} is not UTF-8: {error}", file=str(files[0])) from None


def message_entries(file: Path) -> list[Entry]:
    """The messages of a file to be decided. Raises `InvalidInput` for a line that is none, and for too many."""
    form = Format.CSV if file.suffix.lower() == ".csv" else Format.JSONL
    entries = []
    for entry in read_entries(io.BytesIO(_bytes_of(file)), form):
        if isinstance(entry, Malformed):
            raise InvalidInput(f"line {entry.line}: {entry.reason}", line=entry.line)
        entry.document.pop("idempotency_key", None)
        entries.append(entry)
    if not 1 <= len(entries) <= DRY_RUN_MESSAGES_MAX:
        raise InvalidInput(f"{file} has {len(entries)} messages; 1 to {DRY_RUN_MESSAGES_MAX} can be decided at once")
    return entries


def _bytes_of(file: Path | Traversable) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise unreadable(str(file), error) from error
