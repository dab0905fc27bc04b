"""Life after life of one server under load, each ended by SIGKILL at a moment drawn beforehand, and the reckoning."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.kill.builder import Builder
from tests.acceptance.kill.crew import MAX_RECEIVES, QUEUES, Crew, everybody
from tests.acceptance.kill.ledger import Ledger
from tests.acceptance.kill.lives import Life, Nursery, credentials, unsound
from tests.acceptance.kill.plan import Plan, Trigger, draw_plan
from tests.acceptance.kill.sqs import Connection, Signer, Unanswered
from tests.acceptance.kill.workers import ACCOUNT, BATCH, Desk, Worker, delete, receive

EXAMINED_EVERY = 10
DRAIN_SECONDS = 240.0
COUNTS = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]


class Campaign:
    """`crew` makes the clients. `kills` counts ends by their kind."""

    def __init__(self, folder: Path, nursery: Nursery, seed: int, crew: Crew = everybody) -> None:
        self.folder = folder
        self.kills: Counter[str] = Counter()
        self.ledger = Ledger(QUEUES)
        self._nursery = nursery
        self.source = random.Random(seed)
        self._startups: deque[float] = deque([0.2], maxlen=20)
        self._port = 0
        self._signer: Signer
        self._desk = Desk(self.ledger, lambda name: f"http://127.0.0.1:{self._port}/{ACCOUNT}/{name}")
        self._builder = Builder(self._desk, self._new_source())
        self._workers: list[Worker] = [*crew(self._desk, self._new_source), self._builder]

    def _new_source(self) -> random.Random:
        return random.Random(self.source.getrandbits(64))

    async def run(self, *, kills: int, seconds: float, enough: Callable[[], bool]) -> None:
        """So many lives, or as many as begin within the time; on a slow machine more, until `enough` says so."""
        await self.prepare()
        end = time.monotonic() + seconds
        while self.kills.total() < kills and not (time.monotonic() >= end and enough()):
            await self.live(draw_plan(self.source, self.startup_seconds))
            if self.kills.total() % EXAMINED_EVERY == 0:
                assert not (findings := unsound(self.folder)), findings
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

    @property
    def startup_seconds(self) -> float:
        """How long a start took lately."""
        return statistics.median(self._startups)

    async def live(self, plan: Plan) -> None:
        """One life and its end."""
        if plan.in_startup:
            life = self._nursery.start(self.folder, tight=plan.tight)
            await asyncio.sleep(plan.seconds)
            await self._kill(life, "in start-up")
            return
        life = await self._start(tight=plan.tight)
        latest = asyncio.get_running_loop().call_later(plan.seconds, life.strike)
        trigger = Trigger(plan, life.strike)
        try:
            await self._work(life, trigger)
        finally:
            latest.cancel()
            await self._kill(life, "after a request" if trigger.released else "at random")

    async def _work(self, life: Life, trigger: Trigger) -> None:
        """All workers at once, until the server is gone."""

        async def work(worker: Worker) -> None:
            try:
                connection = await Connection.open(self._port, self._signer, trigger.sent)
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

    async def _start(self, *, tight: bool = False) -> Life:
        begun = time.monotonic()
        life = self._nursery.start(self.folder, tight=tight)
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
        assert not (findings := unsound(self.folder)), findings
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


def figures(campaign: Campaign) -> str:
    """One line on what was done and seen."""
    ways = ", ".join(f"{count} {when}" for when, count in campaign.kills.items())
    done = ", ".join(f"{count} {what}" for what, count in campaign.ledger.figures.items())
    return f"{campaign.kills.total()} kills ({ways}), {done}"
