"""`chappe keys`: credentials in a data folder. A running server heeds changes within a second."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, config_file, data_folder
from chappe.cli.output import print_json, terminal
from chappe.model.errors import InvalidInput, NotFound
from chappe.security.keys import AccessKey, ApiKey, KeyStore

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke credentials.", rich_markup_mode=None)


class Kind(StrEnum):
    """What a key opens: the REST API, or the AWS APIs."""

    API = "api"
    ACCESS = "access"


@app.command()
def create(
    name: Annotated[str, typer.Option(help="A name to tell it by in lists.")] = "",
    kind: Annotated[Kind, typer.Option(help="api: for REST; access: for the AWS APIs.")] = Kind.API,
    account: Annotated[
        str | None,
        typer.Option(
            metavar="DIGITS",
            help="Account of an access key; it sees the queues of this account. [default: that of the first key]",
        ),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key and print it. An API key cannot be shown again later."""
    store = _store(data)
    if kind is Kind.ACCESS:
        access = store.create_access_key(name, account=account or _usual_account(store))
        shown = {"AWS_ACCESS_KEY_ID": access.id, "AWS_SECRET_ACCESS_KEY": access.secret}
        described = {**_described(access), "secret": access.secret}
    elif account is not None:
        raise InvalidInput("--account is for access keys: add --kind access")
    else:
        key, token = store.create_api_key(name)
        shown = {"CHAPPE_API_KEY": token}
        described = {**_described(key), "token": token}
    if json:
        print_json(described)
        return
    for variable, value in shown.items():
        typer.echo(f"export {variable}={value}")


@app.command("list")
def list_keys(data: DataOption = None, json: JsonOption = False) -> None:
    """List the keys, without what is secret in them."""
    store = _store(data)
    keys = [*map(_described, store.access_keys()), *map(_described, store.api_keys())]
    if json:
        print_json(keys)
        return
    table = Table("id", "kind", "name", "created")
    for key in keys:
        table.add_row(key["id"], key["kind"], key["name"], f"{key['created_at']:%Y-%m-%d %H:%M} UTC")
    terminal().print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `chappe keys list` shows it.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Take a key away; it is refused from then on."""
    key = _store(data).revoke(key_id)
    if json:
        print_json(_described(key))
    else:
        typer.echo(f"revoked {key.id}")


def _store(data: Path | None) -> KeyStore:
    folder = data_folder(data)
    if not folder.is_dir():
        raise NotFound(f"there is no data folder {folder}; `chappe serve --data {folder}` makes it", path=str(folder))
    return KeyStore(folder)


def _usual_account(store: KeyStore) -> str:
    """The account whose queues the keys so far see; before the first key, the configured one."""
    for key in store.access_keys():
        return key.account
    from chappe.config import AwsSettings, load_section  # takes its time, and is rarely needed

    return load_section("aws", AwsSettings, config_file()).account


def _described(key: AccessKey | ApiKey) -> dict[str, Any]:
    kind = Kind.ACCESS if isinstance(key, AccessKey) else Kind.API
    account = {"account": key.account} if isinstance(key, AccessKey) else {}
    return {"id": key.id, "kind": kind.value, "name": key.name, "created_at": key.created_at, **account}
