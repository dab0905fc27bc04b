"""`chappe audit list` and `show`: decisions on record, as a server knows them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import msgspec
import typer
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import print_json, terminal


def list_decisions(
    message: Annotated[str | None, typer.Option(metavar="ID", help="Only about this message.")] = None,
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Only about messages to this address.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only with this outcome: allow, defer or block.")] = None,
    rule: Annotated[str | None, typer.Option(metavar="ID", help="Only those in which this rule applied.")] = None,
    since: Annotated[str | None, typer.Option(metavar="MOMENT", help="Only from this moment on (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option(metavar="MOMENT", help="Only before this moment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Most decisions to show.")] = 50,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List decisions on record, newest first."""
    with connect(url, api_key, data) as server:
        found = list(
            server.entries(
                "/v1/decisions",
                "decisions",
                limit,
                message=message,
                to=to,
                outcome=outcome,
                rule=rule,
                since=since,
                until=until,
            )
        )
    if json:
        print_json(found)
        return
    table = Table("id", "at", "message", "stage", "outcome", "jurisdiction", "because of")
    for entry in found:
        decision = entry["decision"]
        because = ", ".join(r["id"] for r in decision["rules"] if r["outcome"] == decision["outcome"] != "allow")
        table.add_row(
            entry["id"],
            entry["at"],
            entry["message"],
            entry["stage"],
            decision["outcome"],
            entry.get("jurisdiction", ""),
            because,
        )
    terminal().print(table)


def show(
    decision_id: Annotated[str, typer.Argument(metavar="ID", help="The decision's id, as `chappe audit list` has it.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show a decision, what it was made from, and whether it is signed already."""
    with connect(url, api_key, data) as server:
        details = server.get(f"/v1/decisions/{quote(decision_id, safe='')}")
    if json:
        print_json(details)
        return
    entry, evidence, proof = details["decision"], details["evidence"], details["proof"]
    decision = entry["decision"]
    console = terminal()
    console.print(f"{entry['id']} {entry['stage']} {entry['at']}", style="bold", markup=False)
    console.print(f"{entry['purpose']} {entry['channel']} {entry['message']}", markup=False)
    console.print(f"{decision['outcome']}, rule set {decision['rule_set']}", markup=False)
    for rule in decision["rules"]:
        console.print(f"  {rule['id']}: {rule['outcome']}: {rule['reason']}", style="dim", markup=False)
    told = "erased with the person's data" if evidence is None else msgspec.json.encode(evidence).decode()
    console.print(f"evidence: {told}", markup=False)
    signed = "not signed yet" if proof is None else f"signed with {proof['checkpoint'].splitlines()[1]} records"
    console.print(f"hash {entry['hash']}, {signed}", markup=False)
