"""Why files cannot be read."""

from __future__ import annotations

import pytest

from chappe.model.errors import InvalidConfiguration
from chappe.model.unreadable import unreadable


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FileNotFoundError(2, "No such file"), "a.csv: cannot be read: there is no such file."),
        (IsADirectoryError(21, "Is a directory"), "a.csv: cannot be read: it is a folder, not a file."),
        (PermissionError(13, "Permission denied"), "a.csv: cannot be read: its permissions do not let you."),
        (OSError(5, "Input/output error"), "a.csv: cannot be read: Input/output error."),
        (
            UnicodeDecodeError("utf-8", b"ab\xff", 2, 3, "invalid start byte"),
            "a.csv: cannot be read: it is not UTF-8 text, from byte 2 on.",
        ),
    ],
)
def test_the_reason_is_told_in_words(error: OSError | UnicodeDecodeError, says: str) -> None:
    told = unreadable("a.csv", error)
    assert isinstance(told, InvalidConfiguration)
    assert (told.message, told.details["file"]) == (says, "a.csv")
