"""The engine contract, written the plainest way: one list per queue, scanned from the front.

It is the yardstick for real engines (the conformance suite runs against it, the state machine compares with
it) and a stand-in engine for tests of the rooms above. Nothing is durable and nothing is fast. Where the
contract leaves a choice it does what Amazon SQS does.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from chappe.engine.base import (
    ATTEMPT_WINDOW_MS,
    DEDUPLICATION_WINDOW_MS,
    MAX_RECEIVE,
    NewMessage,
    QueueCounts,
    QueueInfo,
    QueueSettings,
    ReceivedMessage,
    SentMessage,
)
from chappe.model.errors import (
    ChappeError,
    Closed,
    InFlightLimit,
    InvalidInput,
    MessageGone,
    MessageNotInFlight,
    QueueExists,
    QueueNotFound,
    ReceiptExpired,
    ReceiptInvalid,
)

POLL_SECONDS = 0.002


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Message:
    """A stored message. It is invisible until `visible_at_ms`: delayed if never received, else in flight."""

    id: str
    sequence: int
    body: bytes
    attributes: bytes
    group: str | None
    sent_at_ms: int
    visible_at_ms: int
    receive_count: int = 0
    first_received_at_ms: int = 0
    received_at_ms: int = 0
    newest_receipt: str = ""
    in_flight: bool = False
    changed: bool = False
    """Whether its visibility was changed since it was received."""
    dead_letter_source: str | None = None

    def is_in_flight(self, now_ms: int) -> bool:
        return self.in_flight and now_ms < self.visible_at_ms

    def is_delayed(self, now_ms: int) -> bool:
        return not self.in_flight and now_ms < self.visible_at_ms

    def is_ready(self, now_ms: int) -> bool:
        return now_ms >= self.visible_at_ms


@dataclass
class Queue:
    """`messages` are in order of `sequence`. `receipts` remembers every receipt issued, by message id."""

    info: QueueInfo
    messages: list[Message] = field(default_factory=list)
    last_sequence: int = 0
    receipts: dict[str, str] = field(default_factory=dict)
    accepted_keys: dict[bytes, tuple[int, SentMessage]] = field(default_factory=dict)
    attempts: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    """When an attempt was made, and the receipts it gave."""
    waiting: list[object] = field(default_factory=list)
    turns: int = 0
    served: dict[str | None, int] = field(default_factory=dict)
    """When each tenant of a standard queue was last served, in turns."""

    @property
    def settings(self) -> QueueSettings:
        return self.info.settings

    def next_sequence(self) -> int:
        self.last_sequence += 1
        return self.last_sequence

    def find(self, message_id: str) -> Message | None:
        return next((message for message in self.messages if message.id == message_id), None)

    def in_flight(self, now_ms: int) -> list[Message]:
        return [message for message in self.messages if message.is_in_flight(now_ms)]


class ReferenceEngine:
    """An `Engine` in memory. `clock` gives the time in ms since the Unix epoch."""

    def __init__(self, clock: Callable[[], int] = wall_clock_ms) -> None:
        self._clock = clock
        self._queues: dict[str, Queue] = {}
        self._closed = False

    # --- queues -----------------------------------------------------------------------------------------

    async def create_queue(self, name: str, settings: QueueSettings) -> QueueInfo:
        self._check_open()
        if not 1 <= len(name) <= 256:
            raise InvalidInput("a queue name has 1 to 256 characters", name=name)
        _check_settings(settings)
        if name in self._queues:
            raise QueueExists(f"the queue {name!r} exists", name=name)
        now_ms = self._clock()
        self._queues[name] = Queue(QueueInfo(name, settings, created_at_ms=now_ms, modified_at_ms=now_ms))
        return self._queues[name].info

    async def get_queue(self, name: str) -> QueueInfo:
        return self._queue(name).info

    async def list_queues(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[QueueInfo]:
        self._check_open()
        names = sorted(name for name in self._queues if name.startswith(prefix) and name > after)
        return [self._queues[name].info for name in names[:limit]]

    async def set_queue(self, name: str, settings: QueueSettings) -> QueueInfo:
        queue = self._queue(name)
        _check_settings(settings)
        if settings.fifo != queue.settings.fifo:
            raise InvalidInput("a queue's kind cannot be changed", name=name)
        queue.info = QueueInfo(name, settings, queue.info.created_at_ms, modified_at_ms=self._clock())
        return queue.info

    async def delete_queue(self, name: str) -> None:
        self._queue(name)
        del self._queues[name]

    # --- messages ---------------------------------------------------------------------------------------

    async def send(self, name: str, messages: Sequence[NewMessage]) -> list[SentMessage]:
        queue = self._queue(name)
        if not 1 <= len(messages) <= MAX_RECEIVE:
            raise InvalidInput(f"a send takes 1 to {MAX_RECEIVE} messages", count=len(messages))
        for message in messages:
            _check_message(queue.settings, message)
        return [self._store(queue, message) for message in messages]

    async def receive(
        self,
        name: str,
        *,
        max_messages: int = 1,
        visibility_timeout_ms: int | None = None,
        wait_ms: int = 0,
        attempt_id: str | None = None,
    ) -> list[ReceivedMessage]:
        queue = self._queue(name)
        if not 1 <= max_messages <= MAX_RECEIVE:
            raise InvalidInput(f"a receive takes 1 to {MAX_RECEIVE} messages", max_messages=max_messages)
        if visibility_timeout_ms is None:
            visibility_timeout_ms = queue.settings.visibility_timeout_ms
        if visibility_timeout_ms < 0 or wait_ms < 0:
            raise InvalidInput("a duration is not negative")
        if attempt_id is None:
            return await self._take_or_wait(queue, max_messages, visibility_timeout_ms, wait_ms)
        if not queue.settings.fifo:
            raise InvalidInput("a standard queue knows no attempts", name=name)
        again = self._repeatable(queue, attempt_id)
        if again:
            return [self._repeat(message, visibility_timeout_ms) for message in again]
        taken = await self._take_or_wait(queue, max_messages, visibility_timeout_ms, wait_ms)
        if taken:
            queue.attempts[attempt_id] = self._clock(), [message.receipt for message in taken]
        return taken

    async def _take_or_wait(
        self, queue: Queue, max_messages: int, visibility_timeout_ms: int, wait_ms: int
    ) -> list[ReceivedMessage]:
        name = queue.info.name
        if wait_ms == 0:
            if not queue.settings.fifo and self._room_in_flight(queue) <= 0:
                raise InFlightLimit(f"the queue {name!r} has its most messages in flight", name=name)
            return self._take(queue, max_messages, visibility_timeout_ms)
        return await self._take_waiting(queue, max_messages, visibility_timeout_ms, wait_ms)

    async def delete(self, name: str, receipts: Sequence[str]) -> list[ChappeError | None]:
        queue = self._queue(name)
        return [self._delete_one(queue, receipt) for receipt in receipts]

    async def change_visibility(self, name: str, changes: Sequence[tuple[str, int]]) -> list[ChappeError | None]:
        queue = self._queue(name)
        if any(timeout_ms < 0 for _, timeout_ms in changes):
            raise InvalidInput("a visibility timeout is not negative")
        return [self._change_one(queue, receipt, timeout_ms) for receipt, timeout_ms in changes]

    async def move(self, name: str, receipts: Sequence[str], destination: str) -> list[SentMessage | ChappeError]:
        queue, target = self._queue(name), self._queue(destination)
        if queue is target or queue.settings.fifo != target.settings.fifo:
            raise InvalidInput("messages are moved to another queue of the same kind", name=destination)
        return [self._move_one(queue, receipt, target) for receipt in receipts]

    async def purge(self, name: str) -> None:
        queue = self._queue(name)
        queue.messages.clear()
        queue.attempts.clear()

    async def counts(self, name: str) -> QueueCounts:
        queue, now_ms = self._queue(name), self._clock()
        return QueueCounts(
            ready=sum(message.is_ready(now_ms) for message in queue.messages),
            in_flight=sum(message.is_in_flight(now_ms) for message in queue.messages),
            delayed=sum(message.is_delayed(now_ms) for message in queue.messages),
        )

    async def close(self) -> None:
        self._closed = True

    # --- how --------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the engine is closed")

    def _queue(self, name: str) -> Queue:
        """The queue as it is now: what outlived its retention is dropped first."""
        self._check_open()
        if name not in self._queues:
            raise QueueNotFound(f"there is no queue {name!r}", name=name)
        self._drop_expired(self._queues[name])
        return self._queues[name]

    def _drop_expired(self, queue: Queue) -> None:
        retention_ms = queue.settings.retention_ms
        if retention_ms is not None:
            oldest_ms = self._clock() - retention_ms
            queue.messages = [message for message in queue.messages if message.sent_at_ms > oldest_ms]

    def _store(self, queue: Queue, message: NewMessage) -> SentMessage:
        first = self._first_with_key(queue, message)
        if first is not None:
            return SentMessage(first.id, first.sequence, duplicate=True)
        sent = SentMessage(str(uuid.uuid4()), queue.next_sequence())
        self._append(queue, message, sent)
        return sent

    def _first_with_key(self, queue: Queue, message: NewMessage) -> SentMessage | None:
        """What was answered to the accepted send that makes this message a duplicate."""
        key = message.deduplication_key
        if not queue.settings.fifo or key is None or key not in queue.accepted_keys:
            return None
        accepted_at_ms, first = queue.accepted_keys[key]
        return first if self._clock() - accepted_at_ms < DEDUPLICATION_WINDOW_MS else None

    def _append(self, queue: Queue, message: NewMessage, sent: SentMessage) -> None:
        now_ms = self._clock()
        own_delay_ms = None if queue.settings.fifo else message.delay_ms
        delay_ms = queue.settings.delay_ms if own_delay_ms is None else own_delay_ms
        queue.messages.append(
            Message(
                id=sent.id,
                sequence=sent.sequence,
                body=message.body,
                attributes=message.attributes,
                group=message.group,
                sent_at_ms=now_ms,
                visible_at_ms=now_ms + delay_ms,
                dead_letter_source=message.dead_letter_source,
            )
        )
        if queue.settings.fifo and message.deduplication_key is not None:
            queue.accepted_keys[message.deduplication_key] = (now_ms, sent)

    def _room_in_flight(self, queue: Queue) -> int:
        return queue.settings.max_in_flight - len(queue.in_flight(self._clock()))

    async def _take_waiting(
        self, queue: Queue, max_messages: int, visibility_timeout_ms: int, wait_ms: int
    ) -> list[ReceivedMessage]:
        """Poll until there is something. Only the receiver that has waited longest may take."""
        ticket = object()
        queue.waiting.append(ticket)
        loop = asyncio.get_running_loop()
        ends_at_seconds = loop.time() + wait_ms / 1000
        try:
            while not self._closed and self._queues.get(queue.info.name) is queue:
                self._drop_expired(queue)
                if queue.waiting[0] is ticket:
                    taken = self._take(queue, max_messages, visibility_timeout_ms)
                    if taken:
                        return taken
                if loop.time() >= ends_at_seconds:
                    break
                await asyncio.sleep(POLL_SECONDS)
            return []
        finally:
            queue.waiting.remove(ticket)

    def _take(self, queue: Queue, max_messages: int, visibility_timeout_ms: int) -> list[ReceivedMessage]:
        self._move_dead_letters(queue)
        room = min(max_messages, self._room_in_flight(queue))
        if not queue.settings.fifo:
            return self._take_fairly(queue, room, visibility_timeout_ms)
        chosen = [message for message, _ in zip(self._receivable(queue), range(room), strict=False)]
        return [self._deliver(queue, message, visibility_timeout_ms) for message in chosen]

    def _take_fairly(self, queue: Queue, room: int, visibility_timeout_ms: int) -> list[ReceivedMessage]:
        """One at a time from the tenant with the fewest messages in flight, among equals the one served longest ago."""
        now_ms = self._clock()
        in_flight = Counter(message.group for message in queue.messages if message.is_in_flight(now_ms))
        tenants: dict[str | None, list[Message]] = {}
        for message in self._receivable(queue):
            tenants.setdefault(message.group, []).append(message)
        next_of = dict.fromkeys(tenants, 0)
        taken: list[ReceivedMessage] = []
        while len(taken) < room and next_of:
            tenant = min(next_of, key=lambda name: (in_flight[name], queue.served.get(name, 0)))
            queue.turns += 1
            queue.served[tenant] = queue.turns
            in_flight[tenant] += 1
            taken.append(self._deliver(queue, tenants[tenant][next_of[tenant]], visibility_timeout_ms))
            next_of[tenant] += 1
            if next_of[tenant] == len(tenants[tenant]):
                del next_of[tenant]
        return taken

    def _receivable(self, queue: Queue) -> Iterator[Message]:
        """What may be received now, in the order it is to be."""
        now_ms = self._clock()
        if not queue.settings.fifo:
            ready = [message for message in queue.messages if message.is_ready(now_ms)]
            yield from sorted(ready, key=lambda message: (message.visible_at_ms, message.sequence))
            return
        groups: dict[str | None, list[Message]] = {}
        for message in queue.messages:
            groups.setdefault(message.group, []).append(message)
        for group in sorted(groups.values(), key=lambda messages: messages[0].visible_at_ms):
            yield from takewhile(lambda message: message.is_ready(now_ms), group)

    def _deliver(self, queue: Queue, message: Message, visibility_timeout_ms: int) -> ReceivedMessage:
        now_ms = self._clock()
        message.receive_count += 1
        message.first_received_at_ms = message.first_received_at_ms or now_ms
        message.newest_receipt = str(uuid.uuid4())
        message.in_flight = True
        message.visible_at_ms = now_ms + visibility_timeout_ms
        message.received_at_ms = now_ms
        message.changed = False
        queue.receipts[message.newest_receipt] = message.id
        return self._delivery(message)

    def _repeatable(self, queue: Queue, attempt_id: str) -> list[Message]:
        """The messages of an attempt, if nothing happened to any of them."""
        made_at_ms, receipts = queue.attempts.get(attempt_id, (0, []))
        if made_at_ms + ATTEMPT_WINDOW_MS <= self._clock():
            return []
        by_receipt = {message.newest_receipt: message for message in queue.messages if not message.changed}
        return [by_receipt[receipt] for receipt in receipts] if by_receipt.keys() >= set(receipts) else []

    def _repeat(self, message: Message, visibility_timeout_ms: int) -> ReceivedMessage:
        message.visible_at_ms = self._clock() + visibility_timeout_ms
        return self._delivery(message)

    def _delivery(self, message: Message) -> ReceivedMessage:
        return ReceivedMessage(
            id=message.id,
            receipt=message.newest_receipt,
            sequence=message.sequence,
            body=message.body,
            attributes=message.attributes,
            group=message.group,
            sent_at_ms=message.sent_at_ms,
            received_at_ms=message.received_at_ms,
            first_received_at_ms=message.first_received_at_ms,
            receive_count=message.receive_count,
            dead_letter_source=message.dead_letter_source,
        )

    def _move_dead_letters(self, queue: Queue) -> None:
        """Move what would be received next but has been received often enough, until there is none."""
        while spent := self._spent(queue):
            for message in spent:
                self._move(queue, message)

    def _spent(self, queue: Queue) -> list[Message]:
        """Receivable messages that the policy says to move instead."""
        policy = queue.settings.dead_letter
        if policy is None or policy.queue not in self._queues:
            return []
        return [m for m in self._receivable(queue) if m.receive_count >= policy.max_receive_count]

    def _move(self, queue: Queue, message: Message) -> None:
        assert queue.settings.dead_letter is not None
        target = self._queues[queue.settings.dead_letter.queue]
        queue.messages.remove(message)
        target.messages.append(self._as_dead_letter(message, queue, target))

    def _as_dead_letter(self, message: Message, source: Queue, target: Queue) -> Message:
        now_ms = self._clock()
        return replace(
            message,
            sequence=target.next_sequence(),
            sent_at_ms=now_ms if source.settings.fifo else message.sent_at_ms,
            visible_at_ms=now_ms,
            receive_count=0,
            first_received_at_ms=0,
            newest_receipt="",
            in_flight=False,
            dead_letter_source=source.info.name,
        )

    def _delete_one(self, queue: Queue, receipt: str) -> ChappeError | None:
        if receipt not in queue.receipts:
            return ReceiptInvalid("this queue did not issue the receipt")
        message = queue.find(queue.receipts[receipt])
        if message is None:
            return None
        current = receipt == message.newest_receipt and message.is_in_flight(self._clock())
        if queue.settings.fifo and not current:
            return ReceiptExpired("the message's visibility timeout has ended or it was received again")
        queue.messages.remove(message)
        return None

    def _change_one(self, queue: Queue, receipt: str, timeout_ms: int) -> ChappeError | None:
        message = self._held(queue, receipt)
        if isinstance(message, ChappeError):
            return message
        message.visible_at_ms = self._clock() + timeout_ms
        message.changed = True
        return None

    def _move_one(self, queue: Queue, receipt: str, target: Queue) -> SentMessage | ChappeError:
        message = self._held(queue, receipt)
        if isinstance(message, ChappeError):
            return message
        queue.messages.remove(message)
        sent = SentMessage(str(uuid.uuid4()), target.next_sequence())
        self._append(target, NewMessage(message.body, message.attributes, message.group), sent)
        return sent

    def _held(self, queue: Queue, receipt: str) -> Message | ChappeError:
        """The message that the receipt still commands."""
        if receipt not in queue.receipts:
            return ReceiptInvalid("this queue did not issue the receipt")
        message, now_ms = queue.find(queue.receipts[receipt]), self._clock()
        if message is None or message.receive_count == 0:  # a crash may have undone its receives
            return MessageGone("the message is gone")
        held = message.is_in_flight(now_ms) or not queue.settings.fifo
        if receipt != message.newest_receipt or not held:
            return MessageNotInFlight("the message is visible again, or in flight under another receipt")
        return message


def _check_settings(settings: QueueSettings) -> None:
    durations_ms = (settings.delay_ms, settings.visibility_timeout_ms, settings.retention_ms or 0)
    if min(durations_ms) < 0:
        raise InvalidInput("a duration is not negative")
    if settings.dead_letter is not None and settings.dead_letter.max_receive_count < 1:
        raise InvalidInput("max_receive_count is at least 1")


def _check_message(settings: QueueSettings, message: NewMessage) -> None:
    if message.delay_ms is not None and message.delay_ms < 0:
        raise InvalidInput("a delay is not negative")
    if settings.fifo and message.delay_ms:
        raise InvalidInput("in a FIFO queue the delay is the queue's")
    if settings.fifo and message.group is None:
        raise InvalidInput("a message of a FIFO queue has a group")
    key = message.deduplication_key
    if settings.fifo and key is not None and not 1 <= len(key) <= 64:
        raise InvalidInput("a deduplication key has 1 to 64 bytes")
