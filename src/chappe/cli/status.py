"""`chappe status`: where a message stands and how it came there."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import STATUS_STYLES, print_json, terminal


def status(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Draw the timeline of a message: every state and attempt."""
    with connect(url, api_key, data) as server:
        path = f"/v1/messages/{quote(message_id, safe='')}"
        message, timeline = server.get(path), server.get(f"{path}/timeline")
    if json:
        print_json({"message": message, "timeline": timeline})
    else:
        terminal().print(drawing(message, timeline))


def drawing(message: dict[str, Any], timeline: dict[str, Any]) -> Group:
    return Group(Text(str(message)), Tree(str(timeline)))


_ = STATUS_STYLES
