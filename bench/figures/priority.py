"""(d) How long transactional messages take to the provider while promotional ones come in at five times capacity."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import msgspec

from bench.figure import Figure, Settings, Target
from bench.figures import pipeline
from bench.load import percentile
from bench.messages_api import BATCH, Posted, batches, message, post, wait_until_done
from bench.servers import Chappe, chappe, data_folder
from bench.timelines import Journey, read_journeys
from chappe.model.customer import Purpose

OVERLOAD = 5
PROBES_PER_SECOND = 50
TARGET_P95_MS = 50.0
_FLOOD_CONNECTIONS = 16
_PROBE_CONNECTIONS = 8
_LEAD_SECONDS = 1.0


@dataclass(frozen=True)
class _Run:
    """`flooded` is the rate that the server took of what was offered."""

    flooded: float
    waits_ms: list[float]
    probes: int


def run(settings: Settings) -> Figure:
    capacity = pipeline.measure("promotional", settings)["messages/s"]
    seconds = settings.seconds * 2
    figure = Figure("d", f"Accepted to provider, transactional, {PROBES_PER_SECOND}/s, under a flood of promotional")
    for times in (0, 1, OVERLOAD):
        offered = capacity * times
        measured = _measure(offered, seconds, settings)
        figure.rows.append(
            {
                "promotional offered/s": offered,
                "taken/s": measured.flooded,
                "transactional": measured.probes,
                "P50 ms": percentile(measured.waits_ms, 50),
                "P95 ms": percentile(measured.waits_ms, 95),
                "P99 ms": percentile(measured.waits_ms, 99),
                "max ms": measured.waits_ms[-1],
            }
        )
    p95_ms = percentile(measured.waits_ms, 95)
    figure.targets.append(Target(f"P95 in ms at {OVERLOAD} times capacity", TARGET_P95_MS, p95_ms, at_most=True))
    figure.notes.append(f"capacity: {capacity:,.0f} promotional messages/s, measured in the same run as in (c)")
    return figure


def _measure(flood_per_second: float, seconds: float, settings: Settings) -> _Run:
    people = int(flood_per_second * (seconds + _LEAD_SECONDS))
    people -= people % -BATCH
    with data_folder(settings.folder) as data:
        pipeline.prepare(data, people)
        bodies = batches("promotional", range(people))
        with chappe(data) as server:
            flooded = _flood_and_probe(server, bodies, flood_per_second, seconds)
            wait_until_done(server, purpose="transactional")
        journeys = [j for j in read_journeys(data) if j.purpose is Purpose.TRANSACTIONAL]
    return _Run(flooded, _waits_ms(journeys), len(journeys))


def _flood_and_probe(server: Chappe, bodies: list[bytes], per_second: float, seconds: float) -> float:
    stop = threading.Event()
    taken: list[Posted] = []

    def flood() -> None:
        rate = per_second / BATCH
        options = {"connections": _FLOOD_CONNECTIONS, "messages_per_body": BATCH}
        taken.append(post(server, "/v1/messages:batch", bodies, bodies_per_second=rate, until=stop, **options))

    flooding = threading.Thread(target=flood)
    if bodies:
        flooding.start()
        time.sleep(_LEAD_SECONDS)
    probes = [msgspec.json.encode(message("transactional", n)) for n in range(int(PROBES_PER_SECOND * seconds))]
    post(server, "/v1/messages", probes, connections=_PROBE_CONNECTIONS, bodies_per_second=PROBES_PER_SECOND)
    stop.set()
    if bodies:
        flooding.join()
    return taken[0].per_second if taken else 0.0


def _waits_ms(journeys: list[Journey]) -> list[float]:
    unsent = [journey for journey in journeys if journey.handed_over_at_ms is None]
    if unsent:
        raise RuntimeError(f"{len(unsent)} transactional messages never reached the provider")
    return pipeline.waits_ms(journeys)
