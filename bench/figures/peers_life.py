"""(g) Whole lives in batches of ten beside others."""

from __future__ import annotations

from bench.comparison import Measured, contenders, live, ratios, rounds, typical
from bench.contender import Contender
from bench.figure import Figure, Settings, Target
from bench.queue_life import BATCH
from bench.rivals.starting import DURABLE_RIVALS, SQS_RIVALS

CONNECTIONS = (8, 32)
MOST_CONNECTIONS = 128
"""For those that sync: the more there is to sync at once, the better for them."""


def run(settings: Settings) -> Figure:
    figure = Figure("g", f"Whole life in batches of {BATCH}, 1 KB, beside others: send, receive, delete")
    with contenders((*SQS_RIVALS, *DURABLE_RIVALS), settings, figure) as found:
        durable = [contender for contender in found if contender is found[0] or not contender.speaks_sqs]
        measured = rounds(found, live, CONNECTIONS, settings) | rounds(durable, live, [MOST_CONNECTIONS], settings)
        best: dict[str, float] = {}
        for connections in (*CONNECTIONS, MOST_CONNECTIONS):
            ours = typical(measured[connections, found[0].name])
            for contender in found if connections != MOST_CONNECTIONS else durable:
                each = typical(measured[connections, contender.name])
                figure.rows.append(_row(connections, contender, each, ours))
                best[contender.name] = max(best.get(contender.name, 0.0), each.per_second)
        for contender in found[1:]:
            if not contender.speaks_sqs:
                what = f"messages/s at equal durability, each at its best, times {contender.name}"
                figure.targets.append(Target(what, 1.0, best[found[0].name] / max(best[contender.name], 1e-9)))
    return figure


def _row(connections: int, contender: Contender, each: Measured, ours: Measured) -> dict[str, object]:
    assert each.log is not None
    row = {
        "connections": connections,
        "server": contender.name,
        "keeps": contender.durable,
        "messages/s": each.per_second,
    }
    for operation in each.log.latencies_ms:
        row[f"{operation} P50 ms"] = each.log.p50_ms(operation)
    return row | ratios(ours, each)
