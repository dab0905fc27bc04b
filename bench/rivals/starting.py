"""Start the rivals that are installed; say in one line each why the others are missing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.contender import Contender, SqsContender
from bench.figure import Figure
from bench.rivals import installing
from bench.rivals.jetstream import JetStream, JetStreamContender
from bench.rivals.redis_streams import Redis, RedisContender
from bench.rivals.sqs_servers import ElasticMq, GoAws, LocalStack, Moto, Rival, SmoothMq

_SQS: dict[str, Callable[[Path], Rival]] = {
    "moto": Moto,
    "localstack": LocalStack,
    "elasticmq": ElasticMq,
    "goaws": GoAws,
    "smoothmq": SmoothMq,
}
SQS_RIVALS = tuple(_SQS)
DURABLE_RIVALS = ("jetstream", "redis")


@contextlib.contextmanager
def running(name: str, folder: Path) -> Iterator[Contender]:
    """One rival, stopped afterwards. Raises `RuntimeError` if it does not start."""
    if name == "jetstream":
        server: JetStream | Redis | Rival = JetStream(folder)
    elif name == "redis":
        server = Redis(folder)
    else:
        server = _SQS[name](folder)
    try:
        if isinstance(server, Rival):
            server.wait_until_answering()
            yield SqsContender(server)
        else:
            server.wait_until_listening()
            yield JetStreamContender(server) if isinstance(server, JetStream) else RedisContender(server)
    finally:
        server.stop()


def present(names: Sequence[str], figure: Figure) -> list[str]:
    """Those of the rivals that are installed; the figure is told of the others."""
    for name in names:
        if not installing.installed(name):
            figure.notes.append(f"{name} is missing: {installing.why_missing(name)}")
    return [name for name in names if installing.installed(name)]
