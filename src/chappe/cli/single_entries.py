"""Suppressions and consents one at a time: the commands `add`, `list` and `remove` of each."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import print_json, terminal
from chappe.model.customer import Channel, Purpose

AddressArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="ana@example.com, +12025550143, a URL, or user:ana.")
]
AddressOption = Annotated[str | None, typer.Option("--address", help="Only of this address.")]
LimitOption = Annotated[int, typer.Option(min=1, help="The most entries to show.")]
_PAGE = 500


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
        _tell(server.post("/v1/suppressions", _said(given)), "suppressed", json=json)


def list_suppressions(
    address: AddressOption = None,
    limit: LimitOption = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List suppressions, newest first."""
    with connect(url, api_key, data) as server:
        pages = server.pages("/v1/suppressions", to=address, limit=min(limit, _PAGE))
        found = list(islice((entry for page in pages for entry in page["suppressions"]), limit))
    if json:
        print_json(found)
        return
    table = Table("id", "address", "channel", "purpose", "since", "reason")
    for entry in found:
        row = (entry.get("channel", "every"), entry.get("purpose", "every"), entry["created_at"], entry["reason"])
        table.add_row(entry["id"], next(iter(entry["to"].values())), *row)
    terminal().print(table)


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
        _tell(server.post("/v1/consents", _said(given)), "recorded", json=json)


def list_consents(
    address: AddressOption = None,
    limit: LimitOption = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List consent records, newest first."""
    with connect(url, api_key, data) as server:
        pages = server.pages("/v1/consents", person=address, limit=min(limit, _PAGE))
        found = list(islice((entry for page in pages for entry in page["consents"]), limit))
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


def add_to(suppressions: typer.Typer, consents: typer.Typer) -> None:
    """Add these commands to those for lists."""
    suppressions.command("add")(add_suppression)
    suppressions.command("list")(list_suppressions)
    suppressions.command("remove")(remove_suppression)
    consents.command("add")(add_consent)
    consents.command("list")(list_consents)


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


def _said(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _tell(entry: dict[str, Any], done: str, *, json: bool) -> None:
    if json:
        print_json(entry)
    else:
        typer.echo(f"{done}: {entry['id']}")
