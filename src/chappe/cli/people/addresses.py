"""Addresses of people on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

AddressArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="ana@example.com, +12025550143, a URL, or user:ana.")
]
AddressOption = Annotated[str | None, typer.Option("--address", help="Only of this address.")]


def recipient_of(address: str) -> dict[str, str]:
    """An address as the API takes it. Whether it is one, the server says."""
    kind, colon, rest = address.partition(":")
    if colon and kind in ("email", "phone", "url", "user"):
        return {kind: rest}
    if "://" in address:
        return {"url": address}
    if "@" in address:
        return {"email": address}
    return {"phone": address}
