"""(j) How long one send takes at 32 connections: with all the load a server takes, and with half of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.comparison import DRAIN_SECONDS, contenders, rounds, send, typical
from bench.contender import Contender
from bench.figure import Figure, Settings, Target, median
from bench.load import Pause, Source, drive, percentile
from bench.rivals.starting import DURABLE_RIVALS, SQS_RIVALS

CONNECTIONS = 32
SHARE = 0.5
TARGET_P99_MS = 10.0
_HANDSHAKE_SECONDS = 0.5


def run(settings: Settings) -> Figure:
    figure = Figure("j", f"Latency of a single send, 1 KB, {CONNECTIONS} connections: full and half load")
    with contenders((*SQS_RIVALS, *DURABLE_RIVALS), settings, figure) as found:
        full = rounds(found, send, [CONNECTIONS], settings)
        for contender in found:
            of_this = full[CONNECTIONS, contender.name]
            rate = typical(of_this).per_second * SHARE
            half = [_paced(contender, rate, settings.seconds / 2) for _ in range(settings.rounds)]
            figure.rows.append(
                {
                    "server": contender.name,
                    "keeps": contender.durable,
                    "full load/s": typical(of_this).per_second,
                    "P50 ms": median([each.samples.percentile_ms(50) for each in of_this]),
                    "P99 ms": median([each.samples.percentile_ms(99) for each in of_this]),
                    "half load/s": rate,
                    "half P50 ms": median([percentile(each, 50) for each in half]),
                    "half P99 ms": median([percentile(each, 99) for each in half]),
                }
            )
    figure.targets.append(Target("P99 in ms, full load", TARGET_P99_MS, figure.rows[0]["P99 ms"], at_most=True))
    figure.notes.append("half of what each took itself, at a steady rate; a send that had to wait for its connection")
    figure.notes.append("counts from when it was due")
    return figure


def _paced(contender: Contender, per_second: float, seconds: float) -> list[float]:
    """The latencies in ms, ascending, of sends that fall due at a steady rate, one connection after the other."""
    latencies_ms: list[float] = []
    senders = contender.senders(CONNECTIONS)
    every = CONNECTIONS / per_second
    begun = time.perf_counter() + _HANDSHAKE_SECONDS
    sources: Sequence[Source] = [
        _Paced(source, begun + number / per_second, every, latencies_ms) for number, source in enumerate(senders)
    ]
    samples = drive(
        contender.server.address,
        sources,
        seconds=seconds + _HANDSHAKE_SECONDS,
        framing=contender.framing,
        drain_seconds=DRAIN_SECONDS,
    )
    if samples.errors:
        raise RuntimeError(f"requests to {contender.name} failed: {samples.errors}")
    return sorted(latencies_ms)


class _Paced:
    """A connection that holds its requests back until they are due. The first, which may be a handshake, goes out at
    once and does not count.
    """

    def __init__(self, source: Source, first_due: float, every: float, latencies_ms: list[float]) -> None:
        self._source = source
        self._due = first_due
        self._every = every
        self._latencies_ms = latencies_ms
        self._held: bytes | None = None
        self._counts_from: float | None = None

    def __call__(self, reply: bytes) -> bytes | Pause | None:
        now = time.perf_counter()
        if self._held is not None:
            request, self._held = self._held, None
            self._counts_from = now
            return request
        step = self._source(reply)
        if not isinstance(step, bytes) or not step or not reply:
            return step
        if self._counts_from is not None:
            self._latencies_ms.append((now - self._counts_from) * 1000)
        due, self._due = self._due, self._due + self._every
        if due > now:
            self._held = step
            return Pause(due)
        self._counts_from = due
        return step
