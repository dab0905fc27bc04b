"""`chappe people`: who people are, what they chose, and what they have a right to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
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
from chappe.cli.people import data_requests
from chappe.cli.uploading import import_list, tell_import
from chappe.model.errors import InvalidInput
from chappe.model.unreadable import unreadable

app = typer.Typer(no_args_is_help=True, help="Who people are and what they chose.", rich_markup_mode=None)
PersonArgument = Annotated[str, typer.Argument(metavar="ID", help="Your own id of the person.")]
_STDIN = "-"


app.command("export")(data_requests.export)
app.command("erase")(data_requests.erase)
app.command("restrict")(data_requests.restrict)
app.command("unrestrict")(data_requests.unrestrict)
app.command("requests")(data_requests.list_requests)
app.command("receipt")(data_requests.receipt)
app.command("extend")(data_requests.extend)
app.command("verify")(data_requests.verify)


@app.callback()
def _people() -> None:
    """Who people are and what they chose."""


@app.command("list")
def list_people(
    address: Annotated[str | None, typer.Option("--address", help="Only whom this address belongs to.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="The most people to show.")] = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List people, newest first."""
    with connect(url, api_key, data) as server:
        found = server.get("/v1/people", address=address, limit=limit)["people"]
    if json:
        print_json(found)
        return
    table = Table("id", "addresses", "lives in", "language", "restricted since")
    for person in found:
        place = "-".join(part for part in (person.get("country"), person.get("region")) if part)
        addresses = ", ".join(next(iter(entry.values())) for entry in person["addresses"])
        table.add_row(person["id"], addresses, place, person.get("language", ""), person.get("restricted_since", ""))
    terminal().print(table)


@app.command()
def show(
    person: data_requests.WhoArgument,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show everything that is stored of a person."""
    with connect(url, api_key, data) as server:
        _show(server.get(path_of(person)), json=json)


@app.command("put")
def put_person(
    person: PersonArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A JSON object as for PUT /v1/people/ID; - for stdin.")],
    change: Annotated[bool, typer.Option("--change", help="Change only what the file names; null takes away.")] = False,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Store a person, or change what is stored."""
    document = _document(file)
    with connect(url, api_key, data) as server:
        stored = (server.patch if change else server.put)(path_of(person), document)
    _show(stored, json=json)


@app.command()
def remove(person: PersonArgument, url: UrlOption = None, api_key: KeyOption = None, data: DataOption = None) -> None:
    """Forget a profile. Consents, suppressions and messages stay."""
    with connect(url, api_key, data) as server:
        server.delete(path_of(person))
    typer.echo(f"{person} is forgotten")


@app.command("import")
def import_people(
    file: FileArgument,
    delimiter: DelimiterOption = ",",
    encoding: EncodingOption = Encoding.UTF_8,
    allow_bad: AllowBadOption = 0,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Store every person of a list.

    Columns: id; email, phone, url and user (several in one cell separated by semicolons); country, region, postcode,
    time_zone, language, birth_date and the other fields of a person where wanted; wishes as yes or no in columns such
    as email.promotional or any.promotional. A person takes the place of what was stored under the id, and an address
    goes to whom the later line names. Every line is checked before anything is stored.
    """
    with connect(url, api_key, data) as server:
        ended = import_list(server, "/v1/people:", file, layout_parameters(delimiter, encoding, allow_bad), json=json)
    tell_import(ended, "people stored", json=json)


def path_of(person: str) -> str:
    """Where a person is in the API."""
    return f"/v1/people/{quote(person, safe='')}"


def _document(file: str) -> dict[str, Any]:
    try:
        content = sys.stdin.buffer.read() if file == _STDIN else Path(file).read_bytes()
        document = msgspec.json.decode(content)
    except OSError as error:
        raise unreadable(file, error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is not JSON: {error}", path=file) from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{file} holds no JSON object", path=file)
    return document


def _show(person: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(person)
        return
    table = Table(show_header=False)
    for name, value in person.items():
        shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        table.add_row(name, shown)
    terminal().print(table)
