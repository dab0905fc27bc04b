"""One server for the tests of a module; `fresh_server` gives one that a test may stop or starve."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.wire.live import LiveServer

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("data")).start()
    yield live
    live.stop()


@pytest.fixture
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LiveServer]]:
    with ExitStack() as stack:

        def start(**settings: Any) -> LiveServer:
            folder: Path = tmp_path_factory.mktemp("data")
            live = LiveServer(folder, **settings).start()
            stack.callback(live.stop)
            return live

        yield start


@pytest.fixture(scope="module", params=["json", "query"])
def protocol(request: pytest.FixtureRequest) -> str:
    """Each test that speaks through `sqs` runs once in each protocol."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def sqs(server: LiveServer, protocol: str) -> Iterator[Any]:
    client = server.client(protocol=protocol)
    yield client
    client.close()


@pytest.fixture
def new_name() -> Callable[..., str]:
    """A queue name that no other test uses."""
    return lambda suffix="": f"queue-{next(_numbers)}{suffix}"


@pytest.fixture
def queue(sqs: Any, new_name: Callable[..., str]) -> str:
    url: str = sqs.create_queue(QueueName=new_name())["QueueUrl"]
    return url


@pytest.fixture
def fifo(sqs: Any, new_name: Callable[..., str]) -> str:
    url: str = sqs.create_queue(QueueName=new_name(".fifo"), Attributes={"FifoQueue": "true"})["QueueUrl"]
    return url
