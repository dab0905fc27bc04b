"""A value as somebody wrote it, and where, so that an error can say both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class Origin(msgspec.Struct, frozen=True):
    """Where values come from. `text` names the place; relative paths start at `folder`.

    In a file each value is of its own type. A `textual` origin (environment, command line) has only texts,
    which are read as the type that the setting wants.
    """

    text: str
    folder: Path
    textual: bool = False


class Given(msgspec.Struct, frozen=True):
    """A single value from `origin`; takes the place of a file's value."""

    value: Any
    origin: Origin
