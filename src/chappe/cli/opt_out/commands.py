"""`chappe optout`: how texts from people are read, and which of their requests to stop are open or overdue."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.opt_out import texts
from chappe.cli.output import print_json, terminal

app = typer.Typer(help="Read what people answer, and see their requests to stop.", no_args_is_help=True)
app.command("texts")(texts.texts)
app.command("resolve")(texts.resolve)


@app.command()
def classify(
    text: Annotated[str, typer.Argument(help="The text; - reads lines from standard input.")],
    language: Annotated[str | None, typer.Option("--language", help="The language to expect (BCP 47).")] = None,
    jurisdiction: Annotated[
        str | None, typer.Option("--jurisdiction", help="Where the person is (ISO 3166), such as FR or US-FL.")
    ] = None,
    keyword: Annotated[
        list[str] | None, typer.Option("--keyword", help="A further word that means an opt-out; may be repeated.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show how a text is read, and why. Needs no server."""
    from chappe.compliance.opt_out import read_reply

    texts = (line.rstrip("\n") for line in sys.stdin) if text == "-" else iter([text])
    for each in texts:
        reply = read_reply(each, language=language, jurisdiction=jurisdiction, extra_keywords=keyword or ())
        document = msgspec.to_builtins(reply) | {"certain": reply.certain}
        if json:
            print_json(document)
        else:
            _show(document)


@app.command("list")
def list_requests(
    person: Annotated[str | None, typer.Option("--person", help="Only of this address.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those met late, or not met although due.")] = False,
    unmet: Annotated[bool, typer.Option("--open", help="Only those that are not met yet.")] = False,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List requests to stop with their deadlines, newest first."""
    flags = {"overdue": "true" if overdue else None, "open": "true" if unmet else None}
    with connect(url, api_key, data) as server:
        found = list(server.entries("/v1/opt-outs", "opt_outs", person=person, **flags))
    if json:
        print_json(found)
        return
    table = Table("received", "person", "channel", "purpose", "by", "due", "honoured")
    for request in found:
        table.add_row(
            request["received_at"],
            next(iter(request["person"].values())),
            request.get("channel", "every"),
            request.get("purpose", "every"),
            request["means"],
            request.get("due_at", ""),
            request.get("honoured_at", "not yet"),
            style="red" if request["overdue"] else "dim" if request.get("lifted_at") else None,
        )
    terminal().print(table)


def _show(reply: dict[str, Any]) -> None:
    screen = terminal()
    intent = reply["intent"]
    doubt = "" if reply["certain"] else "; a person should look at it"
    scope = f", scope {reply['scope']}" if intent in ("opt_out", "opt_in") else ""
    screen.print(f"{intent}{scope}, confidence {reply['confidence']:g}{doubt}", markup=False)
    for piece in reply["evidence"]:
        language = f" ({piece['language']})" if piece.get("language") else ""
        because = f", taken back by {piece['because']!r}" if piece.get("because") else ""
        weight = f" {piece['weight']:g}" if piece["weight"] else ""
        screen.print(f"  {piece['kind']}{language}: {piece['text']!r}{weight}{because}", markup=False)
