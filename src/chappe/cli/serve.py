"""`chappe serve`: the server itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    data: Annotated[Path | None, typer.Option(help="Folder of everything that is kept.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    open_mode: Annotated[bool, typer.Option("--open", help="Accept any credentials; on loopback only.")] = False,
    config: Annotated[
        Path | None, typer.Option(envvar="CHAPPE_CONFIG", show_envvar=True, help="TOML file of settings.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Send example messages to receivers on this machine.")] = False,
) -> None:
    """Run the server until it is interrupted."""
