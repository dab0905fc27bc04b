"""(i) 1,000 idle long pollers, beside everything that speaks SQS."""

from __future__ import annotations

import contextlib

from bench.contender import SqsContender
from bench.figure import Figure, Settings
from bench.idle_pollers import Waiting, create_queues, measure
from bench.load import percentile
from bench.rivals.starting import SQS_RIVALS, present, running
from bench.servers import chappe, data_folder
from bench.sqs_server import SqsServer

POLLERS = 1_000


def run(settings: Settings) -> Figure:
    """One server after the other, because idle ones would show in each other's processor time."""
    figure = Figure("i", f"{POLLERS:,} idle long pollers, each on a queue of its own; then a message to each")
    with data_folder(settings.folder) as data, chappe(data) as server:
        figure.rows.append(_measured(server, settings))
    for name in present(SQS_RIVALS, figure):
        with contextlib.ExitStack() as stack:
            data = stack.enter_context(data_folder(settings.folder))
            try:
                contender = stack.enter_context(running(name, data.parent))
                assert isinstance(contender, SqsContender)
                figure.rows.append(_measured(contender.server, settings))
            except (OSError, RuntimeError) as error:
                figure.notes.append(f"{name} did not manage: {' '.join(str(error).split())[-200:]}")
    figure.notes.append("idle CPU is the share of one core while nothing happens; polls last 20 s and are renewed")
    figure.notes.append("waking is from the sending of a message to its arrival at the poller; ours includes the sync")
    return figure


def _measured(server: SqsServer, settings: Settings) -> dict[str, object]:
    urls = create_queues(server, "idle", POLLERS)
    idle_seconds, wake_seconds = (3.0, 3.0) if settings.quick else (20.0, 5.0)
    waiting = measure(server, urls, idle_seconds=idle_seconds, wake_seconds=wake_seconds)
    return {"server": server.name} | row(waiting)


def row(waiting: Waiting) -> dict[str, object]:
    """The columns that say how pollers waited and woke."""
    return {
        "MB before": waiting.mb_before,
        "MB with them": waiting.mb,
        "KB per poller": waiting.kb_per_poller,
        "idle CPU": waiting.idle_cpu,
        "woken": len(waiting.woken_ms),
        "not woken": waiting.not_woken,
        "wake P50 ms": percentile(waiting.woken_ms, 50),
        "wake P99 ms": percentile(waiting.woken_ms, 99),
    }
