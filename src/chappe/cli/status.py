"""`chappe status`: where a message stands and how it came there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import STATUS_STYLES, print_json, printable, terminal

_OUTCOME_STYLES = {"allow": "green", "defer": "yellow", "block": "magenta"}


def status(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")],
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Draw the timeline of a message: every state and attempt."""
    with connect(url, api_key, data) as server:
        path = f"/v1/messages/{quote(message_id, safe='')}"
        message, timeline = server.get(path), server.get(f"{path}/timeline")
    if json:
        print_json({"message": message, "timeline": timeline["events"]})
    else:
        terminal().print(Drawing(message, timeline["events"]))


class Drawing:
    """The message in two lines, then its steps from top to bottom, each with what was said of it."""

    def __init__(self, message: dict[str, Any], events: list[dict[str, Any]]) -> None:
        self._message = message
        self._events = events

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from _heading(self._message)
        began = datetime.fromisoformat(self._events[0]["at"])
        times = [_time(event, began, first=number == 0) for number, event in enumerate(self._events)]
        margin = max(map(len, times))
        width = max(options.max_width - margin - 3, 20)
        for number, (event, time) in enumerate(zip(self._events, times, strict=True)):
            style = STATUS_STYLES.get(event["status"], "")
            step = [Text(event["status"], style=f"bold {style}"), *_details(event)]
            more = number < len(self._events) - 1
            for place, line in enumerate(line for part in step for line in part.wrap(console, width)):
                mark = "●" if place == 0 else "│" if more else " "
                begin = (f"{time if place == 0 else '':>{margin}} ", "dim")
                text = Text.assemble(begin, (f"{mark} ", style), line)
                text.rstrip()
                yield text


def _heading(message: dict[str, Any]) -> Iterator[Text]:
    (address,) = message["to"].values()
    yield Text(message["id"], style="bold")
    subject = message["content"].get("subject")
    about = f": {subject}" if subject else ""
    declared = message["declared_purpose"]
    instead = "" if declared == message["purpose"] else f" (declared {declared})"
    yield Text(printable(f"{message['purpose']}{instead} {message['channel']} to {address}{about}\n"))


def _time(event: dict[str, Any], began: datetime, *, first: bool) -> str:
    at = datetime.fromisoformat(event["at"])
    if first:
        return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} {at.tzname()}"
    return f"+{_duration(round((at - began).total_seconds() * 1000))}"


def _duration(ms: int) -> str:
    if ms < 10_000:
        return f"{ms} ms"
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _details(event: dict[str, Any]) -> Iterator[Text]:
    if event.get("decision"):
        yield from _decision(event["decision"])
    if event.get("attempt") or event.get("provider"):
        attempt = f"attempt {event['attempt']}" if event.get("attempt") else ""
        yield Text(printable(" by ".join(part for part in (attempt, event.get("provider")) if part)))
    if event.get("reply"):
        code = f"[{event['code']}] " if event.get("code") else ""
        yield Text(printable(f"{code}{event['reply']}"))
    elif event.get("code"):
        yield Text(printable(f"[{event['code']}]"))
    if event.get("next_at") and event["next_at"] != (event.get("decision") or {}).get("until"):
        yield Text(f"next at {event['next_at']}")
    if event.get("note"):
        yield Text(printable(event["note"]))


def _decision(decision: dict[str, Any]) -> Iterator[Text]:
    rules = decision.get("rules", [])
    until = f" until {decision['until']}" if decision.get("until") else ""
    applied = f"{len(rules)} rule{'' if len(rules) == 1 else 's'} applied"
    yield Text(
        f"{decision['outcome']}{until}, rule set {decision['rule_set']}, {applied}",
        style=_OUTCOME_STYLES.get(decision["outcome"], ""),
    )
    for rule in rules:
        if rule["outcome"] != "allow" or decision["outcome"] == "allow":
            yield Text(printable(f"  {rule['id']}: {rule['outcome']}: {rule['reason']}"), style="dim")
