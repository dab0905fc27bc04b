"""The commands of `chappe people` about what people have a right to: a copy, erasure, restriction."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, Server, UrlOption, connect
from chappe.cli.output import print_json, terminal
from chappe.model.unreadable import unreadable

WhoArgument = Annotated[
    str, typer.Argument(metavar="WHO", help="Your own id of the person, or an address: ana@example.com, +12025550143.")
]
RequestArgument = Annotated[str, typer.Argument(metavar="REQUEST", help="The request, such as dsr_0123456789abcdef.")]
ReceivedOption = Annotated[
    str | None,
    typer.Option("--received-at", metavar="MOMENT", help="When the person asked, if not now (RFC 3339)."),
]
NoteOption = Annotated[str | None, typer.Option("--note", help="For the record.")]
_POLL_SECONDS = 0.2
_FAILED = 1


def export(
    who: WhoArgument,
    to: Annotated[Path | None, typer.Option("--to", help="Where to write it. [default: REQUEST.zip]")] = None,
    received_at: ReceivedOption = None,
    note: NoteOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Make a copy of everything about a person, and fetch it: a zip of JSON files with a manifest."""
    with connect(url, api_key, data) as server:
        done = _asked(server, who, "export", received_at, note)
        file = to or Path(f"{done['id']}.zip")
        server.download(f"/v1/data-requests/{done['id']}/package", file)
    _tell(done | {"file": str(file)}, json=json)


def erase(
    who: WhoArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask whether that is meant.")] = False,
    received_at: ReceivedOption = None,
    note: NoteOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Erase a person, but for what must be kept by law. Nothing more is sent to the person, and nothing undoes it."""
    if not yes:
        typer.confirm(f"Erase {who}? This cannot be undone", abort=True)
    with connect(url, api_key, data) as server:
        done = _asked(server, who, "erase", received_at, note)
        receipt_of_it = server.get(f"/v1/data-requests/{done['id']}/receipt")
    _tell(done | {"kept": receipt_of_it.get("kept", [])}, json=json)


def restrict(
    who: WhoArgument,
    received_at: ReceivedOption = None,
    note: NoteOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Keep a person's data, but do not use them: every message to the person is blocked."""
    with connect(url, api_key, data) as server:
        _tell(_asked(server, who, "restrict", received_at, note), json=json)


def unrestrict(
    who: WhoArgument,
    received_at: ReceivedOption = None,
    note: NoteOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Take a restriction back."""
    with connect(url, api_key, data) as server:
        _tell(_asked(server, who, "unrestrict", received_at, note), json=json)


def list_requests(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that are not done although due.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="The most requests to show.")] = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List what people asked about their data, with deadlines, newest first."""
    with connect(url, api_key, data) as server:
        found = server.get("/v1/data-requests", limit=limit, overdue="true" if overdue else None)["requests"]
    if json:
        print_json(found)
        return
    table = Table("request", "right", "person", "received", "due", "state")
    for request in found:
        table.add_row(
            request["id"],
            request["right"],
            request.get("person", ""),
            request["received_at"],
            request.get("due_at", ""),
            request["state"],
            style="red" if request.get("overdue") else None,
        )
    terminal().print(table)


def receipt(
    request: RequestArgument, url: UrlOption = None, api_key: KeyOption = None, data: DataOption = None
) -> None:
    """Print the signed receipt of a request, as it is."""
    with connect(url, api_key, data) as server:
        sys.stdout.write(server.text(f"/v1/data-requests/{quote(request, safe='')}/receipt") + "\n")


def extend(
    request: RequestArgument,
    reason: Annotated[str, typer.Option("--reason", help="What the person was told of why it takes longer.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Put the deadline of a request off as far as the rules allow."""
    with connect(url, api_key, data) as server:
        path = f"/v1/data-requests/{quote(request, safe='')}/extend"
        _tell(server.post(path, {"reason": reason}), json=json)


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt.")],
    key: Annotated[
        Path, typer.Option("--key", metavar="FILE", help="A file of the public key, as `chappe audit key` prints it.")
    ],
) -> None:
    """Check that a receipt was signed with a key and has not been changed. Needs no server."""
    from chappe.pipeline.rights.receipts import is_genuine
    from chappe.security.audit_key import public_key_of

    try:
        content, pem = file.read_bytes(), key.read_bytes()
    except OSError as error:
        raise unreadable(str(error.filename), error) from error
    if not is_genuine(content, public_key_of(pem)):
        typer.echo("not genuine: it was changed, or signed with another key", err=True)
        raise typer.Exit(_FAILED)
    typer.echo("genuine")


def _asked(server: Server, who: str, right: str, received_at: str | None, note: str | None) -> dict[str, Any]:
    given = {"received_at": received_at, "note": note}
    document = {name: value for name, value in given.items() if value is not None}
    request: dict[str, Any] = server.post(f"/v1/people/{quote(who, safe=':')}/{right}", document)
    while request["state"] == "open":
        time.sleep(_POLL_SECONDS)
        request = server.get(f"/v1/data-requests/{request['id']}")
    return request


def _tell(request: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(request)
        return
    screen = terminal()
    screen.print(f"{request['id']}: {request['right']} is {request['state']}", markup=False)
    for what, count in request.get("done", {}).items():
        screen.print(f"  {count:,} {what.replace('_', ' ')}", markup=False)
    for kept in request.get("kept", []):
        until = f" until {kept['until']}" if "until" in kept else ""
        rules = f" ({', '.join(kept['rules'])})" if kept.get("rules") else ""
        screen.print(f"  kept{until}: {kept['count']:,} {kept['what']}, {kept['why']}{rules}", markup=False)
    if "file" in request:
        screen.print(f"  in {request['file']}", markup=False)
