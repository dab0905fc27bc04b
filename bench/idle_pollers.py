"""Many long pollers that wait for nothing: what they cost, and how soon one message wakes its poller."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import msgspec

from bench.load import Pause, Source, drive
from bench.sqs_server import SqsServer

_LONGEST_POLL_SECONDS = 20
_CREATING_CONNECTIONS = 8
_WATCH_SECONDS = 0.001
_WAKE_PATIENCE_SECONDS = 5.0
_ARRIVAL_PATIENCE_SECONDS = 60.0


@dataclass
class Waiting:
    """What waiting costs, and how waking went. `idle_cpu` is the share of one core."""

    pollers: int
    mb_before: float
    mb: float = 0.0
    idle_cpu: float = 0.0
    woken_ms: list[float] = field(default_factory=list)
    """Ascending, from sending the message to the poller's having it."""
    not_woken: int = 0

    @property
    def kb_per_poller(self) -> float:
        return (self.mb - self.mb_before) * 1000 / self.pollers


def create_queues(server: SqsServer, prefix: str, count: int) -> list[str]:
    """The URLs of `count` new queues, made over a few connections."""
    signer = server.signer()
    numbers = iter(range(count))
    urls: list[str] = []

    def source(reply: bytes) -> bytes | None:
        if reply:
            urls.append(msgspec.json.decode(reply)["QueueUrl"])
        number = next(numbers, None)
        if number is None:
            return None
        return signer.sign("CreateQueue", msgspec.json.encode({"QueueName": f"{prefix}-{number}"}))

    samples = drive(server.address, [source] * _CREATING_CONNECTIONS, seconds=600)
    if len(urls) != count or samples.errors:
        raise RuntimeError(f"{len(urls)} of {count} queues were made; errors: {samples.errors}")
    return urls


def measure(server: SqsServer, urls: Sequence[str], *, idle_seconds: float, wake_seconds: float) -> Waiting:
    """One poller on each queue; then one message to one queue after the other, for at most `wake_seconds`."""
    watch = _Watch(server, urls, idle_seconds, wake_seconds)
    sources: list[Source] = [watch.poller(number) for number in range(len(urls))]
    longest = _ARRIVAL_PATIENCE_SECONDS + idle_seconds + wake_seconds + _WAKE_PATIENCE_SECONDS
    drive(server.address, [*sources, watch.sender()], seconds=longest, done=lambda: watch.done)
    if not watch.done:
        raise RuntimeError("the measurement of waiting pollers did not end in time")
    watch.waiting.woken_ms.sort()
    return watch.waiting


class _Watch:
    def __init__(self, server: SqsServer, urls: Sequence[str], idle_seconds: float, wake_seconds: float) -> None:
        self.server = server
        self.urls = urls
        self.idle_seconds = idle_seconds
        self.wake_seconds = wake_seconds
        self.waiting = Waiting(len(urls), server.resident_mb)
        self.done = False
        self._signer = server.signer()
        self._arrived: dict[int, float] = {}

    def poller(self, number: int) -> Source:
        parameters = {"QueueUrl": self.urls[number], "WaitTimeSeconds": _LONGEST_POLL_SECONDS}
        request = self._signer.sign("ReceiveMessage", msgspec.json.encode(parameters))

        def source(reply: bytes) -> bytes:
            if b'"ReceiptHandle"' in reply:
                self._arrived.setdefault(number, time.perf_counter())
            elif b'"__type"' in reply:
                raise RuntimeError(f"a poll failed: {reply[:500]!r}")
            return request

        return source

    def sender(self) -> Source:
        script = self._script()
        next(script)
        return script.send

    def _script(self) -> Generator[bytes | Pause | None, bytes, None]:
        yield None
        yield from self._settle()
        cpu_before, begun = self.server.cpu_seconds, time.perf_counter()
        yield Pause(begun + self.idle_seconds)
        self.waiting.mb = self.server.resident_mb
        self.waiting.idle_cpu = (self.server.cpu_seconds - cpu_before) / (time.perf_counter() - begun)
        end = time.perf_counter() + self.wake_seconds
        for number in range(len(self.urls)):
            if time.perf_counter() > end:
                break
            yield from self._wake(number)
        self.done = True
        yield None

    def _settle(self) -> Generator[Pause, bytes, None]:
        """Until the server is done with the arrival of all pollers: it uses no more processor time than before."""
        used = [self.server.cpu_seconds]
        end = time.perf_counter() + _ARRIVAL_PATIENCE_SECONDS
        for _ in itertools.count():
            yield Pause(time.perf_counter() + 1.0)
            used.append(self.server.cpu_seconds)
            busy = [later - earlier for earlier, later in itertools.pairwise(used[-4:])]
            if time.perf_counter() > end or (len(busy) == 3 and max(busy) - min(busy) < 0.1):
                return

    def _wake(self, number: int) -> Generator[bytes | Pause, bytes, None]:
        parameters = {"QueueUrl": self.urls[number], "MessageBody": "wake up"}
        request = self._signer.sign("SendMessage", msgspec.json.encode(parameters))
        sent_at = time.perf_counter()
        reply = yield request
        if b'"MessageId"' not in reply:
            raise RuntimeError(f"a send failed: {reply[:500]!r}")
        while number not in self._arrived:
            if time.perf_counter() > sent_at + _WAKE_PATIENCE_SECONDS:
                self.waiting.not_woken += 1
                return
            yield Pause(time.perf_counter() + _WATCH_SECONDS)
        self.waiting.woken_ms.append((self._arrived[number] - sent_at) * 1000)
