"""(l) What fits into one process: 10,000 queues, 5,000 idle long pollers. Ten million messages are figure (e)."""

from __future__ import annotations

import signal
import time

from bench.figure import Figure, Settings
from bench.figures.peers_idle import row
from bench.idle_pollers import create_queues, measure
from bench.servers import data_folder, started

QUEUES = (1, 10_000)
POLLERS = 5_000


def run(settings: Settings) -> Figure:
    figure = Figure("l", f"Scale inside one process: {QUEUES[-1]:,} queues, then {POLLERS:,} idle long pollers on them")
    for queues in QUEUES:
        figure.rows.append(_measured(queues, settings))
    figure.notes.append(
        "the time to start is from the start of the process to the first answer; memory is the server's"
    )
    return figure


def _measured(queues: int, settings: Settings) -> dict[str, object]:
    with data_folder(settings.folder) as data:
        server, _ = started(data)
        try:
            begun = time.perf_counter()
            urls = create_queues(server, "scale", queues)
            creating_seconds = time.perf_counter() - begun
            server.stop()
            server, start_seconds = started(data)
            server.stop(signal.SIGKILL)
            server, restart_seconds = started(data)
            idle_seconds, wake_seconds = (3.0, 3.0) if settings.quick else (20.0, 20.0)
            pollers = urls[:POLLERS] if queues > 1 else urls
            waiting = measure(server, pollers, idle_seconds=idle_seconds, wake_seconds=wake_seconds)
        finally:
            server.stop()
    created = {"queues": queues, "created/s": queues / creating_seconds}
    ready = {"start s": start_seconds, "after kill -9 s": restart_seconds}
    return created | ready | {"pollers": len(pollers)} | row(waiting)
