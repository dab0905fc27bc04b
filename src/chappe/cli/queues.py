"""`chappe queues`: the queues of a server and how full they are."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import print_json, terminal


def queues(
    prefix: Annotated[str, typer.Argument(help="Only queues whose names start so.")] = "",
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List queues with how many messages are ready, in flight and delayed."""
    with connect(url, api_key, data) as server:
        found = list(server.entries("/v1/queues", "queues", prefix=prefix or None))
    if json:
        print_json(found)
        return
    table = Table("queue", "kind")
    for column in ("ready", "in flight", "delayed"):
        table.add_column(column, justify="right")
    for queue in found:
        counts = [queue["ready"], queue["in_flight"], queue["delayed"]]
        table.add_row(
            queue["name"],
            "FIFO" if queue["fifo"] else "standard",
            *map(str, counts),
            style=None if any(counts) else "dim",
        )
    terminal().print(table)
