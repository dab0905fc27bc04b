"""`chappe classify review`: messages that were held because of their content."""

from __future__ import annotations

import csv
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from msgspec.json import encode
from rich.markup import escape
from rich.table import Table

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import minute, print_json, printable, terminal

app = typer.Typer(
    no_args_is_help=True,
    help="See messages that were held because of their content, and let them go or block them.",
    rich_markup_mode=None,
)

ReviewArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of a review, or of its message.")]
NoteOption = Annotated[str, typer.Option(help="Why, for people.")]
_WORDS_SHOWN = 10


class State(StrEnum):
    """How a review stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"


class Purpose(StrEnum):
    """What a message is approved as."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"


class Label(StrEnum):
    """What a content is, for training."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"
    SPAM = "spam"
    CONVERSATIONAL = "conversational"


LabelOption = Annotated[
    Label | None, typer.Option(help="What the content is, for training. [default: as it was decided]")
]


@app.command("list")
def list_reviews(
    state: Annotated[State, typer.Option(help="Reviews in this state.")] = State.OPEN,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List held messages, those that have waited longest first."""
    with connect(url, api_key, data) as server:
        found = list(server.entries("/v1/reviews", "reviews", state=state.value))
    if json:
        print_json(found)
        return
    ended = ("ended as", "by") if state is State.RESOLVED else ()
    table = Table("id", "held since", "until", "channel", "from", "taken for", "because of", *ended)
    for review in found:
        taken_for = f"{review['label']} ({review['probability']:.2f})"
        table.add_row(
            review["id"],
            minute(review["opened_at"]),
            minute(review["due_at"]),
            review["channel"],
            escape(printable(review.get("from", "-"))),
            taken_for,
            ", ".join(review["checks"]),
            *([review["resolution"], escape(printable(review.get("by") or "-"))] if ended else ()),
        )
    terminal().print(table)
    terminal().print(f"{len(found)} review{'' if len(found) == 1 else 's'}")


@app.command()
def show(
    review: ReviewArgument,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show a held message, why it was held, and which words weighed how much."""
    with connect(url, api_key, data) as server:
        found = server.get(_path(review))
    if json:
        print_json(found)
        return
    console = terminal()
    about, content = found["review"], found["content"]
    told = f"{about['id']}: {about['state']}, declared {found['declared_purpose']}"
    console.print(told, markup=False)
    if about.get("from"):
        console.print(f"from: {printable(about['from'])}", markup=False)
    for part in ("subject", "text", "html"):
        if content.get(part):
            console.print(f"{part}: {printable(content[part])}", markup=False)
    if content.get("data"):
        console.print(f"data: {printable(encode(content['data']).decode())}", markup=False)
    for flag in found["classification"].get("flags", ()):
        console.print(f"{flag['check']}: {flag['reason']}", markup=False)
    explanation = found.get("explanation")
    if explanation:
        table = Table("word", "weight")
        for word in explanation["words"][:_WORDS_SHOWN]:
            table.add_row(
                escape(word["gram"]), f"{word['weight']:+.3f}", style="green" if word["weight"] > 0 else "red"
            )
        console.print(table)
    if about["state"] == State.RESOLVED:
        by = f" by {about['by']}" if about.get("by") else ""
        note = f": {about['note']}" if about.get("note") else ""
        told = f"ended as {about['resolution']}{by} on {minute(about['resolved_at'])}{note}"
        console.print(printable(told), markup=False)
    if about["state"] == State.OPEN:
        console.print(f"blocked on {minute(about['due_at'])} unless somebody decides", style="dim")


@app.command()
def approve(
    review: ReviewArgument,
    purpose: Annotated[Purpose, typer.Option("--as", help="What the message is; the rules for that then decide.")],
    note: NoteOption = "",
    label: LabelOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Let a held message go."""
    document: dict[str, Any] = {"purpose": purpose.value, "note": note, "label": label and label.value}
    _resolve(review, "approve", document, url, api_key, data, json)


@app.command()
def reject(
    review: ReviewArgument,
    note: NoteOption = "",
    label: LabelOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Block a held message."""
    _resolve(review, "reject", {"note": note, "label": label and label.value}, url, api_key, data, json)


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to; only you can read it. [default: standard output]")
    ] = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
) -> None:
    """Export what people said of messages, as CSV to train on. Every digit is a zero."""
    with connect(url, api_key, data) as server:
        if file is None or file == Path("-"):
            sys.stdout.write(server.text("/v1/classify/feedback"))
            return
        server.download("/v1/classify/feedback", file)
    with file.open(encoding="utf-8", newline="") as written:
        rows = sum(1 for _ in csv.reader(written)) - 1
    typer.echo(f"{rows} labelled text{'' if rows == 1 else 's'} in {file}")


def _resolve(
    review: str,
    action: str,
    document: dict[str, Any],
    url: str | None,
    api_key: str | None,
    data: Path | None,
    json: bool,
) -> None:
    with connect(url, api_key, data) as server:
        resolved = server.post(f"{_path(review)}/{action}", document)
    if json:
        print_json(resolved)
    else:
        done = "rejected" if action == "reject" else f"approved as {resolved['resolution']}"
        typer.echo(f"{resolved['id']} {done}")


def _path(review: str) -> str:
    return f"/v1/reviews/{quote(review, safe='')}"
