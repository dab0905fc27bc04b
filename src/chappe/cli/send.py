"""`chappe send`: a file of messages to the server, in batches, with an account of every line."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from chappe.cli.connection import DataOption, KeyOption, Server, ServerRefused, ServerUnreachable, UrlOption, connect
from chappe.cli.entries import Entry, Format, Malformed, read_entries
from chappe.cli.following import UNDER_WAY, follow
from chappe.cli.output import messages, print_json, status_table, terminal
from chappe.cli.pacing import paced
from chappe.model.errors import ChappeError
from chappe.model.unreadable import unreadable

MAX_BATCH = 1000
"""The most entries of one POST /v1/messages:batch."""
_BATCH_BYTES = 4 * 1024 * 1024
_PATIENCE_SECONDS = 1.0
"""How long lines of standard input wait for others to go with them."""
RETRY_DELAYS_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
_AWAY = (429, 502, 503, 504)
_FAILED = 1
_MALFORMED = (400, 422)
_NOT_THE_LINES_FAULT = ("no_route",)
_FORECAST = {"allow": "accepted", "defer": "accepted, to wait", "block": "accepted, to be blocked"}


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one line: the server's answer, or why there is none.

    `decision` is what the rules say as things stand (allow, defer, block); it is made for good when the message's turn
    comes.
    """

    line: int
    status: str
    id: str | None = None
    decision: str | None = None
    code: str | None = None
    reason: str | None = None

    @property
    def ok(self) -> bool:
        return self.id is not None


def send(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines or CSV; - reads standard input.")],
    form: Annotated[
        Format | None, typer.Option("--format", help="Without it CSV for names ending in .csv, else JSON Lines.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=MAX_BATCH, help="Messages in one request.")] = 500,
    once: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A name for this sending. If it is interrupted, repeat it within 24 hours: under the same name no "
            "line is sent twice.",
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until no message is under way, and count by final status.")
    ] = False,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Write the outcome of each line, and a summary, as JSON Lines.")
    ] = False,
) -> None:
    """Send the messages of a file.

    A line that is malformed, or that the server refuses, is reported with its number; the others go on. The exit code
    is 1 if there was any.
    """
    form = form or (Format.CSV if file.lower().endswith(".csv") else Format.JSONL)
    account = _Account()
    try:
        with connect(url, api_key, data) as server, _progress(quiet=json) as progress:
            task = progress.add_task("sending", total=None if file == "-" else _count_lines(Path(file)))
            entries = _entries(file, form)
            for outcomes in send_all(server, entries, batch, once, lambda why, again: _say(progress, why, again)):
                account.add(outcomes)
                _report(outcomes, progress, task, json=json)
            if wait:
                account.taken = _followed(server, account.ids, progress)
    except BaseException:
        if account.last_line:
            account.close(json=json)
            messages().print(_how_to_go_on(account.last_line, once), markup=False)
        raise
    account.close(json=json)
    if account.refused:
        raise typer.Exit(_FAILED)


class _Account:
    """What has become of the lines so far."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.ids: list[str] = []
        self.last_line = 0

    def add(self, outcomes: Sequence[Outcome]) -> None:
        self.refused.update(outcome.status for outcome in outcomes if not outcome.ok)
        self.taken.update(_FORECAST.get(o.decision or "", o.status) for o in outcomes if o.ok)
        self.ids += [outcome.id for outcome in outcomes if outcome.id is not None]
        self.last_line = outcomes[-1].line

    def close(self, *, json: bool) -> None:
        counts = self.taken + self.refused
        if json:
            print_json({"summary": dict(counts.most_common()), "lines": counts.total()})
        else:
            terminal().print(f"{counts.total()} lines", status_table(counts), sep="\n")


def _how_to_go_on(last_line: int, once: str | None) -> str:
    if once is not None:
        return f"Answered up to line {last_line}. Repeat the command: under --once {once} no line is sent twice."
    return (
        f"Answered up to line {last_line}. Of the lines after it, one batch may have been taken without an answer. "
        "A sending that has a name (--once NAME) can simply be repeated."
    )


def _say(progress: Progress, why: ChappeError, delay_seconds: float) -> None:
    progress.console.print(f"{why.message} Trying again in {delay_seconds:g} s.", markup=False)


def _followed(server: Server, ids: Sequence[str], progress: Progress) -> Counter[str]:
    task = progress.add_task("waiting", total=len(ids))

    def show(counts: Counter[str]) -> None:
        under_way = sum(counts[status] for status in UNDER_WAY)
        progress.update(task, completed=len(ids) - under_way)

    return follow(server, ids, show)


def send_all(
    server: Server,
    entries: Iterator[Entry | Malformed | None],
    batch: int,
    once: str | None = None,
    before_retry: Callable[[ChappeError, float], None] = lambda why, delay_seconds: None,
) -> Iterator[list[Outcome]]:
    """Send everything, batch by batch; what happened to each line, in the order of the file.

    None among the entries ends a batch.
    """
    run = uuid.uuid4().hex
    for number, group in enumerate(_batches(entries, batch)):
        good = [_named(entry, once) for entry in group if isinstance(entry, Entry)]
        # A server that never answered is probably not there; one that did before may be restarting.
        delays = RETRY_DELAYS_SECONDS if number else ()
        answers = iter(_post(server, good, f"send-{run}-{number}", delays, before_retry) if good else ())
        yield [
            next(answers)
            if isinstance(entry, Entry)
            else Outcome(entry.line, "malformed", code="malformed", reason=entry.reason)
            for entry in group
        ]


def _named(entry: Entry, once: str | None) -> Entry:
    if once is None or "idempotency_key" in entry.document:
        return entry
    document = {**entry.document, "idempotency_key": f"{once}:{entry.line}"}
    return msgspec.structs.replace(entry, document=document)


def _batches(entries: Iterator[Entry | Malformed | None], batch: int) -> Iterator[list[Entry | Malformed]]:
    group: list[Entry | Malformed] = []
    size_bytes = 0
    for entry in entries:
        if entry is not None:
            group.append(entry)
            size_bytes += entry.size_bytes if isinstance(entry, Entry) else 0
        if group and (entry is None or len(group) >= batch or size_bytes >= _BATCH_BYTES):
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


def _post(
    server: Server,
    entries: Sequence[Entry],
    idempotency_key: str,
    delays: Sequence[float],
    before_retry: Callable[[ChappeError, float], None],
) -> list[Outcome]:
    """Send one batch, again after each delay while the server is away. Its key keeps it from being taken twice."""
    document = {"messages": [entry.document for entry in entries]}
    headers = {"idempotency-key": idempotency_key}
    for delay_seconds in delays:
        try:
            return _results(server.post("/v1/messages:batch", document, headers=headers), entries)
        except ChappeError as error:
            if not (isinstance(error, ServerUnreachable) or error.details.get("status") in _AWAY):
                raise
            before_retry(error, delay_seconds)
        time.sleep(delay_seconds)
    return _results(server.post("/v1/messages:batch", document, headers=headers), entries)


def _results(answer: Any, entries: Sequence[Entry]) -> list[Outcome]:
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or len(results) != len(entries):
        raise ServerRefused("the answer to a batch does not fit it; do server and command belong together?")
    return [_outcome(entry.line, result) for entry, result in zip(entries, results, strict=True)]


def _outcome(line: int, result: dict[str, Any]) -> Outcome:
    error = result.get("error")
    if error is None:
        decision = result.get("decision") or {}
        return Outcome(line, str(result["status"]), id=str(result["id"]), decision=decision.get("outcome"))
    pointer, detail = error.get("pointer"), str(error.get("detail") or error.get("title"))
    reason = f"{pointer}: {detail}" if pointer else detail
    code = error.get("code")
    malformed = error.get("status") in _MALFORMED and code not in _NOT_THE_LINES_FAULT
    return Outcome(line, "malformed" if malformed else "refused", code=code, reason=reason)


def _report(outcomes: Sequence[Outcome], progress: Progress, task: TaskID, *, json: bool) -> None:
    for outcome in outcomes:
        if json:
            print_json(outcome)
        if not outcome.ok:
            progress.console.print(
                f"line {outcome.line}: {outcome.status} [{outcome.code}]: {outcome.reason}", markup=False
            )
    sys.stdout.flush()  # whoever reads it through a pipe is to see it as it comes
    progress.advance(task, len(outcomes))


def _entries(file: str, form: Format) -> Iterator[Entry | Malformed | None]:
    if file != "-":
        return _read_closing(_opened(file), form)
    # A file object of its own: that of sys.stdin cannot be closed while the thread that reads it waits for more.
    stream = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    return paced(_read_closing(stream, form), _PATIENCE_SECONDS)


def _opened(file: str) -> BinaryIO:
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise unreadable(file, error) from error


def _read_closing(stream: BinaryIO, form: Format) -> Iterator[Entry | Malformed]:
    with stream:
        yield from read_entries(stream, form)


def _count_lines(path: Path) -> int | None:
    """The lines of a regular file, for the progress bar."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def _progress(*, quiet: bool) -> Progress:
    console = messages()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
        transient=True,
    )
