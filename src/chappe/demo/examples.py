"""Where the example files are, in an installed package as in a checkout."""

from __future__ import annotations

from pathlib import Path

import msgspec

import chappe
from chappe.model.errors import NotFound

WEBHOOK_ORIGIN = "http://localhost:9326"
"""Where the webhook URLs of the example file point."""


class Examples(msgspec.Struct, frozen=True):
    """The files of the examples folder: messages, and the consents and suppressions that belong to them."""

    messages: Path
    consents: Path
    suppressions: Path


def find_examples() -> Examples:
    """Raises `NotFound` if the package was put together without them."""
    package = Path(chappe.__file__).parent
    for folder in (package / "examples", package.parents[1] / "examples"):
        found = Examples(*(folder / f"{name}.jsonl" for name in Examples.__struct_fields__))
        if found.messages.is_file():
            return found
    raise NotFound("the example files are missing from this installation of Chappe")
