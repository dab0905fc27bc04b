"""What was asked of the engine, what it acknowledged and what came back, through all its lives.

The rules are the contract's, read across crashes. A moment is a number in the order of events in the test's process;
something *follows* an acknowledgement when it was asked at a later moment. Receives are *saved* when a send or a change
of visibility that was asked after their answer is acknowledged: they are in one stream with it.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.acceptance.crash.remote import Answer

from chappe.engine.base import NewMessage, ReceivedMessage, SentMessage
from chappe.model.errors import ChappeError

SIZES = [20, 100, 100, 1000, 1000, 5000, 40_000]


class Violation(AssertionError):
    """The engine broke a promise."""


def expect(condition: bool, words: str) -> None:
    if not condition:
        raise Violation(words)


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def body_of(key: str) -> bytes:
    """A body that cannot be mistaken for another or for a part of one."""
    digest = hashlib.sha256(key.encode()).digest()
    size = SIZES[digest[0] % len(SIZES)]
    return key.encode() + b"|" + (digest * (size // len(digest) + 1))[:size]


class Count(NamedTuple):
    receives: int
    answered: int


@dataclass
class Record:
    """A message by its key. `number` is its place in its group, where the queue is `ordered`."""

    key: str
    queue: str
    group: str | None
    ordered: bool
    number: int
    batch: int
    asked: int
    acknowledged: int | None = None
    id: str | None = None
    seen: bool = False
    seen_at_end: bool = False
    deleted: dict[str, int] = field(default_factory=dict)
    """By queue: when its deletion there was acknowledged."""
    deletions: int = 0
    """How many deletions were asked for and not refused."""
    invisible_until_ms: int = 0
    counts: dict[str, Count] = field(default_factory=dict)
    """By queue: the latest receive count, seen in this life or saved."""
    dead_since: int | None = None
    """When it was seen in the queue for dead letters."""
    history: list[str] = field(default_factory=list)

    def expect(self, condition: bool, words: str) -> None:
        expect(condition, f"{self.key} {words}:\n" + "\n".join(self.history))


@dataclass
class Sight:
    """Something seen in a receive, which a crash may undo unless it is saved."""

    answered: int
    record: Record
    queue: str
    count_before: Count | None
    was_dead_since: int | None
    passed: list[tuple[str, str]]
    """(queue, key) of those known from this to be gone: it came from behind them."""


class Ledger:
    def __init__(self, dead_letter_queues: dict[str, str]) -> None:
        self.moments = itertools.count(1)
        self.records: dict[str, Record] = {}
        self.groups: dict[str, list[str]] = defaultdict(list)
        """FIFO group -> keys in the order sent."""
        self.figures: Counter[str] = Counter()
        self.dead_letter_queues = dead_letter_queues
        """queue -> the queue of its dead letters"""
        self._gone: dict[tuple[str, str], int] = {}
        """(queue, key) -> since when it is known to have left the queue: a later one of its group was received."""
        self._sights: list[Sight] = []
        self._saved_before = 0
        self._batches = itertools.count()
        self._at_end = False

    def _when(self, answer: Answer) -> str:
        return f"life {self.figures['lives']}, asked at {answer.asked}, answered at {answer.answered}:"

    # --- sends --------------------------------------------------------------------------------------------

    def draft(self, queue: str, count: int, group: str | None = None, *, ordered: bool = False) -> list[str]:
        """Keys of new messages. With `ordered`, of one group of a FIFO queue."""
        batch = next(self._batches)
        keys = []
        for _ in range(count):
            number = len(self.groups[group or ""]) if ordered else len(self.records)
            key = f"{queue}/{group}/{number}"
            if ordered:
                self.groups[group or ""].append(key)
            self.records[key] = Record(key, queue, group, ordered, number, batch, asked=next(self.moments))
            keys.append(key)
        self.figures["sent"] += count
        return keys

    def message(self, key: str, delay_ms: int | None = None) -> NewMessage:
        record = self.records[key]
        return NewMessage(
            body_of(key),
            attributes=key[::-1].encode(),
            group=record.group,
            deduplication_key=hashlib.sha256(key.encode()).digest() if record.ordered else None,
            delay_ms=delay_ms,
        )

    def sent(self, keys: Sequence[str], answer: Answer) -> None:
        answers: list[SentMessage] = answer.result
        for key, sent in zip(keys, answers, strict=True):
            record = self.records[key]
            if record.acknowledged is not None:
                self.figures["duplicates"] += 1
                record.expect(sent.duplicate, "was sent again and accepted again")
            record.expect(record.id in (None, sent.id), f"has two ids: {record.id} and {sent.id}")
            record.id = sent.id
            record.history.append(f"{self._when(answer)} sent{' again' if sent.duplicate else ''}")
            if record.acknowledged is None:
                record.acknowledged = answer.answered
                self.figures["acknowledged"] += 1
        if not all(sent.duplicate for sent in answers):
            self._saved_before = max(self._saved_before, answer.asked)

    # --- receives -----------------------------------------------------------------------------------------

    def received(self, queue: str, answer: Answer) -> None:
        messages: list[ReceivedMessage] = answer.result
        taken: set[str] = set()
        for message in messages:
            key = message.body.split(b"|")[0].decode(errors="replace")
            expect(key in self.records, f"{message!r} was never sent")
            record = self.records[key]
            record.history.append(f"{self._when(answer)} received from {queue}, {message.receive_count} times")
            self._check_content(record, queue, message, answer)
            self._check_deleted(record, queue, answer)
            self._check_count(record, queue, message, answer)
            wait_ms = record.invisible_until_ms - wall_ms()
            record.expect(wait_ms <= 0, f"came {wait_ms} ms before its acknowledged timeout ended")
            record.invisible_until_ms = 0
            passed = self._check_order(record, queue, answer, taken)
            taken.add(key)
            self._see(record, queue, message, answer, passed)
        self.figures["received"] += len(messages)

    def _check_content(self, record: Record, queue: str, message: ReceivedMessage, answer: Answer) -> None:
        key = record.key
        record.expect(message.body == body_of(key), "came with another body")
        record.expect(message.attributes == key[::-1].encode(), "came with other attributes")
        record.expect(message.group == record.group, f"came in the group {message.group}")
        record.expect(record.id in (None, message.id), f"is there twice: {record.id} and {message.id}")
        record.id = message.id
        if queue == record.queue:
            record.expect(message.dead_letter_source is None, f"came as a dead letter from {queue}")
            alive = record.dead_since is None or answer.asked < record.dead_since
            record.expect(alive, "is a dead letter and came from its first queue")
        else:
            record.expect(self.dead_letter_queues.get(record.queue) == queue, f"came from {queue}")
            record.expect(message.dead_letter_source == record.queue, f"names {message.dead_letter_source}")

    def _check_deleted(self, record: Record, queue: str, answer: Answer) -> None:
        deleted = record.deleted.get(queue)
        record.expect(deleted is None or answer.asked < deleted, "returned after it was deleted")

    def _check_count(self, record: Record, queue: str, message: ReceivedMessage, answer: Answer) -> None:
        known = record.counts.get(queue)
        grew = known is None or answer.asked < known.answered or message.receive_count > known.receives
        record.expect(grew, f"had {known}, now {message.receive_count} receives")

    def _check_order(self, record: Record, queue: str, answer: Answer, taken: set[str]) -> list[tuple[str, str]]:
        """In a FIFO queue: none that is behind came before, and what is before has gone or came in this answer."""
        if not record.ordered:
            return []
        gone = self._gone.get((queue, record.key))
        record.expect(gone is None or answer.asked < gone, "came after one that is behind it")
        before = [key for key in self.groups[record.group or ""][: record.number] if key not in taken]
        return [(queue, key) for key in before if (queue, key) not in self._gone]

    def _see(
        self,
        record: Record,
        queue: str,
        message: ReceivedMessage,
        answer: Answer,
        passed: list[tuple[str, str]],
    ) -> None:
        sight = Sight(
            answer.answered,
            record,
            queue,
            record.counts.get(queue),
            record.dead_since,
            passed,
        )
        self._sights.append(sight)
        record.seen = True
        if self._at_end:
            record.expect(not record.seen_at_end, "came twice although it was deleted")
            record.seen_at_end = True
        record.counts[queue] = Count(message.receive_count, answer.answered)
        if queue != record.queue and record.dead_since is None:
            record.dead_since = answer.answered
            self.figures["dead letters"] += 1
        for place in passed:
            self._gone[place] = answer.answered

    # --- deletes, visibility, purges ----------------------------------------------------------------------

    def deleting(self, keys: Sequence[str]) -> None:
        if not self._at_end:
            for key in keys:
                self.records[key].deletions += 1

    def deleted(self, queue: str, keys: Sequence[str], answer: Answer) -> None:
        outcomes: list[ChappeError | None] = answer.result
        for key, outcome in zip(keys, outcomes, strict=True):
            self.records[key].history.append(f"{self._when(answer)} deletion from {queue}: {outcome or 'done'}")
            if outcome is None:
                self.records[key].deleted.setdefault(queue, answer.answered)
                self.figures["deleted"] += 1
            else:
                self.records[key].deletions -= 1

    def extended(self, key: str, timeout_ms: int, asked_at_ms: int, answer: Answer) -> None:
        [outcome] = answer.result
        self.records[key].history.append(f"{self._when(answer)} extended by {timeout_ms} ms: {outcome or 'done'}")
        if outcome is None:
            self.records[key].invisible_until_ms = asked_at_ms + timeout_ms
            self._saved_before = max(self._saved_before, answer.asked)
            self.figures["extended"] += 1

    def purging(self, queue: str) -> None:
        for record in self.records.values():
            if record.queue == queue:
                record.deletions += 1

    def purged(self, queue: str, answer: Answer) -> None:
        """What was acknowledged before the purge was asked for is gone; of what was sent meanwhile nobody knows."""
        for record in self.records.values():
            if record.queue == queue:
                record.deletions += 1
                if record.acknowledged is not None and record.acknowledged < answer.asked:
                    record.deleted.setdefault(queue, answer.answered)
        self.figures["purges"] += 1

    # --- ends ---------------------------------------------------------------------------------------------

    def killed(self) -> None:
        """Forget what was seen in receives that may not have been saved, the latest first."""
        self.figures["kills"] += 1
        self.figures["lives"] += 1
        for sight in reversed(self._sights):
            if sight.answered >= self._saved_before:
                if sight.count_before is None:
                    sight.record.counts.pop(sight.queue, None)
                else:
                    sight.record.counts[sight.queue] = sight.count_before
                sight.record.dead_since = sight.was_dead_since
                for place in sight.passed:
                    self._gone.pop(place, None)
        self._sights.clear()
        self._saved_before = 0

    def closed(self) -> None:
        """Everything seen is saved."""
        self.figures["lives"] += 1
        self._sights.clear()
        self._saved_before = 0

    def begin_the_end(self) -> None:
        """From now on everything that is left is received and deleted."""
        self._at_end = True

    def check_nothing_lost(self) -> None:
        """After everything that was left has been received once more."""
        lost = [
            record.key
            for record in self.records.values()
            if record.acknowledged is not None and not record.seen_at_end and not record.deletions
        ]
        self.figures["losses"] = len(lost)
        expect(not lost, f"{len(lost)} acknowledged messages were lost: {lost[:10]}")
        batches: dict[int, list[Record]] = defaultdict(list)
        for record in self.records.values():
            if record.acknowledged is None and not record.deletions:
                batches[record.batch].append(record)
        torn = [batch for batch in batches.values() if len({record.seen for record in batch}) > 1]
        expect(not torn, f"{len(torn)} sends were stored in part: {torn[:2]}")
