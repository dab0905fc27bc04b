"""A client that makes, changes and deletes queues, and looks in each life whether they are as they were left."""

from __future__ import annotations

import itertools
import random
from typing import Any

from tests.acceptance.kill.ledger import PromiseBroken
from tests.acceptance.kill.sqs import Connection, Refused
from tests.acceptance.kill.workers import Desk

PREFIX = "made-"
MADE_MAX = 30
PAUSE_SECONDS = 0.03
ATTRIBUTE = "VisibilityTimeout"


class Builder:
    """`_made` has the attribute's value by name; `_doubtful` what an unanswered request may have led to, None for a
    queue that may not be there."""

    def __init__(self, desk: Desk, source: random.Random) -> None:
        self._desk, self._source = desk, source
        self._made: dict[str, str] = {}
        self._doubtful: dict[str, set[str | None]] = {}
        self._numbers = itertools.count(1)

    async def work(self, connection: Connection) -> None:
        await self.check(connection)
        while True:
            await self._step(connection)
            await connection.pause(self._source.uniform(0, PAUSE_SECONDS))

    async def check(self, connection: Connection) -> None:
        """Are the queues there that must be, with their attributes, and no others?"""
        answer = await connection.call("ListQueues", QueueNamePrefix=PREFIX, MaxResults=1000)
        listed = {url.rpartition("/")[2] for url in answer.get("QueueUrls") or ()}
        for name in self._made.keys() | self._doubtful.keys():
            allowed = self._doubtful.get(name) or {self._made[name]}
            value = await self._value(connection, name)
            if value not in allowed or (name in listed) != (value is not None):
                raise PromiseBroken("structure", f"{name} has {ATTRIBUTE} {value}, which should be of {allowed}")
            self._doubtful.pop(name, None)
            if value is None:
                self._made.pop(name, None)
            else:
                self._made[name] = value
        strays = listed - self._made.keys()
        if strays:
            raise PromiseBroken("structure", f"queues that were deleted or never made are there: {strays}")

    async def _value(self, connection: Connection, name: str) -> str | None:
        try:
            answer = await self._call(connection, "GetQueueAttributes", name, AttributeNames=[ATTRIBUTE])
        except Refused as refused:
            if refused.code != "QueueDoesNotExist":
                raise
            return None
        return str(answer["Attributes"][ATTRIBUTE])

    async def _step(self, connection: Connection) -> None:
        value = str(self._source.randint(0, 1000))
        draw = self._source.random()
        if not self._made or (draw < 0.4 and len(self._made) < MADE_MAX):
            name = f"{PREFIX}{next(self._numbers)}"
            self._doubtful[name] = {None, value}
            await connection.call("CreateQueue", QueueName=name, Attributes={ATTRIBUTE: value})
            self._made[name] = value
        else:
            name = self._source.choice(sorted(self._made))
            if draw < 0.7:
                self._doubtful[name] = {self._made[name], value}
                await self._call(connection, "SetQueueAttributes", name, Attributes={ATTRIBUTE: value})
                self._made[name] = value
            else:
                self._doubtful[name] = {self._made[name], None}
                await self._call(connection, "DeleteQueue", name)
                del self._made[name]
        del self._doubtful[name]
        self._desk.ledger.figures["changes of queues acknowledged"] += 1

    async def _call(self, connection: Connection, operation: str, name: str, **parameters: Any) -> dict[str, Any]:
        return await connection.call(operation, QueueUrl=self._desk.url(name), **parameters)
