"""dramatiq's SQS broker: actors run, retries are delayed, what fails for good is a dead letter."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.wire.live import GIVE_UP_SECONDS

if find_spec("dramatiq_sqs") is None:
    pytest.skip("dramatiq-sqs is not installed", allow_module_level=True)

PROGRAM = """
import os
import threading

import dramatiq
from dramatiq import Worker
from dramatiq.middleware import AgeLimit, Callbacks, Retries
from dramatiq_sqs import SQSBroker

broker = SQSBroker(
    namespace="shop",
    middleware=[AgeLimit(), Callbacks(), Retries(max_retries=2, min_backoff=0, max_backoff=1)],
    dead_letter=True,
    tags={"team": "a"},
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
)
dramatiq.set_broker(broker)
added, retried, failing = [], [], []
done = threading.Semaphore(0)


@dramatiq.actor
def add(a, b):
    added.append(a + b)
    done.release()


@dramatiq.actor
def stubborn():
    retried.append(1)
    if len(retried) < 3:
        raise RuntimeError("not yet")
    done.release()


@dramatiq.actor
def hopeless():
    failing.append(1)
    raise RuntimeError("never")


worker = Worker(broker, worker_threads=2, worker_timeout=100)
worker.start()
add.send_with_options(args=(100, 0), delay=1000)
for n in range(5):
    add.send(n, n)
stubborn.send()
hopeless.send()
for _ in range(7):
    assert done.acquire(timeout=30), (added, retried)
letters = []
while not letters:
    letters = broker.sqs.get_queue_by_name(QueueName="shop_default_dlq").receive_messages(WaitTimeSeconds=5)
worker.stop(5000)
assert sorted(added) == [0, 2, 4, 6, 8, 100], added
assert len(failing) == 3
print("done")
"""


def test_a_worker_runs_every_actor(tmp_path: Path, environment: dict[str, str]) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * GIVE_UP_SECONDS,
    )
    assert done.stdout.endswith("done\n"), done.stderr[-3000:]
