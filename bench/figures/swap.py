"""(n) Another version of the rule set comes into force while messages are decided: what is lost, and how long it
pauses.

Transactional messages are sent and promotional ones to telephone numbers all over the world are evaluated, both at a
steady rate, while one version of the whole catalogue after the other comes into force, none of which was in use before.
A swap is felt, if at all, by requests that begin within a quarter of a second of it: before it the version is compiled,
after it its timetables are worked out.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import msgspec

from bench.figure import Figure, Settings, Target
from bench.load import percentile
from bench.messages_api import message, wait_until_done
from bench.servers import Chappe, chappe, data_folder
from bench.timelines import by_status, read_journeys

SENDING_CONNECTIONS = 2
EVALUATING_CONNECTIONS = 2
PER_SECOND_AND_CONNECTION = 100.0
BETWEEN_SWAPS_SECONDS = 0.5
AROUND_SECONDS = 0.25
PAUSE_P99_MS = 50.0
_TIMEOUT_SECONDS = 60.0
_COUNTRIES = ("1212", "1415", "1305", "4420", "3314", "4930", "3906", "3491", "5511", "9198", "8180", "6129", "4670")
"""The first digits of numbers, country code and area."""
_CHANGE = """rules:
- {{id: bench-extra, kind: suppression, jurisdiction: '*', regulation: House, citation: none, channels: [any],
   applies_to: both, action: block, severity: low, summary: 'Change {number}.', source: none, confidence: house}}
"""


class Request(NamedTuple):
    """When it began (`time.perf_counter`), how long it took, and the version that decided it."""

    begun: float
    took_ms: float
    version: int


@dataclass
class Felt:
    """What the clients of one kind met with."""

    requests: list[Request] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Swap:
    """One activation: when it was asked for, when it was answered, and what is in force then."""

    asked: float
    answered: float
    version: int


def run(settings: Settings) -> Figure:
    figure = Figure("n", "One new version of the whole catalogue after the other comes into force, under load")
    seconds = 6.0 if settings.quick else 30.0
    with data_folder(settings.folder) as data:
        with chappe(data) as server:
            sent, evaluated, swaps = _measure(server, seconds)
            wait_until_done(server)
        journeys = read_journeys(data)
    errors = sent.errors + evaluated.errors
    if errors:
        raise RuntimeError(f"{len(errors)} requests failed, the first with: {errors[0]}")
    lost = len(sent.requests) - by_status(journeys).get("sent", 0)
    for name, felt in (("messages sent", sent), ("messages evaluated", evaluated)):
        near, far = _split(felt, swaps)
        figure.rows += [_row(name, "around a swap", near), _row(name, "at other times", far)]
    pause_ms = percentile(sorted(_split(evaluated, swaps)[0] + _split(sent, swaps)[0]), 99)
    outdated = sum(_outdated(felt, swaps) for felt in (sent, evaluated))
    calls = sorted((swap.answered - swap.asked) * 1000 for swap in swaps)
    figure.targets += [
        Target(f"messages lost in {len(swaps)} swaps", 0, lost, at_most=True),
        Target("decisions by the old version that were begun after the swap", 0, outdated, at_most=True),
        Target("P99 of requests around a swap, ms", PAUSE_P99_MS, pause_ms, at_most=True),
    ]
    figure.notes.append(
        f"an activation is answered within {percentile(calls, 50):.1f} ms (median), {calls[-1]:.1f} ms at most"
    )
    return figure


def _measure(server: Chappe, seconds: float) -> tuple[Felt, Felt, list[Swap]]:
    versions = [_created(server, number) for number in range(int(seconds / BETWEEN_SWAPS_SECONDS))]
    sent, evaluated, stop = Felt(), Felt(), threading.Event()
    numbers = count()
    clients = [
        threading.Thread(target=_client, args=(server, "/v1/messages", _sends(numbers), sent, stop))
        for _ in range(SENDING_CONNECTIONS)
    ] + [
        threading.Thread(target=_client, args=(server, "/v1/messages:evaluate", _evaluations(numbers), evaluated, stop))
        for _ in range(EVALUATING_CONNECTIONS)
    ]
    for client in clients:
        client.start()
    swaps = []
    for version in versions:
        time.sleep(BETWEEN_SWAPS_SECONDS)
        asked = time.perf_counter()
        _call(server, f"/v1/rule-sets/{version}/activate", {"reason": "a benchmark"})
        swaps.append(Swap(asked, time.perf_counter(), version))
    stop.set()
    for client in clients:
        client.join()
    return sent, evaluated, swaps


def _created(server: Chappe, number: int) -> int:
    document = {"rules": _CHANGE.format(number=number), "base": 1, "reason": "a benchmark"}
    version: int = _call(server, "/v1/rule-sets", document)["rule_set"]["version"]
    return version


def _sends(numbers: Iterator[int]) -> Iterator[bytes]:
    for number in numbers:
        yield msgspec.json.encode(message("transactional", number))


def _evaluations(numbers: Iterator[int]) -> Iterator[bytes]:
    for number in numbers:
        start = _COUNTRIES[number % len(_COUNTRIES)]
        phone = f"+{start}{2_000_000 + number % 7_000_000}"
        yield msgspec.json.encode(
            {"to": {"phone": phone}, "channel": "sms", "purpose": "promotional", "content": {"text": "Hello."}}
        )


def _client(server: Chappe, path: str, bodies: Iterator[bytes], felt: Felt, stop: threading.Event) -> None:
    connection = http.client.HTTPConnection(*server.address, timeout=_TIMEOUT_SECONDS)
    headers = server.bearer()
    first = time.perf_counter()
    try:
        for turn in count():
            if stop.is_set():
                return
            time.sleep(max(0.0, first + turn / PER_SECOND_AND_CONNECTION - time.perf_counter()))
            body = next(bodies)
            begun = time.perf_counter()
            connection.request("POST", path, body=body, headers=headers)
            reply = connection.getresponse()
            answer = reply.read()
            took_ms = (time.perf_counter() - begun) * 1000
            if reply.status not in (200, 202):
                felt.errors.append(f"{reply.status} {answer[:300].decode(errors='replace')}")
                return
            version = msgspec.json.decode(answer)["decision"]["rule_set"]
            felt.requests.append(Request(begun, took_ms, version))
    except OSError as error:
        felt.errors.append(repr(error))
    finally:
        connection.close()


def _call(server: Chappe, path: str, document: dict[str, Any]) -> Any:
    connection = http.client.HTTPConnection(*server.address, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", path, body=msgspec.json.encode(document), headers=server.bearer())
        reply = connection.getresponse()
        answer = reply.read()
    finally:
        connection.close()
    if reply.status not in (200, 201):
        raise RuntimeError(f"{path} was answered {reply.status}: {answer[:300].decode(errors='replace')}")
    return msgspec.json.decode(answer)


def _split(felt: Felt, swaps: list[Swap]) -> tuple[list[float], list[float]]:
    """The latencies of requests around swaps, and of the others."""
    near: list[float] = []
    far: list[float] = []
    for request in felt.requests:
        around = any(
            swap.asked - AROUND_SECONDS / 5 <= request.begun <= swap.answered + AROUND_SECONDS for swap in swaps
        )
        (near if around else far).append(request.took_ms)
    return near, far


def _outdated(felt: Felt, swaps: list[Swap]) -> int:
    """Decisions that were begun after one swap was answered and over before the next, and not made by its version."""
    outdated = 0
    following = [*swaps[1:], None]
    for swap, later in zip(swaps, following, strict=True):
        until = float("inf") if later is None else later.asked
        outdated += sum(
            request.version != swap.version
            for request in felt.requests
            if request.begun > swap.answered and request.begun + request.took_ms / 1000 < until
        )
    return outdated


def _row(what: str, when: str, took_ms: list[float]) -> dict[str, Any]:
    ordered = sorted(took_ms)
    return {
        "what": what,
        "when": when,
        "requests": len(ordered),
        "P50 ms": percentile(ordered, 50),
        "P99 ms": percentile(ordered, 99),
        "most ms": ordered[-1],
    }
