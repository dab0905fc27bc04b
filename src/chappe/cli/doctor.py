"""`chappe doctor`: what a data folder holds and whether it is sound."""

from __future__ import annotations

import typer

from chappe.cli.connection import DEFAULT_DATA, DataOption, JsonOption


def doctor(data: DataOption = None, json: JsonOption = False) -> None:
    """Check a data folder and say what was found."""
    typer.echo(str(data or DEFAULT_DATA) + str(json))
