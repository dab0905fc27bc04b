"""Celery with kombu's SQS transport: a worker of its own process takes tasks, late ones and failing ones too."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.wire.live import GIVE_UP_SECONDS, REGION, LiveServer

if find_spec("celery") is None:
    pytest.skip("Celery is not installed", allow_module_level=True)
if find_spec("pycurl") is None:
    pytest.skip("pycurl, which kombu's SQS transport needs, is not installed", allow_module_level=True)

APPLICATION = """
from pathlib import Path

from celery import Celery

app = Celery("shop", broker={broker!r})
app.conf.update(
    task_default_queue="celery-tasks",
    broker_connection_retry_on_startup=True,
    broker_transport_options={{"region": {region!r}, "is_secure": False, "wait_time_seconds": 1}},
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
)


@app.task(bind=True, max_retries=3)
def note(self, line, fail_times=0):
    if self.request.retries < fail_times:
        raise self.retry(countdown=0)
    with Path({results!r}).open("a") as results:
        results.write(f"{{line}} after {{self.request.retries}}\\n")
"""
PRODUCER = """
import sys
sys.path.insert(0, {folder!r})
from shop import note
for n in range(5):
    note.delay(f"task {{n}}")
note.apply_async(["late"], countdown=1)
note.delay("stubborn", fail_times=2)
"""


@pytest.fixture
def project(tmp_path: Path, server: LiveServer) -> Path:
    """A folder with an application that notes its tasks in a file."""
    key = server.access_key
    broker = f"sqs://{quote(key.id, safe='')}:{quote(key.secret, safe='')}@{server.url.removeprefix('http://')}//"
    results = str(tmp_path / "results")
    (tmp_path / "shop.py").write_text(APPLICATION.format(broker=broker, region=REGION, results=results))
    return tmp_path


@pytest.fixture
def worker(project: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    options = ["--pool", "solo", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
    with (project / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "shop", "worker", *options],
            cwd=project,
            env=environment,
            stdout=log,
            stderr=log,
        )
        yield process
        process.terminate()
        try:
            process.wait(GIVE_UP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_a_worker_runs_every_task_once(
    project: Path, worker: subprocess.Popen[bytes], environment: dict[str, str]
) -> None:
    producer = PRODUCER.format(folder=str(project))
    subprocess.run([sys.executable, "-c", producer], env=environment, check=True, timeout=GIVE_UP_SECONDS)
    expected = sorted([*(f"task {n} after 0" for n in range(5)), "late after 0", "stubborn after 2"])
    results = project / "results"
    limit = time.monotonic() + 2 * GIVE_UP_SECONDS
    while not results.exists() or len(results.read_text().splitlines()) < len(expected):
        assert worker.poll() is None, (project / "log").read_text()
        assert time.monotonic() < limit, (project / "log").read_text()
        time.sleep(0.05)
    assert sorted(results.read_text().splitlines()) == expected
