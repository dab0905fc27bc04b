"""Worlds: what the contract lets be true of an engine, given everything it has answered.

The contract leaves choices (which ready message is received first, when exactly a dead letter is moved) and losses
(the receives of the last commit before a crash). So there may be several worlds at a time. Each follows what the
engine answers; one that could not have given the answer is dropped. When none is left, the engine broke the contract.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
from tests.model.reference import Message, Queue, ReferenceEngine

from chappe.engine.base import NewMessage, QueueCounts, ReceivedMessage, SentMessage
from chappe.model.errors import ChappeError, InFlightLimit, ReceiptExpired, ReceiptInvalid

MOST_WORLDS = 500


class Contradiction(AssertionError):
    """In this world the engine could not have answered so."""


def expect(condition: bool, words: str) -> None:
    if not condition:
        raise Contradiction(words)


class World(ReferenceEngine):
    """A reference engine that makes the choices the engine under test was seen to make."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self.expired: Counter[str] = Counter()
        """By queue: messages whose retention has passed, which may be counted until they have vanished."""
        self.vanished: Counter[str] = Counter()
        """By queue: all of those there ever were. That they vanished was promised to nobody, so a crash may undo it."""
        self.outlived: dict[str, Message] = {}
        """By id: all messages whose retention has ever passed."""

    def fork(self) -> World:
        twin = World(self._clock)
        twin.expired = self.expired.copy()
        twin.vanished = self.vanished.copy()
        twin.outlived = {message_id: replace(message) for message_id, message in self.outlived.items()}
        twin._queues = {name: _copy(queue) for name, queue in self._queues.items()}
        return twin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, World) and self._queues == other._queues

    __hash__ = None  # type: ignore[assignment]

    def stored(self, name: str) -> int:
        """How many messages the queue holds; 0 without a queue."""
        return len(self._queue(name).messages) if name in self._queues else 0

    def spent(self, name: str) -> bool:
        """Whether a receive may move dead letters."""
        return bool(self._spent(self._queue(name)))

    # --- following answers --------------------------------------------------------------------------------

    def sent(self, name: str, messages: Sequence[NewMessage], answers: Sequence[SentMessage]) -> None:
        queue = self._queue(name)
        expect(len(messages) == len(answers), "as many answers as messages")
        for message, answer in zip(messages, answers, strict=True):
            first = self._first_with_key(queue, message)
            if first is not None:
                repeated = SentMessage(first.id, first.sequence, duplicate=True)
                expect(answer == repeated, f"{answer} should repeat {first}")
                continue
            expect(not answer.duplicate, f"{answer} is no duplicate")
            expect(answer.sequence > queue.last_sequence, f"{answer} should follow {queue.last_sequence}")
            queue.last_sequence = answer.sequence
            self._append(queue, message, answer)

    def received(
        self,
        name: str,
        max_messages: int,
        visibility_timeout_ms: int | None,
        answer: list[ReceivedMessage] | InFlightLimit,
        moved: int | None,
        attempt_id: str | None = None,
    ) -> list[World]:
        """The worlds that this receive may lead to. `moved` says how many dead letters it moved, if known."""
        queue = self._queue(name)
        if visibility_timeout_ms is None:
            visibility_timeout_ms = queue.settings.visibility_timeout_ms
        again = self._repeatable(queue, attempt_id) if attempt_id is not None else []
        if again:
            expected = [self._repeat(message, visibility_timeout_ms) for message in again]
            expect(answer == expected, f"the attempt should give {expected} again")
            return [self]
        room = self._room_in_flight(queue)
        if isinstance(answer, InFlightLimit):
            full = not queue.settings.fifo and room - len(self._lingering(name)) <= 0
            expect(full, f"{room} more may be in flight")
            return [self]
        expect(queue.settings.fifo or room > 0, "the limit is reached")
        possible: list[World] = []
        problem: Contradiction | None = None
        for world in self._ways_of_moving(name, moved):
            try:
                world._accept(name, max_messages, visibility_timeout_ms, answer)
                possible.append(world)
            except Contradiction as contradiction:
                problem = contradiction
        if not possible:
            raise problem or Contradiction(f"{moved} dead letters cannot have been moved")
        if attempt_id is not None and answer:
            made = self._clock(), [message.receipt for message in answer]
            for world in possible:
                world._queue(name).attempts[attempt_id] = made
        return possible

    def deleted(self, name: str, receipts: Sequence[str], answers: Sequence[ChappeError | None]) -> None:
        """Each receipt of a batch may be judged before the batch or after those that precede it.

        And one whose message has outlived its retention may be called expired, as long as it has not vanished.
        """
        before = [self.fork()._delete_alone(name, receipt) for receipt in receipts]
        expected = [self._delete_alone(name, receipt) for receipt in receipts]
        agreed = [
            answer
            if type(alone) is type(answer) or (isinstance(answer, ReceiptExpired) and self._outlived(name, receipt))
            else in_turn
            for receipt, alone, in_turn, answer in zip(receipts, before, expected, answers, strict=True)
        ]
        _expect_same(agreed, answers)

    def changed(self, name: str, changes: Sequence[tuple[str, int]], answers: Sequence[ChappeError | None]) -> None:
        """One whose message has outlived its retention may be treated as there, as long as it has not vanished."""
        queue = self._queue(name)
        expected = [self._change_one(queue, receipt, timeout_ms) for receipt, timeout_ms in changes]
        for index, ((receipt, timeout_ms), answer) in enumerate(zip(changes, answers, strict=True)):
            outlived = self.outlived.get(queue.receipts.get(receipt, ""))
            if outlived is None or isinstance(answer, ReceiptInvalid):
                continue
            if answer is None:
                outlived.visible_at_ms = self._clock() + timeout_ms
            expected[index] = answer
        _expect_same(expected, answers)

    def moved(
        self, name: str, receipts: Sequence[str], target: str, answers: Sequence[SentMessage | ChappeError]
    ) -> None:
        """One whose message has outlived its retention may be moved, as long as it has not vanished."""
        queue = self._queue(name)
        for receipt, answer in zip(receipts, answers, strict=True):
            message = self._held(queue, receipt)
            outlived = self.outlived.get(queue.receipts.get(receipt, ""))
            if outlived is not None and isinstance(message, ChappeError):
                if isinstance(answer, ChappeError):
                    continue
                message = outlived
                outlived.visible_at_ms = self._clock()
            if isinstance(message, ChappeError) or isinstance(answer, ChappeError):
                _expect_same(
                    [message if isinstance(message, ChappeError) else None],
                    [answer if isinstance(answer, ChappeError) else None],
                )
                continue
            if message in queue.messages:
                queue.messages.remove(message)
            copy = NewMessage(message.body, message.attributes, message.group)
            self.sent(target, [copy], [answer])

    def counted(self, name: str, counts: QueueCounts) -> None:
        queue, now_ms = self._queue(name), self._clock()
        expected = QueueCounts(
            ready=sum(message.is_ready(now_ms) for message in queue.messages),
            in_flight=sum(message.is_in_flight(now_ms) for message in queue.messages),
            delayed=sum(message.is_delayed(now_ms) for message in queue.messages),
        )
        excess = [
            counts.ready - expected.ready,
            counts.in_flight - expected.in_flight,
            counts.delayed - expected.delayed,
        ]
        allowed = min(excess) >= 0 and sum(excess) <= self.expired[name]
        expect(allowed, f"{name} should have {expected} and {self.expired[name]} expired, has {counts}")
        self.expired[name] = sum(excess)

    def _drop_expired(self, queue: Queue) -> None:
        before = {message.id: message for message in queue.messages}
        super()._drop_expired(queue)
        dropped = before.keys() - {message.id for message in queue.messages}
        self.expired[queue.info.name] += len(dropped)
        self.vanished[queue.info.name] += len(dropped)
        self.outlived |= {message_id: before[message_id] for message_id in dropped}

    async def purge(self, name: str) -> None:
        await super().purge(name)
        del self.expired[name], self.vanished[name]

    async def delete_queue(self, name: str) -> None:
        await super().delete_queue(name)
        del self.expired[name], self.vanished[name]

    def _lingering(self, name: str) -> list[Message]:
        """Messages past their retention that may go on being in flight, and hold their groups, until that ends."""
        issued = set(self._queue(name).receipts.values())
        now_ms = self._clock()
        return [m for m in self.outlived.values() if m.id in issued and m.is_in_flight(now_ms)]

    def _outlived(self, name: str, receipt: str) -> bool:
        queue = self._queue(name)
        return queue.settings.fifo and queue.receipts.get(receipt) in self.outlived

    def _delete_alone(self, name: str, receipt: str) -> ChappeError | None:
        return self._delete_one(self._queue(name), receipt)

    # --- choices ------------------------------------------------------------------------------------------

    def _ways_of_moving(self, name: str, moved: int | None) -> list[World]:
        """This world with none, some or all of the dead letters moved that a receive may move."""
        ways = {frozenset[str](): self.fork()}
        pending = list(ways)
        while pending:
            gone = pending.pop()
            world = ways[gone]
            for message_id in world._next_to_move(name):
                further = gone | {message_id}
                if further not in ways and (moved is None or len(further) <= moved):
                    ways[further] = world.fork()
                    queue = ways[further]._queue(name)
                    message = queue.find(message_id)
                    assert message is not None
                    ways[further]._move(queue, message)
                    pending.append(further)
            if len(ways) > MOST_WORLDS:
                break
        return [world for gone, world in ways.items() if moved is None or len(gone) == moved]

    def _next_to_move(self, name: str) -> list[str]:
        """In a FIFO queue only the first of each group: dead letters keep their order."""
        queue = self._queue(name)
        spent = self._spent(queue)
        if not queue.settings.fifo:
            return [message.id for message in spent]
        first_of_group: dict[str | None, str] = {}
        for message in queue.messages:
            first_of_group.setdefault(message.group, message.id)
        return [message.id for message in spent if message.id in first_of_group.values()]

    def _as_dead_letter(self, message: Message, source: Queue, target: Queue) -> Message:
        """Its sequence is unknown (0) until it is received."""
        return replace(super()._as_dead_letter(message, source, target), sequence=0)

    def _accept(self, name: str, max_messages: int, visibility_timeout_ms: int, answer: list[ReceivedMessage]) -> None:
        queue, now_ms = self._queue(name), self._clock()
        room = min(max_messages, self._room_in_flight(queue))
        spent = {message.id for message in self._spent(queue)}
        held = {message.group for message in queue.in_flight(now_ms)} if queue.settings.fifo else set()
        expect(len(answer) <= max(room, 0), f"{len(answer)} messages where {room} may be received")
        lingering = self._lingering(name)
        if not answer and room > len(lingering):
            groups = {message.group for message in lingering} if queue.settings.fifo else set()
            ready = [m for m in self._receivable(queue) if m.id not in spent and m.group not in groups]
            expect(not ready, f"nothing was received although {ready} are ready")
        taken: set[str] = set()
        for received in answer:
            message = queue.find(received.id)
            if message is None:
                raise Contradiction(f"{received} is not in the queue")
            expect(message.id not in taken, f"{received} came twice")
            expect(message.id not in spent, f"{received} should be a dead letter")
            expect(message.is_ready(now_ms), f"{received} is not ready but visible at {message.visible_at_ms}")
            if queue.settings.fifo:
                expect(message.group not in held, f"the group of {received} is held")
                self._expect_next_of_group(queue, message, taken)
            taken.add(message.id)
            self._accept_one(queue, message, received, visibility_timeout_ms)

    def _expect_next_of_group(self, queue: Queue, message: Message, taken: set[str]) -> None:
        for earlier in queue.messages:
            if earlier is message:
                return
            if earlier.group == message.group:
                expect(earlier.id in taken, f"{message} came before {earlier}")

    def _accept_one(
        self, queue: Queue, message: Message, received: ReceivedMessage, visibility_timeout_ms: int
    ) -> None:
        if message.sequence == 0:
            self._expect_fitting_sequence(queue, message, received.sequence)
            message.sequence = received.sequence
            queue.last_sequence = max(queue.last_sequence, received.sequence)
        delivered = self._deliver(queue, message, visibility_timeout_ms)
        expected = msgspec.structs.replace(delivered, receipt=received.receipt)
        expect(received == expected, f"{received} should be {expected}")
        del queue.receipts[message.newest_receipt]
        queue.receipts[received.receipt] = message.id
        message.newest_receipt = received.receipt

    def _expect_fitting_sequence(self, queue: Queue, message: Message, sequence: int) -> None:
        others = [other for other in queue.messages if other.sequence]
        expect(sequence not in [other.sequence for other in others], f"the sequence {sequence} is taken")
        if queue.settings.fifo:
            place = queue.messages.index(message)
            for index, other in enumerate(queue.messages):
                if other.sequence and other.group == message.group:
                    expect((other.sequence < sequence) == (index < place), f"{sequence} of {message} misplaced")


class Worlds:
    """The worlds still possible, and those a crash could fall back to."""

    def __init__(self, first: World) -> None:
        self.possible = [first]
        self._before_unsaved_receives: list[World] = []

    def follow(self, step: Callable[[World], list[World] | None]) -> None:
        """Let each world follow a step; it may split. Fails when the step is possible in none."""
        survivors: list[World] = []
        problem: Contradiction | None = None
        for world in self.possible:
            try:
                ends = step(world)
            except Contradiction as contradiction:
                problem = problem or contradiction
            else:
                survivors += [world] if ends is None else ends
        if not survivors:
            assert problem is not None
            raise problem
        self.possible = _distinct(survivors)

    def remember_for_crash(self) -> None:
        """A receive is about to be made, which a crash may undo."""
        self._before_unsaved_receives += [world.fork() for world in self.possible]

    def saved(self) -> None:
        """An operation that changed something was acknowledged: the receives before it are on stable storage."""
        self._before_unsaved_receives.clear()

    def restart(self) -> None:
        """What is promised only within a life of the engine is over."""
        for world in self.possible:
            for queue in world._queues.values():
                queue.attempts.clear()

    def crash(self) -> None:
        self.possible = _distinct(self.possible + self._before_unsaved_receives)
        for world in self.possible:
            world.expired = world.vanished.copy()
        self.restart()
        self._before_unsaved_receives.clear()


def _copy(queue: Queue) -> Queue:
    """A copy. Receipts are shared: once issued they are known in every world."""
    return replace(
        queue,
        messages=[replace(message) for message in queue.messages],
        accepted_keys=dict(queue.accepted_keys),
        attempts=dict(queue.attempts),
        waiting=[],
    )


def _distinct(worlds: list[World]) -> list[World]:
    kept: list[World] = []
    for world in worlds:
        if world not in kept:
            kept.append(world)
    return kept


def _expect_same(expected: Sequence[ChappeError | None], answers: Sequence[ChappeError | None]) -> None:
    kinds = [type(answer).__name__ for answer in answers], [type(answer).__name__ for answer in expected]
    expect(kinds[0] == kinds[1], f"answers {kinds[0]} should be {kinds[1]}")
