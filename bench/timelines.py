"""What became of every message, read from the records of a server that was stopped."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from chappe.model.customer import Purpose, Status
from chappe.records.store import FILE_NAME
from chappe.records.timeline import from_lines


@dataclass(frozen=True)
class Journey:
    """The moments of one message, in ms since the epoch; None for what has not happened."""

    purpose: Purpose
    status: Status
    accepted_at_ms: int
    handed_over_at_ms: int | None
    sent_at_ms: int | None


def read_journeys(data: Path) -> list[Journey]:
    """All messages, in the order in which they were accepted."""
    path = next(data.rglob(FILE_NAME))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        rows = connection.execute("select purpose, status, timeline from messages order by id").fetchall()
    return [_journey(Purpose(purpose), Status(status), timeline) for purpose, status, timeline in rows]


def by_status(journeys: list[Journey]) -> dict[str, int]:
    """How many messages are in each status."""
    return dict(Counter(str(journey.status) for journey in journeys))


def _journey(purpose: Purpose, status: Status, timeline: str) -> Journey:
    events = from_lines(timeline)
    first: dict[Status, int] = {}
    for event in events:
        first.setdefault(event.status, event.at_ms)
    sent = first.get(Status.SENT)
    return Journey(purpose, status, events[0].at_ms, first.get(Status.SENDING, sent), sent)
