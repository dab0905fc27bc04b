"""`chappe consents`: what people agreed to, one at a time and as lists."""

from __future__ import annotations

from typing import Annotated

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

app = typer.Typer(no_args_is_help=True, help="What people agreed to.", rich_markup_mode=None)


@app.command("import")
def import_consents(
    file: FileArgument,
    source: Annotated[str | None, typer.Option(help="Where they were given, for lines that don't say it.")] = None,
    recorded_at: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="When they were given (RFC 3339), for lines that don't say it."),
    ] = None,
    delimiter: DelimiterOption = ",",
    encoding: EncodingOption = Encoding.UTF_8,
    allow_bad: AllowBadOption = 0,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Record every consent of a list.

    Columns: email, phone, url or user; purpose; recorded_at (RFC 3339); granted (true without it), channel, level,
    proof, source, expires_at and how it came about (basis, given_by, wording, confirmed_at and the other details) where
    wanted. Every line is checked before anything is stored: with more bad ones than
    --allow-bad nothing is. What is recorded already is left out, so a list can be imported again.
    """
    parameters = layout_parameters(delimiter, encoding, allow_bad) | {"source": source, "recorded_at": recorded_at}
    with connect(url, api_key, data) as server:
        ended = import_list(server, "/v1/consents:", file, parameters, json=json)
    tell_import(ended, "consents recorded", json=json)


@app.command("add")
def add_consent(
    address: AddressArgument,
    purpose: Annotated[Purpose, typer.Option(help="What for.")] = Purpose.PROMOTIONAL,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="The person took it back.")] = False,
    channel: Annotated[Channel | None, typer.Option(help="For this channel; without it for every one.")] = None,
    level: Annotated[
        str | None, typer.Option(help="How strong it is: implied, express, written or double_opt_in.")
    ] = None,
    proof: Annotated[str | None, typer.Option(help="What was kept of it: the form as shown, a text.")] = None,
    source: Annotated[str | None, typer.Option(help="Where it was given.")] = None,
    recorded_at: Annotated[str | None, typer.Option(metavar="MOMENT", help="When, if not now (RFC 3339).")] = None,
    expires_at: Annotated[str | None, typer.Option(metavar="MOMENT", help="When it ends by itself.")] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Record what a person agreed to, or took back. How it came about in detail can be told with `import`."""
    given = {
        "person": recipient_of(address),
        "purpose": purpose,
        "granted": not withdrawn,
        "channel": channel,
        "level": level,
        "proof": proof,
        "source": source,
        "recorded_at": recorded_at,
        "expires_at": expires_at,
    }
    with connect(url, api_key, data) as server:
        entry = server.post("/v1/consents", {name: value for name, value in given.items() if value is not None})
    if json:
        print_json(entry)
    else:
        typer.echo(f"recorded: {entry['id']}")


@app.command("list")
def list_consents(
    address: AddressOption = None,
    limit: Annotated[int, typer.Option(min=1, help="The most entries to show.")] = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List consent records, newest first."""
    with connect(url, api_key, data) as server:
        found = list(server.entries("/v1/consents", "consents", limit, person=address))
    if json:
        print_json(found)
        return
    table = Table("id", "person", "said", "purpose", "channel", "level", "recorded", "ends", "source")
    for entry in found:
        table.add_row(
            entry["id"],
            next(iter(entry["person"].values())),
            "agreed" if entry["granted"] else "took back",
            entry["purpose"],
            entry.get("channel", "every"),
            entry.get("level", ""),
            entry["recorded_at"],
            entry.get("expires_at", ""),
            entry.get("source", ""),
        )
    terminal().print(table)
