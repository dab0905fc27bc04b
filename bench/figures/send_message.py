"""(a) SendMessage, 1 KB, signed and committed to disk, beside an echo server that only parses the request."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from bench.figure import Figure, Settings, Target, median
from bench.load import Samples, Source, drive
from bench.servers import Process, chappe, data_folder, echo
from bench.signing import Signer

CONNECTIONS = (1, 32, 128)
BODY_BYTES = 1024
_DISTINCT_REQUESTS = 512


@dataclass(frozen=True)
class _Measured:
    samples: Samples
    cpu_us_per_request: float
    """Processor time of the server, which other load on the machine does not change much."""


@dataclass(frozen=True)
class _Round:
    chappe: _Measured
    echo: _Measured


def run(settings: Settings) -> Figure:
    """Both servers share the server core and take turns, so that what else the machine does falls on both."""
    figure = Figure("a", "SendMessage, 1 KB, SigV4, synced to disk")
    with data_folder(settings.folder) as data, chappe(data) as server, echo() as rival:
        url = server.create_queue("bench")
        for connections in CONNECTIONS:
            rounds = []
            for _ in range(settings.rounds):
                requests = _requests(server.signer(), url)
                rounds.append(
                    _Round(
                        _drive(server, requests, connections, settings), _drive(rival, requests, connections, settings)
                    )
                )
            _add(figure, connections, rounds)
    return figure


def _requests(signer: Signer, queue_url: str) -> list[bytes]:
    bodies = (f"{number:08}".ljust(BODY_BYTES, "x") for number in range(_DISTINCT_REQUESTS))
    return [signer.by_botocore("SendMessage", {"QueueUrl": queue_url, "MessageBody": body}) for body in bodies]


def _drive(server: Process, requests: list[bytes], connections: int, settings: Settings) -> _Measured:
    turns = itertools.cycle(requests)
    source: Source = lambda _: next(turns)  # noqa: E731
    drive(server.address, [source] * connections, seconds=0.5)
    cpu_before = server.cpu_seconds
    samples = drive(server.address, [source] * connections, seconds=settings.seconds)
    if samples.errors:
        raise RuntimeError(f"requests failed: {samples.errors}")
    return _Measured(samples, (server.cpu_seconds - cpu_before) * 1e6 / samples.requests)


def _add(figure: Figure, connections: int, rounds: list[_Round]) -> None:
    ours = _row(connections, "Chappe", [each.chappe for each in rounds])
    theirs = _row(connections, "echo", [each.echo for each in rounds])
    ratio = ours["requests/s"] / theirs["requests/s"]
    figure.rows += [ours | {"ratio": ratio}, theirs | {"ratio": 1.0}]
    if connections == 128:
        by_cpu = theirs["server CPU us/request"] / ours["server CPU us/request"]
        figure.notes.append(
            f"by the server's processor time per request the ratio is {by_cpu:.2f}; where the two differ,"
        )
        figure.notes.append("other work on the machine, or a client that is the limit, has held the echo server back")
        figure.targets.append(Target("requests/s beside the echo server, 128 connections", 0.5, ratio))
    if connections == 32:
        figure.targets.append(Target("P99 in ms, 32 connections", 10.0, ours["P99 ms"], at_most=True))


def _row(connections: int, server: str, rounds: list[_Measured]) -> dict[str, Any]:
    return {
        "connections": connections,
        "server": server,
        "requests/s": median([each.samples.per_second for each in rounds]),
        "P50 ms": median([each.samples.percentile_ms(50) for each in rounds]),
        "P99 ms": median([each.samples.percentile_ms(99) for each in rounds]),
        "server CPU us/request": median([each.cpu_us_per_request for each in rounds]),
        "client CPU": median([each.samples.client_cpu for each in rounds]),
    }
