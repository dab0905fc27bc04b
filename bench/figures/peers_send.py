"""(f) Single SendMessage beside everything that speaks SQS, and beside JetStream and Redis."""

from __future__ import annotations

from bench.comparison import beside, contenders, ratios, rounds, send, typical
from bench.figure import Figure, Settings, Target
from bench.rivals.starting import DURABLE_RIVALS, SQS_RIVALS

CONNECTIONS = (1, 32, 128)
TIMES_THE_BEST_PEER = 3.0
TARGET_P99_MS = 10.0


def run(settings: Settings) -> Figure:
    figure = Figure("f", "Single sends, 1 KB, beside others: ours synced to disk, the SQS servers' in memory")
    with contenders((*SQS_RIVALS, *DURABLE_RIVALS), settings, figure) as found:
        measured = rounds(found, send, CONNECTIONS, settings)
        for connections in CONNECTIONS:
            middle = {contender.name: typical(measured[connections, contender.name]) for contender in found}
            ours = middle[found[0].name]
            for contender in found:
                each = middle[contender.name]
                row = {
                    "connections": connections,
                    "server": contender.name,
                    "keeps": contender.durable,
                    "messages/s": each.per_second,
                    "P50 ms": each.samples.percentile_ms(50),
                    "P99 ms": each.samples.percentile_ms(99),
                }
                figure.rows.append(row | ratios(ours, each))
            peers = {each.name: middle[each.name].per_second for each in found[1:] if each.speaks_sqs}
            what = f"single sends/s, {connections} connection{'s' if connections > 1 else ''}"
            beside(figure, what, TIMES_THE_BEST_PEER, ours.per_second, peers)
            if connections == 32:
                p99_ms = ours.samples.percentile_ms(99)
                figure.targets.append(Target("P99 in ms, 32 connections", TARGET_P99_MS, p99_ms, at_most=True))
    return figure
