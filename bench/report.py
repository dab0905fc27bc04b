"""Figures as tables on the terminal and as JSON in a file."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figure import Figure, Target

RESULTS = Path(__file__).parent / "results"


def show(console: Console, figure: Figure) -> None:
    """Print one figure: its rows, its targets with what was measured, its notes."""
    if figure.rows:
        table = Table(title=f"({figure.letter}) {figure.title}", title_justify="left")
        for name in figure.rows[0]:
            table.add_column(name, justify="left" if isinstance(figure.rows[0][name], str) else "right")
        for row in figure.rows:
            table.add_row(*[_cell(value) for value in row.values()])
        console.print(table)
    for target in figure.targets:
        console.print(_verdict(target), highlight=False)
    for note in figure.notes:
        console.print(f"  {note}", style="dim", highlight=False)
    console.print()


def save(figures: list[Figure], machine: dict[str, Any], *, quick: bool) -> Path:
    """Write a run to `results/`, named by its time, and as `latest.json`; the path of the former."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    document = {
        "at": now.isoformat(timespec="seconds"),
        "quick": quick,
        "machine": machine,
        "figures": [_plain(figure) for figure in figures],
    }
    text = json.dumps(document, indent=2) + "\n"
    path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    for target in (path, RESULTS / "latest.json"):
        target.write_text(text)
    return path


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 200 else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def _verdict(target: Target) -> str:
    relation = "at most" if target.at_most else "at least"
    word = "[green]met[/green]" if target.met else "[red]missed[/red]"
    return (
        f"  {word}: {target.what}: {_cell(target.measured)}, target {relation} {_cell(target.target)} "
        f"({target.ratio:.2f} of it)"
    )


def _plain(figure: Figure) -> dict[str, Any]:
    return {
        "figure": figure.letter,
        "title": figure.title,
        "rows": figure.rows,
        "targets": [
            {
                "what": target.what,
                "target": target.target,
                "bound": "at most" if target.at_most else "at least",
                "measured": target.measured,
                "met": target.met,
                "ratio": round(target.ratio, 4),
            }
            for target in figure.targets
        ],
        "notes": figure.notes,
    }
