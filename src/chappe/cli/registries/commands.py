"""`chappe registries`: lists of numbers and addresses that others keep, imported and asked."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import minute, print_json, terminal
from chappe.cli.registries import importing
from chappe.cli.registries.naming import RegistryArgument, path_of
from chappe.model.registry import RegistryKind, registry_id

app = typer.Typer(
    no_args_is_help=True,
    help="Keep do-not-call lists, consent registers and the like, and look numbers and addresses up.",
    rich_markup_mode=None,
)


class Form(StrEnum):
    """What a registry lists."""

    NUMBERS = "numbers"
    ADDRESSES = "addresses"
    MIXED = "mixed"


@app.command("list")
def list_registries(
    url: UrlOption = None, api_key: KeyOption = None, data: DataOption = None, json: JsonOption = False
) -> None:
    """List the registries with how many entries they have and how old they are."""
    with connect(url, api_key, data) as server:
        found = list(server.entries("/v1/registries", "registries"))
    if json:
        print_json(found)
        return
    table = Table("id", "name", "kind", "lists", "place", "version")
    table.add_column("entries", justify="right")
    table.add_column("as of")
    for registry in found:
        active = registry.get("active")
        version, entries, as_of = ("-", "-", "no data") if active is None else _summary(active)
        place, kind = registry["jurisdiction"], registry["kind"]
        table.add_row(registry["id"], registry["name"], kind, registry["form"], place, version, entries, as_of)
    terminal().print(table)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help='As rules name it, for example "US National DNC".')],
    kind: Annotated[RegistryKind, typer.Option(help="What it means to be listed.")] = RegistryKind.DO_NOT_CALL,
    form: Annotated[Form, typer.Option(help="What it lists.")] = Form.NUMBERS,
    jurisdiction: Annotated[str, typer.Option(help="ISO 3166 code; * is the whole world.")] = "*",
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Make a registry. It has no data until a list is imported."""
    with connect(url, api_key, data) as server:
        document = {"name": name, "kind": kind.value, "form": form.value, "jurisdiction": jurisdiction}
        made = server.post("/v1/registries", document)
    if json:
        print_json(made)
    else:
        typer.echo(made["id"])


app.command("import")(importing.import_registry)


@app.command()
def show(
    registry: RegistryArgument,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show a registry with its versions; the one in use is marked."""
    with connect(url, api_key, data) as server:
        found = server.get(path_of(registry))
    if json:
        print_json(found)
        return
    table = Table("", "version", "mode", "as of", "imported", title=f"{found['name']} ({found['id']})")
    for column in ("entries", "added", "removed", "bad lines", "MB"):
        table.add_column(column, justify="right")
    table.add_column("source")
    for version in found["versions"]:
        active = version["version"] == found.get("active_version")
        counts = [f"{version[name]:,}" for name in ("listings", "added", "removed", "bad_lines")]
        times = [minute(version[name]) for name in ("as_of", "imported_at")]
        size = f"{version['file_bytes'] / 1e6:,.1f}" if version["kept"] else "-"
        table.add_row(
            "●" if active else "",
            str(version["version"]),
            version["mode"],
            *times,
            *counts,
            size,
            version["source"],
            style=None if version["kept"] else "dim",
        )
    terminal().print(table)


@app.command()
def lookup(
    registry: RegistryArgument,
    address: Annotated[str, typer.Argument(help="A number such as +12025550143, or a mail address.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Look one number or address up."""
    with connect(url, api_key, data) as server:
        found = server.get(f"{path_of(registry)}/lookup", to=address)
    if json:
        print_json(found)
        return
    if found["listed"] is None:
        typer.echo("unknown: the registry has no data for such addresses")
        return
    age = f"as of {minute(found['as_of'])}, {found['age_days']:g} days old"
    typer.echo(f"{'listed' if found['listed'] else 'not listed'} ({age})")
    for entry in found["listings"]:
        told = [f"{name} {entry[name]}" for name in ("category", "since", "until") if name in entry]
        if told:
            typer.echo(f"  {', '.join(told)}")


@app.command()
def activate(
    registry: RegistryArgument,
    version: Annotated[int, typer.Argument(min=1, help="The version to use.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Use another version of a registry, such as the one before."""
    with connect(url, api_key, data) as server:
        activated = server.post(f"{path_of(registry)}/activate", {"version": version})
    if json:
        print_json(activated)
    else:
        typer.echo(f"version {activated['version']} is in use: {activated['listings']:,} entries")


@app.command()
def delete(
    registry: RegistryArgument,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a registry with all its versions. Rules that ask it learn that it does not know."""
    with connect(url, api_key, data) as server:
        server.delete(path_of(registry))
    if json:
        print_json({"deleted": registry_id(registry)})
    else:
        typer.echo(f"deleted {registry_id(registry)}")


def _summary(active: dict[str, Any]) -> tuple[str, str, str]:
    return str(active["version"]), f"{active['listings']:,}", minute(active["as_of"])
