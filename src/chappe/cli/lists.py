"""`chappe suppressions` and `chappe consents`: lists of them; single ones are in `chappe.cli.single_entries`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import print_json
from chappe.cli.uploading import import_list

suppressions = typer.Typer(no_args_is_help=True, help="Addresses never to send to.", rich_markup_mode=None)
consents = typer.Typer(no_args_is_help=True, help="What people agreed to.", rich_markup_mode=None)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header line, plain or gzip.")]
DelimiterOption = Annotated[str, typer.Option(help="What separates the cells; tab for a tabulator.")]
AllowBadOption = Annotated[int, typer.Option(min=0, help="How many bad lines to pass over.")]


class Encoding(StrEnum):
    """How a list is encoded."""

    UTF_8 = "utf-8"
    LATIN_1 = "iso-8859-1"
    WINDOWS_1252 = "windows-1252"


EncodingOption = Annotated[Encoding, typer.Option(help="How the text is encoded.")]


@suppressions.callback()
def _suppressions() -> None:
    """Addresses never to send to."""


@consents.callback()
def _consents() -> None:
    """What people agreed to."""


@suppressions.command("import")
def import_suppressions(
    file: FileArgument,
    reason: Annotated[str | None, typer.Option(help="Why, for lines that don't say it.")] = None,
    delimiter: DelimiterOption = ",",
    encoding: EncodingOption = Encoding.UTF_8,
    allow_bad: AllowBadOption = 0,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Suppress every address of a list.

    Columns: email, phone, url or user; channel, purpose and reason where wanted. Every line is checked before anything
    is stored: with more bad ones than --allow-bad nothing is. Addresses that are suppressed in the same way stay as
    they are, so a list can be imported again.
    """
    parameters = parameters_of(delimiter, encoding, allow_bad) | {"reason": reason}
    with connect(url, api_key, data) as server:
        ended = import_list(server, "/v1/suppressions:", file, parameters, json=json)
    tell(ended, "addresses suppressed", json=json)


@consents.command("import")
def import_consents(
    file: FileArgument,
    source: Annotated[str | None, typer.Option(help="Where they were given, for lines that don't say it.")] = None,
    recorded_at: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="When they were given (RFC 3339), for lines that don't say it."),
    ] = None,
    delimiter: DelimiterOption = ",",
    encoding: EncodingOption = Encoding.UTF_8,
    allow_bad: AllowBadOption = 0,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Record every consent of a list.

    Columns: email, phone, url or user; purpose; recorded_at (RFC 3339); granted (true without it), channel, level,
    proof, source, expires_at and how it came about (basis, given_by, wording, confirmed_at and the other details) where
    wanted. Every line is checked before anything is stored: with more bad ones than
    --allow-bad nothing is. What is recorded already is left out, so a list can be imported again.
    """
    parameters = parameters_of(delimiter, encoding, allow_bad) | {"source": source, "recorded_at": recorded_at}
    with connect(url, api_key, data) as server:
        ended = import_list(server, "/v1/consents:", file, parameters, json=json)
    tell(ended, "consents recorded", json=json)


def parameters_of(delimiter: str, encoding: Encoding, allow_bad: int) -> dict[str, Any]:
    """The query parameters that say how a list is written."""
    return {"delimiter": delimiter, "encoding": encoding.value, "allow_bad": allow_bad}


def tell(ended: dict[str, Any], what: str, *, json: bool) -> None:
    """How an import ended."""
    if json:
        print_json(ended)
        return
    lines, changed, bad = ended["lines"], ended["changed"], ended["bad_lines"]
    parts = [f"{changed:,} {what}"]
    if there := lines - changed - bad:
        parts.append(f"{there:,} there already")
    if bad:
        parts.append(f"{bad:,} bad")
    typer.echo(f"{lines:,} {'line' if lines == 1 else 'lines'}: {', '.join(parts)}")
