"""Why a file cannot be read, in words that say what to look at."""

from __future__ import annotations

from pathlib import Path

from chappe.model.errors import InvalidConfiguration


def unreadable(path: Path | str, error: OSError | UnicodeDecodeError) -> InvalidConfiguration:
    """The error to raise when reading a file that somebody named has failed."""
    return InvalidConfiguration(f"{path}: cannot be read: {why_unreadable(error)}.", file=str(path))


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    """The reason, as the end of a sentence."""
    match error:
        case UnicodeDecodeError():
            return f"it is not UTF-8 text, from byte {error.start} on"
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "it is a folder, not a file"
        case PermissionError():
            return "its permissions do not let you"
        case _:
            return error.strerror or str(error)
