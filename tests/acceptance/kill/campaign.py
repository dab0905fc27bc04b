"""Life after life of one server under load, each ended by SIGKILL at a moment drawn beforehand, and the reckoning."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.acceptance.kill.builder import Builder
from tests.acceptance.kill.ledger import Ledger, QueueKind
from tests.acceptance.kill.lives import Life, Nursery, credentials
from tests.acceptance.kill.sqs import Connection, Signer, Unanswered
from tests.acceptance.kill.workers import (
    ACCOUNT,
    BATCH,
    Desk,
    FifoSender,
    Habits,
    Purger,
    Receiver,
    Sender,
    Worker,
    delete,
    receive,
)

from chappe.engine.embedded.doctor import examine

QUEUES = {
    "orders": QueueKind(),
    "later": QueueKind(),
    "scratch": QueueKind(),
    "jobs": QueueKind(dead_letters="jobs-dead"),
    "jobs-dead": QueueKind(),
    "steps.fifo": QueueKind(fifo=True),
    "tasks.fifo": QueueKind(fifo=True, dead_letters="tasks-dead.fifo"),
    "tasks-dead.fifo": QueueKind(fifo=True),
}
MAX_RECEIVES = 3
LOAD_SECONDS = 0.7
"""A life under load ends within this time."""
STRIKE_AFTER = ("SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch")
RARE = ("ChangeMessageVisibility", "PurgeQueue", "CreateQueue", "SetQueueAttributes", "DeleteQueue")
DRAIN_SECONDS = 240.0
COUNTS = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]


class Kill(NamedTuple):
    """When a life ends: during start-up, or so many seconds after the load began, or after the n-th request of a kind
    was sent, but not later than `seconds`."""

    in_startup: bool = False
    seconds: float = LOAD_SECONDS
    operation: str | None = None
    nth: int = 0
    delay_seconds: float = 0.0
    """Between that request and the kill."""


def draw_kill(source: random.Random, startup_seconds: float) -> Kill:
    """Kills of every kind; more of them at random moments than at chosen ones."""
    draw = source.random()
    if draw < 0.2:
        return Kill(in_startup=True, seconds=source.uniform(0, 1.3 * startup_seconds))
    if draw < 0.65:
        return Kill(seconds=source.uniform(0, LOAD_SECONDS))
    delay_seconds = source.choice((0.0, source.uniform(0, 0.004)))
    if draw < 0.92:
        nth = source.randint(1, source.choice((3, 30, 150)))
        return Kill(operation=source.choice(STRIKE_AFTER), nth=nth, delay_seconds=delay_seconds)
    return Kill(operation=source.choice(RARE), nth=source.randint(1, 3), delay_seconds=delay_seconds)


class Campaign:
    def __init__(self, folder: Path, nursery: Nursery, seed: int) -> None:
        self.folder = folder
        self.kills: Counter[str] = Counter()
        self.ledger = Ledger(QUEUES)
        self._nursery = nursery
        self._source = random.Random(seed)
        self._startups: deque[float] = deque([0.2], maxlen=20)
        self._port = 0
        self._signer: Signer
        self._desk = Desk(self.ledger, lambda name: f"http://127.0.0.1:{self._port}/{ACCOUNT}/{name}")
        self._builder = Builder(self._desk, self._new_source())
        self._workers = self._make_workers()

    def _new_source(self) -> random.Random:
        return random.Random(self._source.getrandbits(64))

    def _make_workers(self) -> list[Worker]:
        desk, new = self._desk, self._new_source
        leaving = Habits(delete=0.3, change=0.05, keep=0.02, timeouts=(0, 0, 1))
        leaving_fifo = Habits(delete=0.5, change=0.05, keep=0.02, timeouts=(1,))
        firm = Habits(delete=0.9)
        return [
            Sender(desk, new(), "orders"),
            Sender(desk, new(), "orders"),
            Sender(desk, new(), "later", delay_max=3),
            Sender(desk, new(), "jobs"),
            Sender(desk, new(), "scratch"),
            FifoSender(desk, new(), "steps.fifo", [f"a{n}" for n in range(8)]),
            FifoSender(desk, new(), "steps.fifo", [f"b{n}" for n in range(40)]),
            FifoSender(desk, new(), "tasks.fifo", [f"c{n}" for n in range(30)]),
            Receiver(desk, new(), "orders", Habits()),
            Receiver(desk, new(), "orders", Habits()),
            Receiver(desk, new(), "later", Habits()),
            Receiver(desk, new(), "scratch", Habits(delete=0.5)),
            Receiver(desk, new(), "jobs", leaving),
            Receiver(desk, new(), "jobs-dead", firm),
            Receiver(desk, new(), "steps.fifo", Habits()),
            Receiver(desk, new(), "steps.fifo", Habits()),
            Receiver(desk, new(), "tasks.fifo", leaving_fifo),
            Receiver(desk, new(), "tasks-dead.fifo", firm),
            Purger(desk, new(), "scratch", share=0.1),
            self._builder,
        ]

    async def run(self, *, kills: int, seconds: float) -> None:
        """So many lives, or as many as begin within the time."""
        await self.prepare()
        end = time.monotonic() + seconds
        while self.kills.total() < kills and time.monotonic() < end:
            await self.live(draw_kill(self._source, statistics.median(self._startups)))
        await self.reckon()

    async def prepare(self) -> None:
        """The first start, which makes the credentials, and the queues."""
        life = await self._start()
        self._signer = Signer(*credentials(self.folder))
        connection = await Connection.open(self._port, self._signer)
        for name, kind in QUEUES.items():
            attributes = {"VisibilityTimeout": "2"} | ({"FifoQueue": "true"} if kind.fifo else {})
            await connection.call("CreateQueue", QueueName=name, Attributes=attributes)
        for name, kind in QUEUES.items():
            if kind.dead_letters is not None:
                policy = json.dumps(
                    {
                        "deadLetterTargetArn": f"arn:aws:sqs:{self._signer.region}:{ACCOUNT}:{kind.dead_letters}",
                        "maxReceiveCount": MAX_RECEIVES,
                    }
                )
                url = self._desk.url(name)
                await connection.call("SetQueueAttributes", QueueUrl=url, Attributes={"RedrivePolicy": policy})
        await self._kill(life, "idle")
        await connection.close()

    async def live(self, kill: Kill) -> None:
        """One life and its end."""
        if kill.in_startup:
            life = self._nursery.start(self.folder)
            await asyncio.sleep(kill.seconds)
            await self._kill(life, "in start-up")
            return
        life = await self._start()
        loop = asyncio.get_running_loop()
        sent: Counter[str] = Counter()

        def on_sent(operation: str) -> None:
            sent[operation] += 1
            if operation == kill.operation and sent[operation] == kill.nth:
                if kill.delay_seconds:
                    loop.call_later(kill.delay_seconds, life.strike)
                else:
                    life.strike()

        latest = loop.call_later(kill.seconds, life.strike)
        try:
            await self._work(life, on_sent)
        finally:
            latest.cancel()
            await self._kill(life, "at random" if kill.operation is None else "after a request")

    async def _work(self, life: Life, on_sent: Callable[[str], None]) -> None:
        """All workers at once, until the server is gone."""

        async def work(worker: Worker) -> None:
            try:
                connection = await Connection.open(self._port, self._signer, on_sent)
                try:
                    await worker.work(connection)
                finally:
                    await connection.close()
            except Unanswered:
                assert life.struck, f"a connection broke before the kill:\n{life.log}"

        try:
            async with asyncio.TaskGroup() as group:
                for worker in self._workers:
                    group.create_task(work(worker))
                await life.end()  # even if no worker has anything left to do
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _start(self) -> Life:
        begun = time.monotonic()
        life = self._nursery.start(self.folder)
        self._port = await life.listening()
        self._startups.append(time.monotonic() - begun)
        return life

    async def _kill(self, life: Life, when: str) -> None:
        await life.kill()
        self.kills[when] += 1
        self.ledger.life_ended()

    # --- the reckoning ---

    async def reckon(self) -> None:
        """Receive everything that is left, kill once more, and see that nothing has come back."""
        life = await self._start()
        self.ledger.begin_draining()
        await self._drain()
        self.ledger.settle()
        await self._kill(life, "idle")
        life = await self._start()
        await self._drain()
        connection = await Connection.open(self._port, self._signer)
        await self._builder.check(connection)
        await connection.close()
        await life.stop()
        findings = examine(self.folder / "data").findings
        assert not findings, findings
        assert '"level": "error"' not in life.whole_log, life.whole_log

    async def _drain(self) -> None:
        connections = [await Connection.open(self._port, self._signer) for _ in QUEUES]
        async with asyncio.timeout(DRAIN_SECONDS):
            empty = False
            while not empty:
                await asyncio.gather(*map(self._take_all, connections, QUEUES))
                counts = await asyncio.gather(*map(self._count, connections, QUEUES))
                empty = not any(counts)
                await asyncio.sleep(0.05)
        for connection in connections:
            await connection.close()

    async def _take_all(self, connection: Connection, queue: str) -> None:
        while messages := await receive(connection, self._desk, queue, max_messages=BATCH, visibility=60, wait=0):
            await delete(connection, self._desk, queue, messages)

    async def _count(self, connection: Connection, queue: str) -> int:
        url = self._desk.url(queue)
        answer = await connection.call("GetQueueAttributes", QueueUrl=url, AttributeNames=COUNTS)
        return sum(int(answer["Attributes"][name]) for name in COUNTS)


def figures(campaigns: Sequence[Campaign]) -> str:
    """One line on what was done and what it showed."""
    done: Counter[str] = Counter()
    kills: Counter[str] = Counter()
    for campaign in campaigns:
        done += campaign.ledger.figures
        kills += campaign.kills
    ways = ", ".join(f"{count} {when}" for when, count in kills.items())
    return f"{kills.total()} kills ({ways}); " + ", ".join(f"{count} {what}" for what, count in done.items())
