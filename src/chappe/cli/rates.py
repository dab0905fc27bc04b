"""`chappe rates`: how messages fare, for rules that stop sending while a rate is too high."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import print_json, terminal
from chappe.model.errors import InvalidInput

app = typer.Typer(no_args_is_help=True, help="How messages fare, as providers measure it.", rich_markup_mode=None)


@app.callback()
def _rates() -> None:
    """How messages fare, as providers measure it."""


@app.command("add")
def add_rate(
    metric: Annotated[str, typer.Argument(help="What was measured, as rules call it: spam_complaint_rate.")],
    value: Annotated[str, typer.Argument(help="The part of messages: 0.003, or 0.3%.")],
    at: Annotated[str | None, typer.Option(metavar="MOMENT", help="When, if not now (RFC 3339).")] = None,
    sender: Annotated[str | None, typer.Option(help="Of messages whose `from` is this; without it of all.")] = None,
    source: Annotated[str, typer.Option(help="Where it was got, for people.")] = "",
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Record a measurement. Every decision from then on knows it."""
    given = {"metric": metric, "value": _part(value), "at": at, "sender": sender, "source": source}
    with connect(url, api_key, data) as server:
        rate = server.post("/v1/rates", {name: value for name, value in given.items() if value is not None})
    if json:
        print_json(rate)
        return
    rules = ", ".join(rate["asked_for_by"]) or "no rule in force"
    typer.echo(f"{rate['metric']} {rate['value']:.2%}: {rate['id']}, asked for by {rules}")


@app.command("list")
def list_rates(
    metric: Annotated[str | None, typer.Option(help="Only of this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most measurements to show.")] = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List measurements, those recorded last first."""
    with connect(url, api_key, data) as server:
        found = list(server.entries("/v1/rates", "rates", limit, metric=metric))
    if json:
        print_json(found)
        return
    table = Table("id", "at", "metric")
    table.add_column("value", justify="right")
    for column in ("sender", "source", "asked for by"):
        table.add_column(column)
    for rate in found:
        table.add_row(
            rate["id"],
            rate["at"],
            rate["metric"],
            f"{rate['value']:.2%}",
            rate.get("sender", "every"),
            rate.get("source", ""),
            ", ".join(rate["asked_for_by"]),
        )
    terminal().print(table)


@app.command()
def remove(
    rate: Annotated[str, typer.Argument(metavar="ID", help="The measurement's id.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
) -> None:
    """Forget a measurement that was wrong."""
    with connect(url, api_key, data) as server:
        server.delete(f"/v1/rates/{quote(rate, safe='')}")
    typer.echo(f"{rate} is forgotten")


def _part(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise InvalidInput(f"{text!r} is neither a number such as 0.003 nor a percentage such as 0.3%") from None
