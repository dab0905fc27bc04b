"""`chappe classify models`: the models that judge content."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import minute, print_json, terminal
from chappe.model.unreadable import unreadable

app = typer.Typer(
    no_args_is_help=True,
    help="See the models, put one in use or in the shadow of the one in use, and go back.",
    rich_markup_mode=None,
)

VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="The version of a model.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for people.")]


@app.command("list")
def list_models(
    url: UrlOption = None, api_key: KeyOption = None, data: DataOption = None, json: JsonOption = False
) -> None:
    """List the models and the newest changes of what is in use."""
    with connect(url, api_key, data) as server:
        found = server.get("/v1/classify/models")
    if json:
        print_json(found)
        return
    table = Table("", "version", "name", "made on", "words", "from")
    for model in found["models"]:
        mark = "●" if model["in_use"] else "○" if model["in_shadow"] else ""
        origin = "Chappe" if model["packaged"] else "the data folder"
        card = model["card"]
        table.add_row(mark, model["version"], escape(card["name"]), card["made_on"], f"{model['grams']:,}", origin)
    terminal().print(table)
    terminal().print("● in use, ○ in the shadow", style="dim")
    for change in found["history"][:5]:
        at = minute(change["at"])
        in_use = change.get("version", "the packaged model")
        shadow = f", {change['shadow']} in the shadow" if "shadow" in change else ""
        told = f"{at} {change['change']} by {change['by']}: {in_use}{shadow} ({change['reason'] or 'no reason given'})"
        terminal().print(told, markup=False)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model, as `chappe classify train` writes it.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Store a model on the server. Nothing uses it before it is activated."""
    from chappe.classify.artefact import load_model

    load_model(file)  # says what is wrong with the file, if anything
    try:
        document = msgspec.Raw(file.read_bytes())
    except OSError as error:
        raise unreadable(file, error) from error
    with connect(url, api_key, data) as server:
        added = server.post("/v1/classify/models", document)
    if json:
        print_json(added)
    else:
        typer.echo(added["version"])


@app.command()
def activate(
    version: VersionArgument,
    reason: ReasonOption = "activated on the command line",
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Put a model in use. Messages accepted from then on are judged by it."""
    with connect(url, api_key, data) as server:
        _told(server.post(f"/v1/classify/models/{version}/activate", {"reason": reason}), json)


@app.command()
def shadow(
    version: Annotated[str | None, typer.Argument(metavar="VERSION", help="The version of a model.")] = None,
    end: Annotated[bool, typer.Option("--end", help="Take the model out of the shadow.")] = False,
    reason: ReasonOption = "put in the shadow on the command line",
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Let a model judge beside the one in use, deciding nothing. Without a version, show where the two disagree."""
    with connect(url, api_key, data) as server:
        if end:
            server.delete("/v1/classify/shadow")
        elif version is not None:
            _told(server.post(f"/v1/classify/models/{version}/shadow", {"reason": reason}), json)
        else:
            _show_shadow(server.get("/v1/classify/shadow"), json)


@app.command()
def rollback(
    reason: ReasonOption = "rolled back on the command line",
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Return to what was in use before the last change; once more, to what was before that."""
    with connect(url, api_key, data) as server:
        _told(server.post("/v1/classify/models:rollback", {"reason": reason}), json)


def _told(activation: dict[str, Any], json: bool) -> None:
    if json:
        print_json(activation)
        return
    shadow = f", {activation['shadow']} in its shadow" if "shadow" in activation else ""
    typer.echo(f"in use: {activation.get('version', 'the packaged model')}{shadow}")


def _show_shadow(found: dict[str, Any], json: bool) -> None:
    if json:
        print_json(found)
        return
    if "shadow" not in found:
        typer.echo("no model is in the shadow")
        return
    disagreed, compared = found.get("disagreed", 0), found.get("compared", 0)
    typer.echo(f"{found['shadow']} in the shadow of {found['model']}: {disagreed} of {compared} messages differ")
    table = Table("message", "at", "in use", "in the shadow")
    for entry in found.get("disagreements", ()):
        here = f"{entry['label']} ({entry['probability']:.2f})"
        there = f"{entry['shadow_label']} ({entry['shadow_probability']:.2f})"
        table.add_row(entry["message"], entry["at"][:19].replace("T", " "), here, there)
    terminal().print(table)
