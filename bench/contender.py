"""What takes part in a comparison: a server, and connections that give it the same work in its own protocol."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Protocol

from bench.fifo_life import FifoLives
from bench.framing import Framing, http_reply
from bench.life_log import LifeLog
from bench.load import Source
from bench.process import Process
from bench.queue_life import BODY_BYTES, Lives
from bench.sqs_server import SqsServer

_DISTINCT_REQUESTS = 512


class Contender(Protocol):
    """Each call makes a queue of its own, so that no round inherits the backlog of another."""

    name: str
    durable: str
    speaks_sqs: bool
    framing: Framing
    server: Process

    def senders(self, connections: int) -> Sequence[Source]:
        """Connections that send one message of `BODY_BYTES` after the other, each acknowledged."""

    def lives(self, connections: int) -> tuple[LifeLog, Sequence[Source]]:
        """Connections that send ten messages, receive ten and delete them, and so on."""


class SqsContender:
    """A server that speaks SQS; all get the same requests, signed beforehand."""

    framing = staticmethod(http_reply)
    speaks_sqs = True

    def __init__(self, server: SqsServer) -> None:
        self.server = server
        self.name = server.name
        self.durable = server.durable
        self._queues = itertools.count()

    def senders(self, connections: int) -> Sequence[Source]:
        signer, url = self.server.signer(), self.server.create_queue(f"send-{next(self._queues)}")
        bodies = (f"{number:08}".ljust(BODY_BYTES, "x") for number in range(_DISTINCT_REQUESTS))
        requests = [signer.by_botocore("SendMessage", {"QueueUrl": url, "MessageBody": body}) for body in bodies]
        turns = itertools.cycle(requests)
        return [lambda _: next(turns)] * connections

    def lives(self, connections: int) -> tuple[LifeLog, Sequence[Source]]:
        lives = Lives(self.server.signer(), self.server.create_queue(f"lives-{next(self._queues)}"))
        return lives, [lives.connection() for _ in range(connections)]

    def fifo_lives(self) -> FifoLives:
        """Whole lives through a new FIFO queue."""
        url = self.server.create_queue(f"fifo-{next(self._queues)}.fifo", FifoQueue="true")
        return FifoLives(self.server.signer(), url)
