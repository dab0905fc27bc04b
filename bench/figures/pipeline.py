"""(c) Messages to people, from POST /v1/messages:batch to the sandbox provider, durable and with all rules on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench.figure import Figure, Settings, Target, median
from bench.load import percentile
from bench.messages_api import BATCH, batches, post, wait_until_done
from bench.servers import chappe, data_folder
from bench.timelines import Journey, by_status, read_journeys
from chappe.records.store import FILE_NAME

CONNECTIONS = 4
TARGET_PER_SECOND = 5_000


def run(settings: Settings) -> Figure:
    figure = Figure("c", f"Pipeline to the sandbox, durable, all rules on; POST /v1/messages:batch of {BATCH}")
    for purpose in ("transactional", "promotional"):
        rounds = [measure(purpose, settings) for _ in range(settings.rounds)]
        rate = median([row["messages/s"] for row in rounds])
        row = next(row for row in rounds if row["messages/s"] == rate)
        figure.rows.append({"purpose": purpose} | row)
        figure.targets.append(Target(f"{purpose} messages/s on one core, until sent", TARGET_PER_SECOND, rate))
    figure.notes.append("the rate counts from the first request until the last message was sent; the latency includes")
    figure.notes.append("the wait behind the messages accepted before, because all are posted as fast as possible")
    return figure


def measure(purpose: str, settings: Settings) -> dict[str, float]:
    """One run on a fresh data folder."""
    count = 10_000 if settings.quick else 50_000
    with data_folder(settings.folder) as data:
        prepare(data, count if purpose == "promotional" else 0)
        bodies = batches(purpose, range(count))
        with chappe(data) as server:
            begun_ms, cpu_before = time.time() * 1000, server.cpu_seconds
            posted = post(server, "/v1/messages:batch", bodies, connections=CONNECTIONS, messages_per_body=BATCH)
            wait_until_done(server)
            cpu_seconds = server.cpu_seconds - cpu_before
            resident_mb = server.resident_mb
        journeys = read_journeys(data)
    sent = [journey for journey in journeys if journey.sent_at_ms is not None]
    if len(sent) != count:
        raise RuntimeError(f"of {count} messages not all were sent: {by_status(journeys)}")
    waits = waits_ms(sent)
    return {
        "messages": count,
        "messages/s": count / (max(j.sent_at_ms or 0 for j in sent) - begun_ms) * 1000,
        "accepted/s": posted.per_second,
        "server CPU us/message": cpu_seconds * 1e6 / count,
        "accepted to sent P50 ms": percentile(waits, 50),
        "P99 ms": percentile(waits, 99),
        "server MB": resident_mb,
    }


def prepare(data: Path, people: int) -> None:
    """Make the data folder by a first start, and record consents in it."""
    with chappe(data):
        pass
    if people:
        folder = next(data.rglob(FILE_NAME)).parent
        command = [sys.executable, "-m", "bench.consenting", str(folder), "--people", str(people)]
        subprocess.run(command, cwd=Path(__file__).parents[2], check=True)


def waits_ms(journeys: list[Journey]) -> list[float]:
    """From accepted to handed to the provider, ascending."""
    return sorted(
        float(journey.handed_over_at_ms - journey.accepted_at_ms)
        for journey in journeys
        if journey.handed_over_at_ms is not None
    )
