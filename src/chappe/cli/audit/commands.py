"""`chappe audit`: verify the audit log, ask it in SQL, prove what is in it. On a data folder, server or no server.

`list`, `show` and `holds` ask a server instead.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from chappe.cli.audit import decisions, holds
from chappe.cli.connection import DataOption, JsonOption, data_folder
from chappe.cli.output import messages, print_json, terminal
from chappe.model.errors import InvalidInput, NotFound
from chappe.model.unreadable import unreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from chappe.observe.audit.checking import Verification
    from chappe.observe.audit.notes import Checkpoint
    from chappe.observe.audit.storage import AuditStorage

app = typer.Typer(
    no_args_is_help=True,
    help="Verify the audit log, ask it in SQL, prove what is in it.",
    rich_markup_mode=None,
)
app.add_typer(holds.app, name="holds")

_UNSOUND = 1
PublicKeyOption = Annotated[
    Path | None,
    typer.Option("--public-key", metavar="FILE", help="Public key in PEM form. [default: of the folder's own key]"),
]


@app.command()
def verify(
    checkpoints: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A copy of the file `audit/checkpoints` that was kept elsewhere."),
    ] = None,
    public_key: PublicKeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Check every record of the log: that none was changed, dropped, inserted or moved, and that its end is there.

    The exit code is 1 if anything is wrong.
    """
    from chappe.observe.audit.checking import verify as verify_log

    folder = data_folder(data)
    kept_elsewhere = [] if checkpoints is None else _checkpoints_in(checkpoints)
    console = messages()
    columns = (TextColumn("verifying {task.description}"), BarColumn())
    with (
        _storage(folder) as storage,
        Progress(*columns, console=console, transient=True, disable=json or not console.is_terminal) as progress,
    ):
        task = progress.add_task("records", total=None)
        verification = verify_log(
            storage,
            _public_key(folder, public_key),
            more_checkpoints=kept_elsewhere,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if json:
        print_json({**msgspec.structs.asdict(verification), "sound": verification.sound})
    else:
        _print_verification(verification)
    if not verification.sound:
        raise typer.Exit(_UNSOUND)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT statement of DuckDB's SQL.")],
    rows: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 10_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time the query may take.")] = 60.0,
    memory_mb: Annotated[int, typer.Option(min=64, help="Memory the query may take.")] = 1_024,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Ask the log in SQL.

    The table `decisions` has one row per decision, with the columns number, decided_at, message, stage, channel,
    purpose, category, jurisdiction, outcome, until, rule_set, rules (a list of id, outcome and reason), person and
    recorded_at; moments are in UTC. `records` also has erasures, legal holds and what was dropped, told by `kind`.
    Needs the extra `chappe[audit]`.
    """
    from chappe.observe.audit.querying import QueryLimits
    from chappe.observe.audit.querying import query as run

    with _storage(data_folder(data)) as storage:
        result = run(storage, sql, QueryLimits(seconds=seconds, memory_mb=memory_mb, rows=rows))
    if json:
        print_json([dict(zip(result.columns, row, strict=True)) for row in result.rows])
    else:
        table = Table(*result.columns)
        for row in result.rows:
            table.add_row(*("" if value is None else str(value) for value in row))
        terminal().print(table)
    if result.cut_off:
        messages().print(f"Only the first {rows} rows are shown; --rows shows more.")


@app.command()
def prove(
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="The message's id.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the proofs to a file, one JSON document per line.")
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Prove that the decisions about a message are in the signed log.

    A proof can be checked without the log: `chappe audit check`.
    """
    from chappe.observe.audit.finding import DecisionFilter, find
    from chappe.observe.audit.proofs import prove as prove_record
    from chappe.records import ids

    key = ids.parse_key(ids.MESSAGE, message_id)
    if key is None:
        raise InvalidInput(f"{message_id!r} is not the id of a message; ids look like msg_0123456789abcdef")
    folder = data_folder(data)
    with _storage(folder) as storage:
        found = find(storage, DecisionFilter(message=key), 1_000).decisions
        if not found:
            raise NotFound(f"the audit log holds no decision about {message_id}")
        proofs = [prove_record(storage, decision.number, _public_key(folder, None)) for decision in reversed(found)]
    documents = [msgspec.json.encode(proof) + b"\n" for proof in proofs]
    if out is not None:
        out.write_bytes(b"".join(documents))
        typer.echo(f"{len(proofs)} proofs in {out}")
        return
    if json:
        sys.stdout.write(b"".join(documents).decode())
        return
    table = Table("record", "at", "stage", "outcome", "hash", "checkpoint")
    for decision, proof in zip(reversed(found), proofs, strict=True):
        record = decision.record
        size = proof.checkpoint.split("\n")[1]
        table.add_row(
            str(proof.number),
            _moment(record.at_ms),
            record.stage.value,
            record.decision.outcome.value,
            proof.hash.hex()[:16],
            f"{size} records",
        )
    terminal().print(table)


@app.command()
def check(
    proofs: Annotated[Path, typer.Argument(metavar="FILE", help="What `chappe audit prove --out` wrote.")],
    public_key: PublicKeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Check proofs, without the log: all they need is the public key. The exit code is 1 if one does not hold."""
    from chappe.observe.audit.proofs import Proof, check_proof

    key = _public_key(data_folder(data), public_key)
    try:
        lines = [msgspec.json.decode(line, type=Proof) for line in proofs.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise unreadable(proofs, error) from error
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"{proofs} holds no proofs: {error}") from error
    for proof in lines:
        check_proof(proof, key)
    if json:
        print_json({"proofs": len(lines), "sound": True})
    else:
        typer.echo(f"{len(lines)} proofs hold")


@app.command()
def key(data: DataOption = None, json: JsonOption = False) -> None:
    """Print the public key that checkpoints are signed with, and the log's name."""
    from chappe.observe.audit.notes import key_name
    from chappe.security.audit_key import public_pem

    public = _public_key(data_folder(data), None)
    if json:
        print_json({"name": key_name(public), "public_key": public_pem(public)})
    else:
        typer.echo(public_pem(public), nl=False)


def _storage(folder: Path) -> AuditStorage:
    from chappe.observe.audit.storage import AuditStorage

    return AuditStorage(folder)


def _public_key(folder: Path, file: Path | None) -> Ed25519PublicKey:
    from chappe.security import audit_key

    if file is not None:
        try:
            return audit_key.public_key_of(file.read_bytes())
        except OSError as error:
            raise unreadable(file, error) from error
    own = audit_key.load(folder)
    if own is None:
        raise NotFound(f"there is no audit-key in {folder}; name the data folder with --data, or --public-key FILE")
    return own.public_key()


def _checkpoints_in(file: Path) -> list[Checkpoint]:
    from chappe.observe.audit.checkpoints import read_file

    if not file.exists():
        raise unreadable(file, FileNotFoundError())
    try:
        return read_file(file)
    except OSError as error:
        raise unreadable(file, error) from error
    except ValueError as error:
        raise InvalidInput(f"{file} is no file of checkpoints: {error}") from error


def _print_verification(verification: Verification) -> None:
    console = terminal()
    figures = Table("figure")
    figures.add_column("value", justify="right")
    for name in ("records", "dropped", "checkpoints", "signed"):
        figures.add_row(name, f"{getattr(verification, name):,}".replace(",", " "))
    console.print(figures)
    for finding in verification.findings:
        console.print(f"record {finding.number}: {finding.what}", style="bold red", markup=False)
    if verification.sound:
        console.print("The log is sound.", style="bold")
    else:
        console.print(f"The log is not sound; the first bad record is {verification.first_bad}.", style="bold")


def _moment(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


app.command("list")(decisions.list_decisions)
app.command("show")(decisions.show)
