"""Rule files named on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chappe.model.errors import InvalidInput

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from chappe.compliance.loading import Reading

PathsArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Rule files, or folders of them (`*.yaml`).", show_default=False)
]


def read_files(files: Iterable[Path] | Iterable[Traversable]) -> Reading:
    """The rules of files and folders, and what is wrong with them. Raises `InvalidConfiguration`, `InvalidInput`."""
    from chappe.compliance.loading import Reading, rule_files

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


def _bytes_of(file: Path | Traversable) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}", file=str(file)) from error
