"""`chappe suppressions`: addresses never to send to, one at a time and as lists."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.list_options import (
    AllowBadOption,
    DelimiterOption,
    Encoding,
    EncodingOption,
    FileArgument,
    layout_parameters,
)
from chappe.cli.output import print_json, terminal
from chappe.cli.people.addresses import AddressArgument, AddressOption, recipient_of
from chappe.cli.uploading import import_list, tell_import
from chappe.model.customer import Channel, Purpose

app = typer.Typer(no_args_is_help=True, help="Addresses never to send to.", rich_markup_mode=None)


@app.command("import")
def import_suppressions(
    file: FileArgument,
    reason: Annotated[str | None, typer.Option(help="Why, for lines that don't say it.")] = None,
    delimiter: DelimiterOption = ",",
    encoding: EncodingOption = Encoding.UTF_8,
    allow_bad: AllowBadOption = 0,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Suppress every address of a list.

    Columns: email, phone, url or user; channel, purpose and reason where wanted. Every line is checked before anything
    is stored: with more bad ones than --allow-bad nothing is. Addresses that are suppressed in the same way stay as
    they are, so a list can be imported again.
    """
    parameters = layout_parameters(delimiter, encoding, allow_bad) | {"reason": reason}
    with connect(url, api_key, data) as server:
        ended = import_list(server, "/v1/suppressions:", file, parameters, json=json)
    tell_import(ended, "addresses suppressed", json=json)


@app.command("add")
def add_suppression(
    address: AddressArgument,
    channel: Annotated[Channel | None, typer.Option(help="Only on this channel; without it on none.")] = None,
    purpose: Annotated[Purpose | None, typer.Option(help="Only for this purpose; without it for none.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for people.")] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Never send to an address. It is in force when the command returns."""
    given = {"to": recipient_of(address), "channel": channel, "purpose": purpose, "reason": reason}
    with connect(url, api_key, data) as server:
        entry = server.post("/v1/suppressions", {name: value for name, value in given.items() if value is not None})
    if json:
        print_json(entry)
    else:
        typer.echo(f"suppressed: {entry['id']}")


@app.command("list")
def list_suppressions(
    address: AddressOption = None,
    limit: Annotated[int, typer.Option(min=1, help="The most entries to show.")] = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List suppressions, newest first."""
    with connect(url, api_key, data) as server:
        found = list(server.entries("/v1/suppressions", "suppressions", limit, to=address))
    if json:
        print_json(found)
        return
    table = Table("id", "address", "channel", "purpose", "since", "reason")
    for entry in found:
        row = (entry.get("channel", "every"), entry.get("purpose", "every"), entry["created_at"], entry["reason"])
        table.add_row(entry["id"], next(iter(entry["to"].values())), *row)
    terminal().print(table)


@app.command("remove")
def remove_suppression(
    suppression: Annotated[str, typer.Argument(metavar="ID", help="The suppression's id.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
) -> None:
    """Lift a suppression: the address may be sent to again."""
    with connect(url, api_key, data) as server:
        server.delete(f"/v1/suppressions/{quote(suppression, safe='')}")
    typer.echo(f"{suppression} is lifted")
