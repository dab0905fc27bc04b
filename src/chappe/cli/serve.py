"""`chappe serve`: the server itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chappe import __version__
from chappe.cli.connection import CONFIG_VARIABLE, remember_url
from chappe.security.first_credentials import CREDENTIALS_FILE

if TYPE_CHECKING:
    from chappe.app import Running
    from chappe.config import Config

_OPTIONS = {"data": "server.data", "host": "server.host", "port": "server.port", "open": "server.open"}


def serve(
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of everything that is kept. [default: chappe-data]")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port to listen on; 0 takes any free one. [default: 9324]")
    ] = None,
    open_mode: Annotated[
        bool, typer.Option("--open", help="Accept any credentials; on a loopback address only.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option("--config", envvar=CONFIG_VARIABLE, show_envvar=True, help="TOML file of settings."),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Also run a mail server and a webhook receiver, and send them examples.")
    ] = False,
) -> None:
    """Run the server until it is interrupted.

    Settings come from the options, CHAPPE_... variables and the file, in this order.
    """
    # Loaded here so that the other commands need not load the server.
    import uvloop

    from chappe.cli.logs import configure_logs
    from chappe.config import load_config

    given = {"data": data, "host": host, "port": port, "open": open_mode or None}
    options = {
        _OPTIONS[name]: (f"--{name}", str(value) if isinstance(value, Path) else value)
        for name, value in given.items()
        if value is not None
    }
    config = load_config(file, options=options)
    configure_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_demo(config) if demo else _serve(config))


async def _serve(config: Config) -> None:
    from chappe.app import run

    await run(config, on_start=announce)


async def _serve_demo(config: Config) -> None:
    from chappe.app import run
    from chappe.cli.demonstration import Demonstration
    from chappe.demo import demo_config, receiving

    async with receiving(config) as receivers:
        demonstration = Demonstration(receivers)

        def on_start(server: Running) -> None:
            announce(server)
            demonstration.begin(server.url, config.server.data)

        try:
            await run(demo_config(config, receivers), on_start=on_start)
        finally:
            demonstration.stop()


def announce(server: Running) -> None:
    """Say where the server is and how to reach it, and leave the address where the other commands find it."""
    folder = server.config.server.data
    remember_url(folder, server.url)
    typer.echo(f"Chappe {__version__} listens on {server.url} and keeps its data in {folder}")
    if server.config.server.open:
        typer.echo("It accepts any credentials (--open).")
    elif server.credentials is not None:
        typer.echo(f"The first credentials, kept in {server.credentials.path}:")
        for line in server.credentials.lines:
            typer.echo(f"  {line}")
    elif (folder / CREDENTIALS_FILE).exists():
        typer.echo(f"To use its credentials in a shell:  . {folder / CREDENTIALS_FILE}")
    typer.echo("Ctrl-C stops it.")
