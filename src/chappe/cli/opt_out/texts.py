"""`chappe optout texts` and `chappe optout resolve`: what people answered, and what is made of uncertain texts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import print_json, terminal


class Meaning(StrEnum):
    """What an uncertain text means."""

    OPT_OUT = "opt_out"
    NONE = "none"


class Scope(StrEnum):
    """What an opt-out is about."""

    ALL = "all"
    CHANNEL = "channel"
    PROMOTIONAL = "promotional"


def texts(
    review: Annotated[bool, typer.Option("--review", help="Only those that a person has to look at.")] = False,
    person: Annotated[str | None, typer.Option("--person", help="Only from this address.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most texts to show.")] = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List what people answered and how it was read, newest first."""
    parameters = {"from": person, "review": "true" if review else None}
    with connect(url, api_key, data) as server:
        found = list(server.entries("/v1/inbound", "messages", limit, **parameters))
    if json:
        print_json(found)
        return
    table = Table("id", "received", "from", "channel", "text", "read as")
    table.add_column("sure", justify="right")
    table.add_column("review")
    for text in found:
        table.add_row(
            text["id"],
            text["received_at"],
            next(iter(text["from"].values())),
            text["channel"],
            " ".join(text["text"].split()),
            text["intent"],
            f"{text['confidence']:.0%}",
            text.get("review", ""),
        )
    terminal().print(table)


def resolve(
    text: Annotated[str, typer.Argument(metavar="ID", help="The text's id.")],
    meaning: Annotated[Meaning, typer.Argument(help="What it means; none lifts what was suppressed meanwhile.")],
    scope: Annotated[Scope, typer.Option(help="What the opt-out is about.")] = Scope.CHANNEL,
    note: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Settle an uncertain text: carry it out as a request to stop, or let it be."""
    document = {"intent": meaning.value, "scope": scope.value} | ({} if note is None else {"note": note})
    with connect(url, api_key, data) as server:
        settled = server.post(f"/v1/inbound/{quote(text, safe='')}/resolve", document)
    if json:
        print_json(settled)
    else:
        done = "carried out as a request to stop" if meaning is Meaning.OPT_OUT else "let be"
        typer.echo(f"{settled['id']}: {done}")
