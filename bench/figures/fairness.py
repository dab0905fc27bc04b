"""(k) Fair queues: how long a quiet tenant's messages dwell beside a neighbour with 1,000 times its traffic."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import msgspec

from bench.figure import Figure, Settings, Target
from bench.load import Pause, Source, drive, percentile
from bench.queue_life import BATCH
from bench.servers import chappe, data_folder
from bench.sqs_server import SqsServer

QUIET_PER_SECOND = 10
NOISY_TIMES = 1_000
WORKERS = 10
WORK_SECONDS_PER_MESSAGE = 0.005
BODY_BYTES = 512
_NOISY_CONNECTIONS = 8
_LEAD_SECONDS = 3.0
_DISTINCT_REQUESTS = 64
_QUIET = "quiet"

_Script = Generator[bytes | Pause, bytes, None]


class _Received(msgspec.Struct, rename="pascal"):
    receipt_handle: str
    body: str


class _Reply(msgspec.Struct, rename="pascal"):
    messages: list[_Received] = []


_reply = msgspec.json.Decoder(_Reply)


@dataclass
class _Traffic:
    """What went through one queue. Quiet messages are known by their number."""

    sent_at: dict[int, float] = field(default_factory=dict)
    dwell_ms: dict[int, float] = field(default_factory=dict)
    never_received: int = 0
    noisy_sent: int = 0
    consumed: int = 0


def run(settings: Settings) -> Figure:
    capacity = WORKERS / WORK_SECONDS_PER_MESSAGE
    figure = Figure(
        "k",
        f"Dwell of a quiet tenant ({QUIET_PER_SECOND} messages/s) beside one of {NOISY_TIMES:,} times its traffic; "
        f"consumers manage {capacity:,.0f}/s at most",
    )
    alone = _add(figure, "alone", settings, noisy=False, grouped=True)
    _add(figure, "neighbour, no MessageGroupId", settings, noisy=True, grouped=False)
    beside = _add(figure, "neighbour, MessageGroupId each", settings, noisy=True, grouped=True)
    bound = alone + BATCH * WORK_SECONDS_PER_MESSAGE * 1000
    figure.targets.append(Target("P99 dwell in ms beside the neighbour", bound, beside, at_most=True))
    figure.notes.append(
        "dwell is from sending to the arrival at a consumer. The target is the P99 alone and the time one"
    )
    figure.notes.append(
        "batch takes its consumer: when all are busy, a message waits for the first that is done. Messages"
    )
    figure.notes.append("not received by the end count with the time they had waited until then; more is not known")
    return figure


def _add(figure: Figure, what: str, settings: Settings, *, noisy: bool, grouped: bool) -> float:
    seconds = settings.seconds * (2 if settings.quick else 6)
    with data_folder(settings.folder) as data, chappe(data) as server:
        traffic = _Tenants(server, grouped=grouped).run(seconds, noisy=noisy)
    waits_ms = sorted(traffic.dwell_ms.values())
    whole_seconds = seconds + _LEAD_SECONDS
    p99_ms = percentile(waits_ms, 99)
    figure.rows.append(
        {
            "quiet tenant": what,
            "noisy sent/s": traffic.noisy_sent / whole_seconds,
            "consumed/s": traffic.consumed / whole_seconds,
            "quiet sent": len(traffic.sent_at),
            "received": len(traffic.sent_at) - traffic.never_received,
            "P50 ms": percentile(waits_ms, 50),
            "P99 ms": p99_ms,
            "max ms": waits_ms[-1],
            "P99, times alone": p99_ms / figure.rows[0]["P99 ms"] if figure.rows else 1.0,
        }
    )
    return p99_ms


class _Tenants:
    """Two tenants and the consumers of one standard queue, on one clock."""

    def __init__(self, server: SqsServer, *, grouped: bool) -> None:
        self.server = server
        self.grouped = grouped
        self.url = server.create_queue("tenants")
        self.signer = server.signer()
        self.traffic = _Traffic()

    def run(self, seconds: float, *, noisy: bool) -> _Traffic:
        begun = time.perf_counter()
        sources = [_started(self._consume()) for _ in range(WORKERS)]
        sources.append(_started(self._quiet(begun + _LEAD_SECONDS)))
        if noisy:
            requests = itertools.cycle(self._noisy_requests())
            every = BATCH * _NOISY_CONNECTIONS / (QUIET_PER_SECOND * NOISY_TIMES)
            for number in range(_NOISY_CONNECTIONS):
                first_due = begun + every * number / _NOISY_CONNECTIONS
                sources.append(_started(self._noisy(requests, first_due, every)))
        samples = drive(self.server.address, sources, seconds=seconds + _LEAD_SECONDS)
        if samples.errors:
            raise RuntimeError(f"requests failed: {samples.errors}")
        ended = time.perf_counter()
        self.traffic.never_received = len(self.traffic.sent_at) - len(self.traffic.dwell_ms)
        for number, sent_at in self.traffic.sent_at.items():
            self.traffic.dwell_ms.setdefault(number, (ended - sent_at) * 1000)
        return self.traffic

    def _quiet(self, first_due: float) -> _Script:
        for number in itertools.count():
            yield Pause(first_due + number / QUIET_PER_SECOND)
            message = {"QueueUrl": self.url, "MessageBody": f"{_QUIET} {number}".ljust(BODY_BYTES)}
            if self.grouped:
                message["MessageGroupId"] = _QUIET
            request = self.signer.sign("SendMessage", msgspec.json.encode(message))
            self.traffic.sent_at[number] = time.perf_counter()
            yield request

    def _noisy(self, requests: Iterator[bytes], due: float, every: float) -> _Script:
        while True:
            if due > time.perf_counter():
                yield Pause(due)
            due += every
            reply = yield next(requests)
            if b'"Failed":[{' in reply:
                raise RuntimeError(f"a batch failed: {reply[:500]!r}")
            self.traffic.noisy_sent += BATCH

    def _noisy_requests(self) -> list[bytes]:
        group = {"MessageGroupId": "noisy"} if self.grouped else {}
        requests = []
        for number in range(_DISTINCT_REQUESTS):
            bodies = (f"noisy {number} {place}".ljust(BODY_BYTES) for place in range(BATCH))
            entries = [{"Id": str(place), "MessageBody": body} | group for place, body in enumerate(bodies)]
            requests.append(self.signer.by_botocore("SendMessageBatch", {"QueueUrl": self.url, "Entries": entries}))
        return requests

    def _consume(self) -> _Script:
        parameters = {"QueueUrl": self.url, "MaxNumberOfMessages": BATCH, "WaitTimeSeconds": 1}
        receive = self.signer.by_botocore("ReceiveMessage", parameters)
        while True:
            messages = _reply.decode((yield receive)).messages
            if not messages:
                continue
            self._note(messages, time.perf_counter())
            yield Pause(time.perf_counter() + len(messages) * WORK_SECONDS_PER_MESSAGE)
            entries = [{"Id": str(n), "ReceiptHandle": message.receipt_handle} for n, message in enumerate(messages)]
            body = msgspec.json.encode({"QueueUrl": self.url, "Entries": entries})
            yield self.signer.sign("DeleteMessageBatch", body)
            self.traffic.consumed += len(messages)

    def _note(self, messages: list[_Received], now: float) -> None:
        for message in messages:
            tenant, number = message.body.split()[:2]
            if tenant == _QUIET:
                self.traffic.dwell_ms.setdefault(int(number), (now - self.traffic.sent_at[int(number)]) * 1000)


def _started(script: _Script) -> Source:
    """A source for `drive`: its first call, with an empty reply, runs the script up to its first step."""
    begun = False

    def source(reply: bytes) -> bytes | Pause:
        nonlocal begun
        if begun:
            return script.send(reply)
        begun = True
        return next(script)

    return source
