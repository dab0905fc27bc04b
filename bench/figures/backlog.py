"""(e) What an operation costs, what memory the server takes and how long it starts, by the length of the backlog."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.figure import Figure, Settings, Target
from bench.load import drive
from bench.queue_life import BODY_BYTES, Lives
from bench.servers import Chappe, chappe, data_folder, started

BACKLOGS = (1_000, 1_000_000, 10_000_000)
CONNECTIONS = 16
_QUEUE_FILE = "queues.db"
_DISK_BYTES_PER_MESSAGE = 2 * BODY_BYTES
_NOISE = 1.25
"""How much the cost may differ between backlogs and still count as flat."""


@dataclass(frozen=True)
class _Load:
    messages_per_second: float
    cpu_us_per_message: float
    lives: Lives


def run(settings: Settings) -> Figure:
    """Messages keep being sent, received and deleted, ten at a time, while the backlog stays what it is."""
    figure = Figure("e", "Cost per message and memory by backlog: send, receive, delete in batches of 10, 1 KB")
    for backlog in BACKLOGS[:-1] if settings.quick else BACKLOGS:
        free = shutil.disk_usage(settings.folder).free
        if free < backlog * _DISK_BYTES_PER_MESSAGE:
            figure.notes.append(f"{backlog:,} messages were left out: the disk has {free / 1e9:.0f} GB free")
            continue
        figure.rows.append(_measure(backlog, settings))
    _judge(figure)
    return figure


def _measure(backlog: int, settings: Settings) -> dict[str, float]:
    with data_folder(settings.folder) as data:
        with chappe(data) as server:
            url = server.create_queue("bench")
        fill_seconds = _fill(data, backlog)
        server, start_seconds = started(data)
        try:
            resident_at_start_mb = server.resident_mb
            load = _load(server, url, settings)
            resident_mb = server.resident_mb
            server.stop(signal.SIGKILL)
            server, restart_seconds = started(data)
        finally:
            server.stop()
    return {
        "backlog": backlog,
        "messages/s": load.messages_per_second,
        "CPU us/message": load.cpu_us_per_message,
        "send ms": load.lives.p50_ms("send"),
        "receive ms": load.lives.p50_ms("receive"),
        "delete ms": load.lives.p50_ms("delete"),
        "start s": start_seconds,
        "after kill -9 s": restart_seconds,
        "MB at start": resident_at_start_mb,
        "MB loaded": resident_mb,
        "filled/s": backlog / fill_seconds,
    }


def _fill(data: Path, messages: int) -> float:
    folder = next(data.rglob(_QUEUE_FILE)).parent
    command = [sys.executable, "-m", "bench.fill", str(folder), "--messages", str(messages)]
    command += ["--queue", "us-east-1:000000000000:bench", "--body-bytes", str(BODY_BYTES)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"filling the queue failed: {done.stderr[-2000:]}")
    seconds: float = json.loads(done.stdout)["seconds"]
    return seconds


def _load(server: Chappe, url: str, settings: Settings) -> _Load:
    url = url.replace(url.split("/")[2], f"{server.address[0]}:{server.port}")
    lives = Lives(server.signer(), url)
    sources = [lives.connection() for _ in range(CONNECTIONS)]
    drive(server.address, sources, seconds=1.0)
    deleted_before, cpu_before = sum(count for _, count in lives.deletions), server.cpu_seconds
    lives.latencies_ms = {operation: [] for operation in lives.latencies_ms}
    sources = [lives.connection() for _ in range(CONNECTIONS)]
    samples = drive(server.address, sources, seconds=settings.seconds * 2)
    cpu_seconds = server.cpu_seconds - cpu_before
    deleted = sum(count for _, count in lives.deletions) - deleted_before
    return _Load(deleted / samples.seconds, cpu_seconds * 1e6 / deleted, lives)


def _judge(figure: Figure) -> None:
    """Flat: at the longest backlog no more than a little above the shortest."""
    if len(figure.rows) < 2:
        return
    first, last = figure.rows[0], figure.rows[-1]
    for what in ("CPU us/message", "MB loaded"):
        name = f"{what}, {last['backlog']:,} beside {first['backlog']:,} of backlog"
        figure.targets.append(Target(name, _NOISE, last[what] / first[what], at_most=True))
    figure.notes.append(
        f"flat means within {_NOISE:g} of the shortest backlog; latencies are medians; CPU is the server's;"
    )
    figure.notes.append("the time to start is from the start of the process to the first answer")
