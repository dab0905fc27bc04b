"""`chappe audit holds`: what was decided under a jurisdiction, kept whatever its retention."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import print_json, terminal

app = typer.Typer(no_args_is_help=True, help="Keep decisions whatever their retention.", rich_markup_mode=None)


@app.command("add")
def add_hold(
    jurisdiction: Annotated[str, typer.Argument(help="A country (`DE`), a region (`US-CA`), or `*` for all.")],
    reason: Annotated[str, typer.Option(help="Why, for those who come after.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Keep what was decided under a jurisdiction until the hold is released."""
    with connect(url, api_key, data) as server:
        hold = server.post("/v1/legal-holds", {"jurisdiction": jurisdiction, "reason": reason})
    if json:
        print_json(hold)
    else:
        typer.echo(f"holding {hold['jurisdiction']}: {hold['id']}")


@app.command("list")
def list_holds(
    url: UrlOption = None, api_key: KeyOption = None, data: DataOption = None, json: JsonOption = False
) -> None:
    """List legal holds, those that are over included."""
    with connect(url, api_key, data) as server:
        found = server.get("/v1/legal-holds")["holds"]
    if json:
        print_json(found)
        return
    table = Table("id", "jurisdiction", "since", "released", "reason")
    for hold in found:
        table.add_row(hold["id"], hold["jurisdiction"], hold["created_at"], hold.get("released_at", ""), hold["reason"])
    terminal().print(table)


@app.command()
def release(
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="The hold's id.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Release a legal hold: retention takes what is due from then on."""
    with connect(url, api_key, data) as server:
        server.delete(f"/v1/legal-holds/{quote(hold_id, safe='')}")
    if json:
        print_json({"released": hold_id})
    else:
        typer.echo(f"released {hold_id}")
