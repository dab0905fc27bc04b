"""The commands of `chappe rules` about versions: make, compare, try, put in force, take back."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from chappe.cli.connection import DataOption, JsonOption, KeyOption, Server, UrlOption, connect
from chappe.cli.output import messages, print_json, terminal
from chappe.cli.rules.files import message_entries, text_of
from chappe.cli.rules.tables import (
    activation_line,
    change_table,
    comparison_tables,
    decision_table,
    dry_run_table,
    history_table,
    version_table,
    warn,
)
from chappe.model.errors import InvalidInput

_LOOK_INTERVAL_SECONDS = 0.2

VersionArgument = Annotated[int, typer.Argument(metavar="N", min=1, help="The number of a version.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-m", help="Why, for those who read the history.")]


def create(
    reason: ReasonOption,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A rule file. With --base, it holds changes.")
    ] = None,
    base: Annotated[int | None, typer.Option(metavar="N", min=1, help="Change this version.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Leave this rule of the base out. May be repeated.")
    ] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Store rules as a new version. Nothing uses it before it is activated."""
    if file is None and not (base and remove):
        raise InvalidInput("name a rule file, or a base and what to remove from it")
    document = {
        "rules": "" if file is None else text_of([file]),
        "base": base,
        "remove": remove or [],
        "reason": reason,
    }
    with connect(url, api_key, data) as server:
        created = server.post("/v1/rule-sets", document)
    if json:
        print_json(created)
        return
    terminal().print(change_table(created["changes"]))
    typer.echo(f"stored as version {created['rule_set']['version']}, which nothing uses yet")
    warn(created["warnings"])


def versions(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List the versions, newest first."""
    with connect(url, api_key, data) as server:
        found = server.get("/v1/rule-sets", limit=limit)["rule_sets"]
    if json:
        print_json(found)
    else:
        terminal().print(version_table(found))


def diff(
    before: Annotated[int, typer.Argument(metavar="N", min=1, help="From this version ...")],
    after: Annotated[
        int | None, typer.Argument(metavar="M", min=1, help="... to this one. Without it: from the one in force to N.")
    ] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Compare two versions, rule by rule and field by field."""
    with connect(url, api_key, data) as server:
        if after is None:
            found = server.get(f"/v1/rule-sets/{before}/diff")
        else:
            found = server.get(f"/v1/rule-sets/{after}/diff", **{"from": before})
    if json:
        print_json(found)
        return
    terminal().print(change_table(found["changes"]))
    typer.echo(f"{len(found['changes'])} rules differ from version {found['before']} to version {found['after']}")


def dry_run(
    version: VersionArgument,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Messages as for `chappe send`. [default: those that were decided in the last hour]"
        ),
    ] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Decide messages by a version, without effect."""
    path = f"/v1/rule-sets/{version}/dry-run"
    entries = None if file is None else message_entries(file)
    with connect(url, api_key, data) as server:
        if entries is None:
            found = server.post(path, {})["last_hour"]
        else:
            found = server.post(path, {"messages": [entry.document for entry in entries]})["decisions"]
    if json:
        print_json(found)
    elif entries is None:
        _print_comparison(found)
    else:
        terminal().print(dry_run_table([entry.line for entry in entries], found))


def backtest(
    version: VersionArgument,
    days: Annotated[float, typer.Option(min=0, help="How far to look back.")] = 7,
    against: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Compare with this version. [default: with what was decided]"),
    ] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Tell which of the recorded decisions a version would change."""
    since = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    with connect(url, api_key, data) as server:
        begun = server.post(f"/v1/rule-sets/{version}/backtests", {"since": since, "against": against})
        found = _followed(server, begun)
    if json:
        print_json(found)
    else:
        _print_comparison(found["result"])
    if found["status"] != "done":
        messages().print(f"the backtest was {found['status']}: {found.get('error', '')}".rstrip(": "))
        raise typer.Exit(1)


def activate(
    version: VersionArgument,
    reason: ReasonOption,
    jurisdiction: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Only for recipients there, such as EU or US-FL. May be repeated."),
    ] = None,
    percent: Annotated[
        float | None, typer.Option(min=0.01, max=100, help="Only for this share of the recipients, always the same.")
    ] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Put a version in force, for everyone or for some; decisions that are begun from then on are made by it."""
    document = {"reason": reason, "jurisdictions": jurisdiction or [], "percent": percent}
    _activated(f"/v1/rule-sets/{version}/activate", document, url, api_key, data, json)


def rollback(
    reason: ReasonOption,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Return to what was in force before the last activation."""
    _activated("/v1/rule-sets:rollback", {"reason": reason}, url, api_key, data, json)


def history(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List what was in force when, by whom and why, newest first."""
    with connect(url, api_key, data) as server:
        found = server.get("/v1/rule-sets:history", limit=limit)["activations"]
    if json:
        print_json(found)
    else:
        terminal().print(history_table(found))


def _activated(
    path: str, document: dict[str, Any], url: str | None, api_key: str | None, data: Path | None, json: bool
) -> None:
    with connect(url, api_key, data) as server:
        activation = server.post(path, document)
    if json:
        print_json(activation)
    else:
        typer.echo(activation_line(activation))


def _followed(server: Server, backtest: dict[str, Any]) -> dict[str, Any]:
    """The backtest when it has ended, its progress shown on a terminal. An interruption ends it."""
    path = f"/v1/rule-sets/{backtest['version']}/backtests/{backtest['id']}"
    columns = (
        TextColumn("backtest"),
        BarColumn(),
        TextColumn("{task.fields[decisions]} decisions"),
        TimeElapsedColumn(),
    )
    console = messages()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("backtest", total=1.0, decisions=0)
        try:
            while backtest["status"] == "running":
                time.sleep(_LOOK_INTERVAL_SECONDS)
                backtest = server.get(path)
                progress.update(task, completed=backtest["progress"], decisions=backtest["result"]["decisions"])
        except KeyboardInterrupt:
            server.delete(path)
            return dict(server.get(path))
    return backtest


def _print_comparison(found: dict[str, Any]) -> None:
    typer.echo(f"{found['changed']} of {found['decisions']} decisions would change")
    for table in comparison_tables(found):
        terminal().print(table)
    if found["examples"]:
        terminal().print(decision_table(found["examples"]))
    warn(found["warnings"])
