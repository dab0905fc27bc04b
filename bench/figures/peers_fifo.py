"""(h) Whole lives through a FIFO queue in batches of ten, beside everything that speaks SQS."""

from __future__ import annotations

from bench.comparison import Measured, contenders, measure_lives, ratios, rounds, typical
from bench.contender import Contender, SqsContender
from bench.fifo_life import GROUPS_PER_CONNECTION, FifoLives
from bench.figure import Figure, Settings, Target
from bench.queue_life import BATCH
from bench.rivals.starting import SQS_RIVALS

CONNECTIONS = 32
TARGET_PER_SECOND = 15_000


def run(settings: Settings) -> Figure:
    groups = CONNECTIONS * GROUPS_PER_CONNECTION
    figure = Figure("h", f"Whole life through a FIFO queue, {groups:,} groups, batches of {BATCH}, 1 KB")
    with contenders(SQS_RIVALS, settings, figure) as found:
        measured = rounds(found, _live, [CONNECTIONS], settings)
        ours = typical(measured[CONNECTIONS, found[0].name])
        for contender in found:
            of_this = measured[CONNECTIONS, contender.name]
            figure.rows.append(_row(contender, typical(of_this), ours, sum(map(_out_of_order, of_this))))
    figure.targets.append(Target("messages/s on one core", TARGET_PER_SECOND, ours.per_second))
    figure.notes.append("JetStream and Redis Streams have no groups of which one may wait while the others flow")
    return figure


def _live(contender: Contender, connections: int, seconds: float, warm_up_seconds: float) -> Measured:
    assert isinstance(contender, SqsContender)
    lives = contender.fifo_lives()
    sources = [lives.connection() for _ in range(connections)]
    return measure_lives(contender, lives, sources, seconds, warm_up_seconds)


def _out_of_order(measured: Measured) -> int:
    assert isinstance(measured.log, FifoLives)
    return measured.log.out_of_order


def _row(contender: Contender, each: Measured, ours: Measured, out_of_order: int) -> dict[str, object]:
    assert each.log is not None
    row: dict[str, object] = {
        "server": contender.name,
        "keeps": contender.durable,
        "messages/s": each.per_second,
        "out of order": out_of_order,
    }
    for operation in each.log.latencies_ms:
        row[f"{operation} P50 ms"] = each.log.p50_ms(operation)
    return row | ratios(ours, each)
