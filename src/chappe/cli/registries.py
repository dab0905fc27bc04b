"""`chappe registries`: lists of numbers and addresses that others keep, imported and asked."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.list_options import AllowBadOption, DelimiterOption, Encoding, EncodingOption, layout_parameters
from chappe.cli.output import minute, print_json, terminal
from chappe.cli.uploading import import_list
from chappe.model.registry import RegistryKind, registry_id

app = typer.Typer(
    no_args_is_help=True,
    help="Keep do-not-call lists, consent registers and the like, and look numbers and addresses up.",
    rich_markup_mode=None,
)

RegistryArgument = Annotated[str, typer.Argument(metavar="REGISTRY", help="The registry's name or id.")]
_COLUMN = " Its name, or its position from 1 on."


class Form(StrEnum):
    """What a registry lists."""

    NUMBERS = "numbers"
    ADDRESSES = "addresses"
    MIXED = "mixed"


class Digest(StrEnum):
    """How a list hides whom it names."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"


class Operation(StrEnum):
    """What to do with the entries of a delta."""

    ADD = "add"
    REMOVE = "remove"


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


@app.command("import")
def import_registry(
    registry: RegistryArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list: CSV, plain or gzip.")],
    delta: Annotated[
        bool, typer.Option("--delta", help="The list says what changed. Otherwise it replaces what there is.")
    ] = False,
    operation: Annotated[
        Operation, typer.Option(help="What to do with the entries of a delta that don't say it.")
    ] = Operation.ADD,
    as_of: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="The moment whose state the list shows (RFC 3339).")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Where it was got, for people.")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            help="Where numbers without a country code are dialled (ISO 3166), such as US. By default in the country "
            "of the registry."
        ),
    ] = None,
    digest: Annotated[
        Digest | None,
        typer.Option(help="The list holds digests of numbers or mail addresses; for registries that are mixed."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help=f"The column of numbers or addresses; joined with + for several.{_COLUMN}"),
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="COLUMN", help=f"The column of the registry's categories.{_COLUMN}")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="COLUMN", help=f"The column of when the entry was made.{_COLUMN}")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="COLUMN", help=f"The column of when the entry ends.{_COLUMN}")
    ] = None,
    operation_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help=f"The column of add or remove, in a delta.{_COLUMN}")
    ] = None,
    date_format: Annotated[str | None, typer.Option(help="How dates are written, as for strptime.")] = None,
    header: Annotated[bool, typer.Option("--header/--no-header", help="Whether the first line names columns.")] = True,
    delimiter: DelimiterOption = ",",
    encoding: EncodingOption = Encoding.UTF_8,
    allow_bad: AllowBadOption = 0,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Import a list as the next version of a registry, in use at once.

    Bad lines are told with their number and reason. With more than --allow-bad of them nothing is changed, and the exit
    code is 1.
    """
    parameters: dict[str, Any] = {
        "mode": "delta" if delta else "full",
        "operation": operation.value,
        "as_of": as_of,
        "source": source,
        "region": region,
        "digest": None if digest is None else digest.value,
        "address": address,
        "category": category,
        "since": since,
        "until": until,
        "operation_column": operation_column,
        "date_format": date_format,
        "header": "true" if header else "false",
        **layout_parameters(delimiter, encoding, allow_bad),
    }
    with connect(url, api_key, data) as server:
        path = _path(registry)
        ended = import_list(server, f"{path}/", file, parameters, json=json)
        version = server.get(path)["versions"][0]
    if json:
        print_json({"import": ended, "version": version})
        return
    changes = f"{version['added']:,} added, {version['removed']:,} removed" if delta else f"{ended['lines']:,} lines"
    typer.echo(f"version {version['version']} is in use: {version['listings']:,} entries ({changes})")


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
        found = server.get(_path(registry))
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
        found = server.get(f"{_path(registry)}/lookup", to=address)
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
        activated = server.post(f"{_path(registry)}/activate", {"version": version})
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
        server.delete(_path(registry))
    if json:
        print_json({"deleted": registry_id(registry)})
    else:
        typer.echo(f"deleted {registry_id(registry)}")


def _path(registry: str) -> str:
    return f"/v1/registries/{quote(registry_id(registry), safe='')}"


def _summary(active: dict[str, Any]) -> tuple[str, str, str]:
    return str(active["version"]), f"{active['listings']:,}", minute(active["as_of"])
