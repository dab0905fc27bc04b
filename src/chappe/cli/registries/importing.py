"""`chappe registries import`: a list as the next version of a registry."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.list_options import AllowBadOption, DelimiterOption, Encoding, EncodingOption, layout_parameters
from chappe.cli.output import print_json
from chappe.cli.registries.naming import RegistryArgument, path_of
from chappe.cli.uploading import import_list

_COLUMN = " Its name, or its position from 1 on."


class Digest(StrEnum):
    """How a list hides whom it names."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"


class Operation(StrEnum):
    """What to do with the entries of a delta."""

    ADD = "add"
    REMOVE = "remove"


DeltaOption = Annotated[
    bool, typer.Option("--delta", help="The list says what changed. Otherwise it replaces what there is.")
]
OperationOption = Annotated[Operation, typer.Option(help="What to do with the entries of a delta that don't say it.")]
AsOfOption = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="The moment whose state the list shows (RFC 3339).")
]
SourceOption = Annotated[str | None, typer.Option(help="Where it was got, for people.")]
RegionOption = Annotated[
    str | None,
    typer.Option(
        help="Where numbers without a country code are dialled (ISO 3166), such as US. By default in the country "
        "of the registry."
    ),
]
DigestOption = Annotated[
    Digest | None,
    typer.Option(help="The list holds digests of numbers or mail addresses; for registries that are mixed."),
]
AddressColumn = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help=f"The column of numbers or addresses; joined with + for several.{_COLUMN}"),
]
CategoryColumn = Annotated[
    str | None, typer.Option(metavar="COLUMN", help=f"The column of the registry's categories.{_COLUMN}")
]
SinceColumn = Annotated[
    str | None, typer.Option(metavar="COLUMN", help=f"The column of when the entry was made.{_COLUMN}")
]
UntilColumn = Annotated[str | None, typer.Option(metavar="COLUMN", help=f"The column of when the entry ends.{_COLUMN}")]
OperationColumn = Annotated[
    str | None, typer.Option(metavar="COLUMN", help=f"The column of add or remove, in a delta.{_COLUMN}")
]
DateFormatOption = Annotated[str | None, typer.Option(help="How dates are written, as for strptime.")]
HeaderOption = Annotated[bool, typer.Option("--header/--no-header", help="Whether the first line names columns.")]


def import_registry(
    registry: RegistryArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list: CSV, plain or gzip.")],
    delta: DeltaOption = False,
    operation: OperationOption = Operation.ADD,
    as_of: AsOfOption = None,
    source: SourceOption = None,
    region: RegionOption = None,
    digest: DigestOption = None,
    address: AddressColumn = None,
    category: CategoryColumn = None,
    since: SinceColumn = None,
    until: UntilColumn = None,
    operation_column: OperationColumn = None,
    date_format: DateFormatOption = None,
    header: HeaderOption = True,
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
        path = path_of(registry)
        ended = import_list(server, f"{path}/", file, parameters, json=json)
        version = server.get(path)["versions"][0]
    if json:
        print_json({"import": ended, "version": version})
        return
    changes = f"{version['added']:,} added, {version['removed']:,} removed" if delta else f"{ended['lines']:,} lines"
    typer.echo(f"version {version['version']} is in use: {version['listings']:,} entries ({changes})")
