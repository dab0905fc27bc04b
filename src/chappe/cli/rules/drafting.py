"""`chappe rules draft`: rules proposed from the text of a regulation, for a person to accept. Needs no server."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from chappe.cli.connection import JsonOption
from chappe.cli.output import messages, print_json
from chappe.model.errors import InvalidConfiguration, InvalidInput, InvalidRules
from chappe.model.unreadable import unreadable

if TYPE_CHECKING:
    from chappe.compliance.drafting import Draft, Proposal

_STDIN = "-"
_FILE_BYTES_MAX = 2 * 1024 * 1024
_PATH_CHARACTERS_MAX = 250


def draft(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT|FILE|-", help="English text of a regulation or notice; a file of it; - for stdin."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="The title of the regulation. [default: its first heading]")] = None,
    source: Annotated[
        str | None, typer.Option(help="Where the text is from, such as its address. [default: the file, or the title]")
    ] = None,
    jurisdiction: Annotated[
        str | None, typer.Option(help="Where it binds, such as US-FL, whatever the text says. [default: what it names]")
    ] = None,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", metavar="ID", help="Write only this proposal. May be repeated.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the rules to this file; to one that is there they are added."),
    ] = None,
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leave out proposals that are less sure.")] = 0.0,
    json: JsonOption = False,
) -> None:
    """Propose rules from the text of a regulation, each with its sentences, a confidence and what is doubtful.

    Writes a rule file for a person to check; what sounds like a rule and was not understood is listed. English only.
    """
    from chappe.compliance.drafting import draft as drafted

    content, file = _content(text)
    found = drafted(content, name=name, source=source or file, jurisdiction=_jurisdiction(jurisdiction))
    chosen = _chosen(found, accept, min_confidence)
    if out is not None:
        _write(out, chosen, found)
    if json:
        print_json(msgspec.structs.replace(found, proposals=tuple(chosen)))
        return
    if out is None:
        from chappe.compliance.drafting.writing import rule_file

        typer.echo(rule_file(chosen, found), nl=False)
    _summarise(chosen, found, out)


def _content(text: str) -> tuple[str, str | None]:
    """What to read, and the name of the file it is from. Raises `InvalidInput` or `InvalidConfiguration`."""
    if text == _STDIN:
        return _decoded(sys.stdin.buffer.read(_FILE_BYTES_MAX + 1), "standard input"), None
    if len(text) <= _PATH_CHARACTERS_MAX and "\n" not in text:
        path = Path(text)
        try:
            if path.is_file() or path.is_dir():
                with path.open("rb") as stream:
                    return _decoded(stream.read(_FILE_BYTES_MAX + 1), text), path.name
        except OSError as error:
            raise unreadable(text, error) from error
        if " " not in text.strip():
            raise InvalidConfiguration(
                f"{text}: no such file; give the text itself in quotes, a file, or - for standard input"
            )
    return text, None


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > _FILE_BYTES_MAX:
        raise InvalidInput(f"{name} is larger than {_FILE_BYTES_MAX} bytes: split it", file=name)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(name, error) from None


def _jurisdiction(given: str | None) -> str | None:
    from chappe.compliance.rule.base import Jurisdiction

    if given is None:
        return None
    try:
        return msgspec.convert(given.upper(), Jurisdiction)
    except msgspec.ValidationError:
        raise InvalidInput(
            f"--jurisdiction {given}: give a country or subdivision such as FR or US-FL, EU, or *"
        ) from None


def _chosen(found: Draft, accept: list[str] | None, min_confidence: float) -> list[Proposal]:
    proposals = [proposal for proposal in found.proposals if proposal.confidence >= min_confidence]
    if not accept:
        return proposals
    by_id = {proposal.id: proposal for proposal in proposals}
    unknown = [rule_id for rule_id in accept if rule_id not in by_id]
    if unknown:
        raise InvalidInput(f"--accept {unknown[0]}: there is no such proposal; there are {', '.join(by_id) or 'none'}")
    return [proposal for proposal in proposals if proposal.id in accept]


def _write(out: Path, chosen: Sequence[Proposal], found: Draft) -> None:
    """The file as it is to be, checked as a whole, in one step: a rule that is there already is refused."""
    from chappe.compliance.drafting.writing import appended, rule_file
    from chappe.compliance.rule_files.loading import Reading, problem_details

    try:
        existing = out.read_text(encoding="utf-8") if out.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(out, error) from error
    text = appended(existing, chosen) if existing.strip() else rule_file(chosen, found)
    reading = Reading()
    reading.read(text.encode(), out.name)
    if reading.problems:
        details = problem_details(reading.problems)
        raise InvalidRules(f"nothing was written to {out}: {details.pop('listed')}", **details)
    try:
        _replace(out, text)
    except OSError as error:
        raise InvalidInput(f"{out} cannot be written: {error.strerror}", file=str(out)) from error


def _replace(out: Path, text: str) -> None:
    with NamedTemporaryFile("w", encoding="utf-8", dir=out.parent, prefix=f".{out.name}.", delete=False) as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary = Path(stream.name)
    try:
        temporary.chmod(out.stat().st_mode & 0o777 if out.exists() else 0o644)
        temporary.replace(out)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _summarise(chosen: Sequence[Proposal], found: Draft, out: Path | None) -> None:
    console = messages()
    if chosen:
        table = Table("id", "confidence", "lines", "in doubt")
        for proposal in chosen:
            lines = ", ".join(str(quoted.line) for quoted in proposal.drafted_from)
            table.add_row(proposal.id, f"{proposal.confidence:.2f}", lines, Text("; ".join(proposal.doubts)))
        console.print(table)
    written = f" written to {out}" if out else ""
    console.print(
        f"{len(chosen)} of {len(found.proposals)} proposals{written}; of {found.passages} passages "
        f"{len(found.not_understood)} not understood, {len(found.set_aside)} set aside"
    )
    for unread in found.not_understood:
        console.print(Text(f"not understood, line {unread.passage.line}: {unread.passage.text} ({unread.reason})"))
