"""Take turns: the same work for Chappe and its rivals, in one run, as ratios."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.contender import Contender, SqsContender
from bench.figure import Figure, Settings, Target, median
from bench.life_log import LifeLog
from bench.load import Samples, Source, drive
from bench.rivals.starting import present, running
from bench.servers import chappe, data_folder

_WARM_UP_SECONDS = 3.0
"""So that what compiles itself while it runs (Java) is measured compiled."""
DRAIN_SECONDS = 15.0
"""What one round leaves under way must not fall into the next."""
_SHARE_OF_SECONDS = 0.4
"""Six servers take turns; together they should not take longer than other figures."""


@dataclass(frozen=True)
class Measured:
    """One round of one contender. `per_second` counts messages; the latencies are those of single requests."""

    per_second: float
    samples: Samples
    cpu_us_per_message: float | None
    log: LifeLog | None = None


Work = Callable[[Contender, int, float, float], Measured]
"""Contender, connections, seconds, seconds of warming up."""


@contextlib.contextmanager
def contenders(rivals: Sequence[str], settings: Settings, figure: Figure) -> Iterator[list[Contender]]:
    """Chappe and the rivals that are there, all running; the figure is told of those that are not."""
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(data_folder(settings.folder))
        found: list[Contender] = [SqsContender(stack.enter_context(chappe(data)))]
        for name in present(rivals, figure):
            try:
                found.append(stack.enter_context(running(name, data.parent)))
            except (OSError, RuntimeError) as error:
                figure.notes.append(f"{name} is missing: it did not start: {' '.join(str(error).split())[-200:]}")
        yield found


def send(contender: Contender, connections: int, seconds: float, warm_up_seconds: float) -> Measured:
    """Single sends, each acknowledged before the next of its connection."""
    return _measure(contender, contender.senders(connections), seconds, warm_up_seconds)


def live(contender: Contender, connections: int, seconds: float, warm_up_seconds: float) -> Measured:
    """Whole lives in batches of ten; a message counts when its deletion is acknowledged."""
    log, sources = contender.lives(connections)
    return measure_lives(contender, log, sources, seconds, warm_up_seconds)


def measure_lives(
    contender: Contender, log: LifeLog, sources: Sequence[Source], seconds: float, warm_up_seconds: float
) -> Measured:
    """Drive connections that keep a log."""
    return _measure(contender, sources, seconds, warm_up_seconds, log)


def rounds(
    found: Sequence[Contender], work: Work, connections: Sequence[int], settings: Settings
) -> dict[tuple[int, str], list[Measured]]:
    """Everybody measured in turns, at each number of connections, after everybody was warmed up."""
    for contender in found:
        work(contender, max(connections), 0.5 if settings.quick else _WARM_UP_SECONDS, 0.0)
    measured: dict[tuple[int, str], list[Measured]] = {}
    seconds = settings.seconds * _SHARE_OF_SECONDS
    for count in connections:
        for _ in range(settings.rounds):
            for contender in found:
                measured.setdefault((count, contender.name), []).append(work(contender, count, seconds, 0.3))
    return measured


def typical(measured: Sequence[Measured]) -> Measured:
    """The round with the median rate."""
    middle = median([each.per_second for each in measured])
    return next(each for each in measured if each.per_second == middle)


def ratios(ours: Measured, each: Measured) -> dict[str, float | None]:
    """The columns that compare: by rate, and by the processor time of the server per message, which other work on
    the machine changes little.
    """
    by_cpu = None
    if ours.cpu_us_per_message and each.cpu_us_per_message:
        by_cpu = each.cpu_us_per_message / ours.cpu_us_per_message
    return {
        "Chappe, times": ours.per_second / each.per_second if each.per_second else None,
        "by CPU, times": by_cpu,
        "CPU us/message": each.cpu_us_per_message,
        "client CPU": each.samples.client_cpu,
    }


def beside(figure: Figure, what: str, times: float, ours: float, theirs: dict[str, float]) -> None:
    """A target beside the best of some rivals; none when there is no rival."""
    if theirs:
        best = max(theirs, key=lambda name: theirs[name])
        figure.targets.append(Target(f"{what}, times {best}", times, ours / theirs[best]))


def _measure(
    contender: Contender,
    sources: Sequence[Source],
    seconds: float,
    warm_up_seconds: float,
    log: LifeLog | None = None,
) -> Measured:
    samples = drive(
        contender.server.address,
        sources,
        seconds=seconds,
        warm_up_seconds=warm_up_seconds,
        framing=contender.framing,
        drain_seconds=DRAIN_SECONDS,
        meter=lambda: contender.server.cpu_seconds,
    )
    if samples.errors:
        raise RuntimeError(f"requests to {contender.name} failed: {samples.errors}")
    done = log.deleted_between(samples.begun, samples.seconds) if log else samples.requests
    cpu_us = samples.metered * 1e6 / done if done else None
    return Measured(done / samples.seconds, samples, cpu_us, log)
