"""Sending a list to the server as it is read, and following its import, both with a bar on a terminal."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from chappe.cli.connection import Server
from chappe.cli.output import messages, print_json
from chappe.model.unreadable import unreadable

_CHUNK_BYTES = 256 * 1024
_POLL_SECONDS = 0.2
_GZIP_MAGIC = b"\x1f\x8b"
_FAILED = 1


def import_list(server: Server, path: str, file: Path, parameters: dict[str, Any], *, json: bool) -> dict[str, Any]:
    """Upload a list to `path`/import and wait until its import has ended; how it ended.

    Bad lines are told on standard error. Raises `typer.Exit` if nothing was imported.
    """
    _check_readable(file)
    with _bars(quiet=json) as progress:
        sending = progress.add_task("sending", total=_size_bytes(file))
        media_type = "application/gzip" if _is_gzip(file) else "text/csv"
        ended = server.upload(f"{path}import", _chunks(file, progress, sending), media_type, **parameters)
        progress.remove_task(sending)
        task = progress.add_task(ended["step"], total=None)
        follow = f"{path.rstrip(':/')}/imports/{ended['id']}"
        while ended["status"] in ("waiting", "running"):
            progress.update(task, description=ended["step"], completed=ended["done"], total=ended["total"] or None)
            time.sleep(_POLL_SECONDS)
            ended = server.get(follow)
    _tell_bad_lines(ended)
    if ended["status"] != "done":
        if json:
            print_json(ended)
        messages().print(f"chappe: error [{ended.get('code')}]: {ended.get('reason')}", markup=False)
        raise typer.Exit(_FAILED)
    result: dict[str, Any] = ended
    return result


def tell_import(ended: dict[str, Any], what: str, *, json: bool) -> None:
    """Say how an import of entries ended. `what` became of them: `consents recorded`."""
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


def _tell_bad_lines(ended: dict[str, Any]) -> None:
    console = messages()
    for bad in ended["bad"]:
        console.print(f"line {bad['line']}: {bad['reason']}", markup=False)
    more = ended["bad_lines"] - len(ended["bad"])
    if more:
        console.print(f"and {more} more bad {'line' if more == 1 else 'lines'}")


def _chunks(file: Path, progress: Progress, task: TaskID) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
            progress.advance(task, len(chunk))


def _check_readable(file: Path) -> None:
    """Raises `InvalidConfiguration`. A pipe is not opened: what is read of it is gone."""
    try:
        if file.is_file():
            file.open("rb").close()
        elif stat.S_ISDIR(file.stat().st_mode):
            raise IsADirectoryError
    except OSError as error:
        raise unreadable(file, error) from error


def _size_bytes(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None


def _is_gzip(file: Path) -> bool:
    if not file.is_file():
        return False  # a pipe would lose what is read here
    with file.open("rb") as stream:
        return stream.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC


def _bars(*, quiet: bool) -> Progress:
    console = messages()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
        transient=True,
    )
