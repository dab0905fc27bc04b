"""`chappe doctor`: what a data folder holds and whether it is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, data_folder
from chappe.cli.output import messages, print_json, terminal

if TYPE_CHECKING:
    from chappe.engine.embedded.doctor import Report

_STYLES = {"note": "dim", "warning": "yellow", "damage": "bold red"}
_DAMAGED = 1


def doctor(data: DataOption = None, json: JsonOption = False) -> None:
    """Check a data folder and say what was found. Changes nothing; a server may be running on it, but should not be
    started meanwhile.

    The exit code is 1 if anything is damaged.
    """
    report = _examined(data_folder(data), quiet=json)
    if json:
        print_json({**_document(report), "healthy": report.healthy})
    else:
        _print(report)
    if not report.healthy:
        raise typer.Exit(_DAMAGED)


def _examined(folder: Path, *, quiet: bool) -> Report:
    # Loaded here so that the other commands need not load the server.
    from chappe.app import examine_folder

    console = messages()
    columns = (TextColumn("examining {task.description}"), BarColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("files", total=None)

        def show(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        return examine_folder(folder, show)


def _print(report: Report) -> None:
    console = terminal()
    figures = Table("figure")
    figures.add_column("value", justify="right")
    for name, value in report.figures.items():
        figures.add_row(name.replace("_", " "), f"{value:,}".replace(",", " "))
    console.print(f"Data folder {report.folder}", markup=False)
    if report.figures:
        console.print(figures)
    for finding in report.findings:
        console.print(f"{finding.level}: {finding.where}: {finding.what}", style=_STYLES[finding.level], markup=False)
        if finding.advice:
            console.print(f"  {finding.advice}", markup=False)
    console.print("Nothing is damaged." if report.healthy else "Something is damaged.", style="bold")


def _document(report: Report) -> dict[str, object]:
    return {"folder": report.folder, "figures": report.figures, "findings": report.findings}
