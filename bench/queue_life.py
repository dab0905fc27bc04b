"""Connections that live messages through: send a batch, receive one, delete it, and again."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator

import msgspec

from bench.life_log import LifeLog
from bench.signing import Signer

BATCH = 10
BODY_BYTES = 1024
_DISTINCT_REQUESTS = 64


class Received(msgspec.Struct, rename="pascal"):
    """A message; the body is left as JSON, because most do not look at it."""

    receipt_handle: str
    body: msgspec.Raw


class _Reply(msgspec.Struct, rename="pascal"):
    messages: list[Received] = []
    failed: list[msgspec.Raw] = []


_reply = msgspec.json.Decoder(_Reply)


class Lives(LifeLog):
    """The connections to one queue of a server that speaks SQS."""

    def __init__(self, signer: Signer, queue_url: str) -> None:
        super().__init__()
        self.queue_url = queue_url
        self.signer = signer
        self._sends = itertools.cycle(self.prepared_sends())
        self._numbers = itertools.count()
        self.receive = signer.by_botocore(
            "ReceiveMessage", {"QueueUrl": queue_url, "MaxNumberOfMessages": BATCH, "WaitTimeSeconds": 1}
        )

    def connection(self) -> Connection:
        """A source for `drive`."""
        return Connection(self, next(self._numbers))

    def prepared_sends(self) -> list[bytes]:
        """Requests to be used in turn, by all connections."""
        return _send_requests(self.signer, self.queue_url)

    def next_send(self, connection: int) -> bytes:
        """The next batch of a connection."""
        return next(self._sends)

    def received(self, messages: list[Received]) -> None:
        """Told of each batch received, before it is deleted."""


class Connection:
    """One connection's script."""

    def __init__(self, lives: Lives, number: int) -> None:
        self._lives = lives
        self._number = number
        self._steps = self._script()
        next(self._steps)

    def __call__(self, reply: bytes) -> bytes:
        return self._steps.send(reply)

    def _script(self) -> Generator[bytes, bytes, None]:
        lives = self._lives
        yield b""
        while True:
            reply = yield from self._timed("send", lives.next_send(self._number))
            _check(reply)
            left = BATCH
            while left > 0:
                received = yield from self._timed("receive", lives.receive)
                messages = _check(received).messages
                if messages:
                    lives.received(messages)
                    receipts = [message.receipt_handle for message in messages]
                    reply = yield from self._timed("delete", _delete_request(lives, receipts))
                    _check(reply)
                    lives.deletions.append((time.perf_counter(), len(receipts)))
                    left -= len(receipts)

    def _timed(self, operation: str, request: bytes) -> Generator[bytes, bytes, bytes]:
        asked = time.perf_counter()
        reply = yield request
        self._lives.latencies_ms[operation].append((time.perf_counter() - asked) * 1000)
        return reply


def _check(reply: bytes) -> _Reply:
    decoded = _reply.decode(reply)
    if decoded.failed or b'"__type"' in reply:
        raise RuntimeError(f"a request failed: {reply[:500]!r}")
    return decoded


def _send_requests(signer: Signer, queue_url: str) -> list[bytes]:
    requests = []
    for number in range(_DISTINCT_REQUESTS):
        entries = [{"Id": str(n), "MessageBody": f"{number:08}{n}".ljust(BODY_BYTES, "x")} for n in range(BATCH)]
        requests.append(signer.by_botocore("SendMessageBatch", {"QueueUrl": queue_url, "Entries": entries}))
    return requests


def _delete_request(lives: Lives, receipts: list[str]) -> bytes:
    entries = [{"Id": str(n), "ReceiptHandle": receipt} for n, receipt in enumerate(receipts)]
    body = msgspec.json.encode({"QueueUrl": lives.queue_url, "Entries": entries})
    return lives.signer.sign("DeleteMessageBatch", body)
