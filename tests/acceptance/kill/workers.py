"""Clients that keep a server busy and enter in the ledger what they ask and what they are told.

A worker outlives the lives of the server: what it was not answered in one it may ask again in the next.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from tests.acceptance.kill.ledger import Ledger, Moment, Seen, Send
from tests.acceptance.kill.sqs import Connection, Refused

ACCOUNT = "000000000000"
BATCH = 10
BACKLOG_LIMIT = 1_000
"""Messages in one queue beyond which its senders pause."""
PAUSE_SECONDS = 0.005
REPEAT_WITHIN_MS = 200_000
"""A send is repeated well within the five minutes in which it is known again."""
NOT_IN_FLIGHT = {"MessageNotInflight", "InvalidParameterValueException"}
"""What a change of visibility may be refused with: the message was received since, or is gone."""
EXPIRED = {"InvalidParameterValue", "InvalidParameterValueException"}
"""What a receipt of a FIFO queue may be refused with, in a batch and alone; in a standard queue any receipt will do."""

_numbers = itertools.count(1)


class Worker(Protocol):
    async def work(self, connection: Connection) -> None:
        """Go on until the connection breaks (`Unanswered`)."""
        ...


class Desk:
    """What all workers share. `url` makes a queue's name into its URL."""

    def __init__(self, ledger: Ledger, url: Callable[[str], str]) -> None:
        self.ledger = ledger
        self.url = url

    def moment(self) -> Moment:
        return self.ledger.moment(time.time_ns() // 1_000_000)

    def new_token(self) -> str:
        return f"m{next(_numbers)}"


DrawSize = Callable[[random.Random], int]
"""Draws about how many characters a body has. Six of them must fit into one batch."""


def mostly_small(source: random.Random) -> int:
    """Some take several pages of the database."""
    draw = source.random()
    if draw < 0.97:
        return source.randint(1, 400)
    return source.randint(2_000, 20_000) if draw < 0.998 else source.randint(50_000, 100_000)


def large(source: random.Random) -> int:
    return source.randint(50_000, 150_000)


class Sender:
    """Sends to a standard queue, singly and in batches, some with a delay of up to `delay_max` seconds."""

    def __init__(
        self,
        desk: Desk,
        source: random.Random,
        queue: str,
        *,
        delay_max: int = 0,
        draw_size: DrawSize = mostly_small,
        backlog_limit: int = BACKLOG_LIMIT,
    ) -> None:
        self._desk, self._source, self._queue = desk, source, queue
        self._delay_max, self._draw_size, self._backlog_limit = delay_max, draw_size, backlog_limit

    async def work(self, connection: Connection) -> None:
        while True:
            if self._desk.ledger.waiting(self._queue) > self._backlog_limit:
                await connection.pause(PAUSE_SECONDS)
            elif self._source.random() < 0.6:
                await self._send(connection)
            else:
                await self._send_batch(connection, self._source.randint(2, 6))

    def _new(self, begun: Moment) -> tuple[Send, dict[str, Any]]:
        delay = self._source.randint(0, self._delay_max)
        send = self._desk.ledger.sending(
            self._desk.new_token(), self._queue, self._draw_size(self._source), begun, delay_ms=delay * 1000
        )
        return send, {"MessageBody": send.body} | ({"DelaySeconds": delay} if delay else {})

    async def _send(self, connection: Connection) -> None:
        begun = self._desk.moment()
        send, parameters = self._new(begun)
        answer = await connection.call("SendMessage", QueueUrl=self._desk.url(self._queue), **parameters)
        self._desk.ledger.sent(send, answer["MessageId"], None, begun)

    async def _send_batch(self, connection: Connection, count: int) -> None:
        begun = self._desk.moment()
        made = [self._new(begun) for _ in range(count)]
        entries = [{"Id": str(number), **parameters} for number, (_, parameters) in enumerate(made)]
        answer = await connection.call("SendMessageBatch", QueueUrl=self._desk.url(self._queue), Entries=entries)
        assert not answer.get("Failed"), answer["Failed"]
        assert len(answer["Successful"]) == count
        for result in answer["Successful"]:
            self._desk.ledger.sent(made[int(result["Id"])][0], result["MessageId"], None, begun)


class FifoSender:
    """The only sender of its groups: sends one batch after the other, so that their order is known.

    A send that was not answered is repeated with its deduplication ids in the next life, or given up for good. Now and
    then one that was answered long ago is sent once more, which must change nothing.
    """

    def __init__(self, desk: Desk, source: random.Random, queue: str, groups: Sequence[str]) -> None:
        self._desk, self._source, self._queue, self._groups = desk, source, queue, groups
        self._unanswered: list[Send] = []
        self._answered: deque[Send] = deque(maxlen=500)

    async def work(self, connection: Connection) -> None:
        if self._unanswered and (self._source.random() < 0.2 or self._too_old(self._unanswered[0])):
            self._unanswered = []
        while True:
            if self._desk.ledger.waiting(self._queue) > BACKLOG_LIMIT:
                await connection.pause(PAUSE_SECONDS)
                continue
            if not self._unanswered:
                again = self._source.random() < 0.05 and self._send_again()
                self._unanswered = again or [self._new() for _ in range(self._source.choice((1, 1, 2, 5, BATCH)))]
            else:
                self._desk.ledger.figures["repeated after a crash"] += len(self._unanswered)
            await self._send(connection, self._unanswered)
            self._unanswered = []

    def _new(self) -> Send:
        return self._desk.ledger.sending(
            self._desk.new_token(),
            self._queue,
            mostly_small(self._source),
            self._desk.moment(),
            group=self._source.choice(self._groups),
        )

    def _send_again(self) -> list[Send]:
        known = [send for send in self._answered if not self._too_old(send)]
        return self._source.sample(known, min(len(known), self._source.randint(1, 3)))

    def _too_old(self, send: Send) -> bool:
        return self._desk.moment().ms - send.begun.ms > REPEAT_WITHIN_MS

    async def _send(self, connection: Connection, sends: list[Send]) -> None:
        begun = self._desk.moment()
        url = self._desk.url(self._queue)
        if len(sends) == 1:
            answer = await connection.call("SendMessage", QueueUrl=url, **_fifo_parameters(sends[0]))
            results = {0: answer}
        else:
            entries = [{"Id": str(number), **_fifo_parameters(send)} for number, send in enumerate(sends)]
            answer = await connection.call("SendMessageBatch", QueueUrl=url, Entries=entries)
            assert not answer.get("Failed"), answer["Failed"]
            results = {int(result["Id"]): result for result in answer["Successful"]}
        for number, send in enumerate(sends):
            result = results[number]
            self._desk.ledger.sent(send, result["MessageId"], int(result["SequenceNumber"]), begun)
            self._answered.append(send)


def _fifo_parameters(send: Send) -> dict[str, Any]:
    return {"MessageBody": send.body, "MessageGroupId": send.group, "MessageDeduplicationId": send.token}


class Habits(NamedTuple):
    """How a receiver treats what it gets: shares of 1. The rest it leaves to the visibility timeout."""

    delete: float = 0.8
    change: float = 0.06
    keep: float = 0.04
    """Kept to be deleted in a later life."""
    timeouts: tuple[int, ...] = (0, 1, 2, 3)
    """Visibility timeouts in seconds."""


class Held(NamedTuple):
    id: str
    receipt: str


class Receiver:
    """Receives, and deletes or not."""

    def __init__(self, desk: Desk, source: random.Random, queue: str, habits: Habits) -> None:
        self._desk, self._source, self._queue, self._habits = desk, source, queue, habits
        self._kept: deque[Held] = deque(maxlen=20)

    async def work(self, connection: Connection) -> None:
        kept, self._kept = list(self._kept), deque(maxlen=20)
        for held in kept:
            await self._delete(connection, [held])
        while True:
            visibility = self._source.choice(self._habits.timeouts)
            messages = await receive(
                connection,
                self._desk,
                self._queue,
                max_messages=self._source.choice((1, 3, BATCH)),
                visibility=visibility,
                wait=self._source.choice((0, 0, 1)),
            )
            if not messages:
                await connection.pause(PAUSE_SECONDS)
            elif self._source.random() < 0.2:
                await connection.pause(self._source.uniform(0, 0.03))
            await self._treat(connection, messages)

    async def _treat(self, connection: Connection, messages: list[Held]) -> None:
        doomed: list[Held] = []
        for message in messages:
            draw = self._source.random() - self._habits.delete
            if draw < 0:
                doomed.append(message)
            elif draw < self._habits.change:
                await self._change(connection, message)
            elif draw < self._habits.change + self._habits.keep:
                self._kept.append(message)
        if len(doomed) > 1 and self._source.random() < 0.7:
            await self._delete(connection, doomed)
        else:
            for message in doomed:
                await self._delete(connection, [message])

    async def _change(self, connection: Connection, message: Held) -> None:
        seconds = self._source.randint(0, 3)
        begun = self._desk.moment()
        self._desk.ledger.changing_visibility(self._queue, message.id)
        try:
            await connection.call(
                "ChangeMessageVisibility",
                QueueUrl=self._desk.url(self._queue),
                ReceiptHandle=message.receipt,
                VisibilityTimeout=seconds,
            )
        except Refused as refused:
            if refused.code not in NOT_IN_FLIGHT:
                raise
            return
        self._desk.ledger.changed_visibility(self._queue, message.id, begun, self._desk.moment(), seconds * 1000)

    async def _delete(self, connection: Connection, messages: list[Held]) -> None:
        await delete(connection, self._desk, self._queue, messages)


class Purger:
    """Empties a queue, at most once in a life (as often as SQS allows)."""

    def __init__(self, desk: Desk, source: random.Random, queue: str, *, share: float) -> None:
        self._desk, self._source, self._queue, self._share = desk, source, queue, share

    async def work(self, connection: Connection) -> None:
        if self._source.random() >= self._share:
            return
        await connection.pause(self._source.uniform(0, 0.3))
        begun = self._desk.moment()
        self._desk.ledger.purging(self._queue)
        await connection.call("PurgeQueue", QueueUrl=self._desk.url(self._queue))
        self._desk.ledger.purged(self._queue, begun, self._desk.moment())


async def receive(
    connection: Connection, desk: Desk, queue: str, *, max_messages: int, visibility: int, wait: int
) -> list[Held]:
    """Receive once and hold what came to the ledger. `visibility` and `wait` in seconds."""
    begun = desk.moment()
    answer = await connection.call(
        "ReceiveMessage",
        QueueUrl=desk.url(queue),
        MaxNumberOfMessages=max_messages,
        VisibilityTimeout=visibility,
        WaitTimeSeconds=wait,
        MessageSystemAttributeNames=["All"],
    )
    messages = answer.get("Messages") or []
    seen = [_seen(message) for message in messages]
    desk.ledger.received(queue, begun, desk.moment(), visibility * 1000, seen)
    return [Held(message["MessageId"], message["ReceiptHandle"]) for message in messages]


def _seen(message: dict[str, Any]) -> Seen:
    attributes = message["Attributes"]
    sequence = attributes.get("SequenceNumber")
    source = attributes.get("DeadLetterQueueSourceArn")
    return Seen(
        message["MessageId"],
        message["Body"],
        int(attributes["ApproximateReceiveCount"]),
        None if sequence is None else int(sequence),
        None if source is None else source.rpartition(":")[2],
    )


async def delete(connection: Connection, desk: Desk, queue: str, messages: Sequence[Held]) -> None:
    """Delete one message, or several in one request."""
    url = desk.url(queue)
    expected = EXPIRED if desk.ledger.queues[queue].fifo else set()
    held = {message.id: desk.ledger.deleting(queue, message.id) for message in messages}
    if len(messages) == 1:
        try:
            await connection.call("DeleteMessage", QueueUrl=url, ReceiptHandle=messages[0].receipt)
            refused = set()
        except Refused as refused_one:
            if refused_one.code not in expected:
                raise
            refused = {messages[0].id}
    else:
        entries = [{"Id": str(n), "ReceiptHandle": message.receipt} for n, message in enumerate(messages)]
        answer = await connection.call("DeleteMessageBatch", QueueUrl=url, Entries=entries)
        assert all(entry["Code"] in expected for entry in answer.get("Failed") or ()), answer
        refused = {messages[int(entry["Id"])].id for entry in answer.get("Failed") or ()}
    now = desk.moment()
    for message in messages:
        if message.id in refused:
            desk.ledger.not_deleted(queue, message.id)
        else:
            desk.ledger.deleted(queue, message.id, now, held[message.id])
