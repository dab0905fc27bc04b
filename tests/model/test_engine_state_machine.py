"""Long random lives of each engine, held to the contract step by step.

Each step is done to the engine and followed in the worlds that the contract still allows (see `world`). Time stands
still within a step. Crashes are real: the engine is opened on a copy of the files it had while it was running.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.conformance.clocks import ManualClock
from tests.conformance.engines import KINDS, EngineKind, copy_as_found
from tests.conformance.workplace import total
from tests.model.drawing import (
    ADVANCES_MS,
    DRAFTS,
    FIFO_NAMES,
    NAMES,
    PICKS,
    SECOND_MS,
    SOURCES,
    STANDARD_NAMES,
    TIMEOUTS_MS,
    Draft,
    Pick,
    settings_for,
)
from tests.model.story import Recorded
from tests.model.world import Contradiction, World, Worlds

from chappe.engine.base import (
    Engine,
    NewMessage,
    QueueCounts,
    QueueSettings,
    ReceivedMessage,
    SentMessage,
)
from chappe.model.errors import InFlightLimit, InvalidInput, QueueExists

T = TypeVar("T")

PATIENCE_MS = 5
REST_SECONDS = 0.01
COUNTS_TRIES = 60
COUNTS_PAUSE_SECONDS = 0.1
MEMORY = Path("/dev/shm")
"""Copies taken while the engine runs see what it wrote, synchronised or not, so a disk would only be slower."""
MOST_STORED = 40
"""Messages in a queue, so that a failure stays readable."""


class Around(NamedTuple):
    """Messages in a queue, those of them in flight, and messages in the queue of its dead letters."""

    here: int
    in_flight: int
    there: int


class EngineMachine(RuleBasedStateMachine):
    kind: EngineKind

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="chappe-model-", dir=MEMORY if MEMORY.is_dir() else None))
        self.generation = 0
        self.clock = ManualClock()
        self.worlds = Worlds(World(self.clock))
        self.receipts: dict[str, list[str]] = {name: [] for name in NAMES}
        self.issued_in_this_life: set[str] = set()
        """A receive that a crash undid may be made again, and have the same receipt."""
        self.bodies = 0
        self.story: list[str] = []
        self.runner = asyncio.Runner()
        self.monkeypatch = pytest.MonkeyPatch()
        self.kind.prepare(self.monkeypatch)
        self.engine = self.open()

    # --- the engine ---------------------------------------------------------------------------------------

    def run(self, awaitable: Awaitable[T]) -> T:
        async def waiting() -> T:
            return await awaitable

        return self.runner.run(waiting())

    @property
    def folder(self) -> Path:
        return self.home / str(self.generation)

    def open(self) -> Engine:
        engine = self.run(self.kind.open(self.folder, self.clock))
        return cast("Engine", Recorded(engine, self.clock, self.story))

    def teardown(self) -> None:
        try:
            self.run(self.engine.close())
        finally:
            self.runner.close()
            self.monkeypatch.undo()
            shutil.rmtree(self.home)

    def exists(self, name: str) -> bool:
        return name in self.worlds.possible[0]._queues

    def queue_names(self) -> list[str]:
        return [name for name in NAMES if self.exists(name)]

    def follow(self, step: Callable[[World], list[World] | None]) -> None:
        """A failure tells the whole story: the timing of an engine may not be the same a second time."""
        try:
            self.worlds.follow(step)
        except Contradiction as contradiction:
            contradiction.add_note("\n".join(self.story))
            raise

    def do_in_worlds(self, step: Any) -> None:
        """An acknowledged operation that every world follows in the same way."""
        for world in self.worlds.possible:
            self.run(step(world))
        self.worlds.saved()

    # --- queues -------------------------------------------------------------------------------------------

    @initialize(data=st.data())
    def create_two(self, data: st.DataObject) -> None:
        for name in ["dead-s", "dead-f", data.draw(st.sampled_from(SOURCES))]:
            self.create(name, data.draw(settings_for(name)))

    @rule(data=st.data())
    def create_queue(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(NAMES))
        self.create(name, data.draw(settings_for(name)))

    def create(self, name: str, settings: QueueSettings) -> None:
        if self.exists(name):
            try:
                self.run(self.engine.create_queue(name, settings))
            except QueueExists:
                return
            raise AssertionError("a taken name was given again")
        self.run(self.engine.create_queue(name, settings))
        self.receipts[name] = []
        self.do_in_worlds(lambda world: world.create_queue(name, settings))

    @precondition(lambda self: bool(self.queue_names()))
    @rule(data=st.data())
    def set_queue(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.queue_names()))
        settings = data.draw(settings_for(name))
        self.run(self.engine.set_queue(name, settings))
        self.do_in_worlds(lambda world: world.set_queue(name, settings))

    @precondition(lambda self: len(self.queue_names()) > 3)
    @rule(data=st.data())
    def delete_queue(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.queue_names()))
        self.run(self.engine.delete_queue(name))
        self.do_in_worlds(lambda world: world.delete_queue(name))

    @precondition(lambda self: bool(self.queue_names()))
    @rule(data=st.data())
    def purge(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.queue_names()))
        self.run(self.engine.purge(name))
        self.do_in_worlds(lambda world: world.purge(name))

    # --- messages -----------------------------------------------------------------------------------------

    def new_messages(self, name: str, drafts: list[Draft]) -> list[NewMessage]:
        messages = []
        for group, key, delay_ms in drafts:
            self.bodies += 1
            body, attributes = b"body %d" % self.bodies, b"a" * (self.bodies % 3)
            if name in FIFO_NAMES:
                group, delay_ms = group or "g1", delay_ms and None
            messages.append(NewMessage(body, attributes, group, key, delay_ms))
        return messages

    @precondition(lambda self: bool(self.queue_names()))
    @rule(data=st.data(), drafts=DRAFTS)
    def send(self, data: st.DataObject, drafts: list[Draft]) -> None:
        name = data.draw(st.sampled_from(self.queue_names()))
        if self.worlds.possible[0].stored(name) + len(drafts) > MOST_STORED:
            return
        messages = self.new_messages(name, drafts)
        answers = self.run(self.engine.send(name, messages))
        self.follow(lambda world: world.sent(name, messages, answers))
        if not all(answer.duplicate for answer in answers):
            self.worlds.saved()

    @precondition(lambda self: bool(self.queue_names()))
    @rule(data=st.data())
    def send_to_several_at_once(self, data: st.DataObject) -> None:
        """Calls made together are committed together, and yet each is whole and they keep their order."""
        names = data.draw(st.lists(st.sampled_from(self.queue_names()), min_size=2, max_size=5))
        calls = [(name, self.new_messages(name, data.draw(DRAFTS)[:3])) for name in names]

        async def send_all() -> list[list[SentMessage]]:
            return await asyncio.gather(*(self.engine.send(name, messages) for name, messages in calls))

        for (name, messages), answers in zip(calls, self.run(send_all()), strict=True):
            self.follow(partial(World.sent, name=name, messages=messages, answers=answers))
            if not all(answer.duplicate for answer in answers):
                self.worlds.saved()

    @precondition(lambda self: any(self.exists(name) for name in FIFO_NAMES))
    @rule(data=st.data(), drafts=DRAFTS)
    def send_with_one_bad_message(self, data: st.DataObject, drafts: list[Draft]) -> None:
        name = data.draw(st.sampled_from([name for name in FIFO_NAMES if self.exists(name)]))
        try:
            bad = [*self.new_messages(name, drafts), NewMessage(b"no group")]
            self.run(self.engine.send(name, bad))
        except InvalidInput:
            return
        raise AssertionError("a message without a group was taken")

    @precondition(lambda self: bool(self.queue_names()))
    @rule(
        data=st.data(),
        max_messages=st.sampled_from([1, 1, 2, 3, 10, 1000]),
        timeout_ms=st.one_of(st.none(), TIMEOUTS_MS),
        attempt_id=st.sampled_from([None, None, "a1", "a1", "a2"]),
    )
    def receive(self, data: st.DataObject, max_messages: int, timeout_ms: int | None, attempt_id: str | None) -> None:
        name = data.draw(st.sampled_from(self.queue_names()))
        self.receive_from(name, max_messages, timeout_ms, attempt_id if name in FIFO_NAMES else None)

    def receive_from(
        self, name: str, max_messages: int, timeout_ms: int | None, attempt_id: str | None = None
    ) -> list[ReceivedMessage] | InFlightLimit:
        before = self.around(name)
        self.worlds.remember_for_crash()
        held = {message.id for message in self.worlds.possible[0]._queue(name).in_flight(self.clock())}
        answer = self.run(self.take(name, max_messages, timeout_ms, attempt_id))
        flying = 0
        if not isinstance(answer, InFlightLimit):
            taking_off = len(answer) if self.timeout(name, timeout_ms) else 0
            flying = taking_off - sum(message.id in held for message in answer)
        if any(world.spent(name) for world in self.worlds.possible):
            self.rest(name)
        moved = self.moved_since(name, before, flying)
        self.follow(lambda world: world.received(name, max_messages, timeout_ms, answer, moved, attempt_id))
        if not isinstance(answer, InFlightLimit):
            repeated = answer if attempt_id is not None else []
            known = {message.receipt for message in repeated} & self.issued_in_this_life
            issued = [message.receipt for message in answer if message.receipt not in known]
            assert len(set(issued) - self.issued_in_this_life) == len(issued), "a receipt was issued twice"
            self.issued_in_this_life.update(issued)
            self.receipts[name] += issued
        return answer

    def timeout(self, name: str, timeout_ms: int | None) -> int:
        own = self.worlds.possible[0]._queues[name].settings.visibility_timeout_ms
        return own if timeout_ms is None else timeout_ms

    async def take(
        self, name: str, max_messages: int, timeout_ms: int | None, attempt_id: str | None
    ) -> list[ReceivedMessage] | InFlightLimit:
        """A receive that finds nothing is asked again, with patience: then there is nothing."""
        for wait_ms in (0, PATIENCE_MS):
            try:
                taken = await self.engine.receive(
                    name,
                    max_messages=max_messages,
                    visibility_timeout_ms=timeout_ms,
                    wait_ms=wait_ms,
                    attempt_id=attempt_id,
                )
            except InFlightLimit as limit:
                return limit
            if taken:
                break
        return taken

    def around(self, name: str) -> Around | None:
        """The counts of a queue and of the queue its dead letters go to; None where they cannot tell what moves."""
        policy = self.worlds.possible[0]._queues[name].settings.dead_letter
        if policy is None or not self.exists(policy.queue):
            return None
        if any(world.expired[queue] for world in self.worlds.possible for queue in (name, policy.queue)):
            return None
        here, there = (self.run(self.engine.counts(queue)) for queue in (name, policy.queue))
        return Around(total(here), here.in_flight, total(there))

    def rest(self, name: str) -> None:
        """Wait until dead letters have been moved: until the counts stand still."""
        policy = self.worlds.possible[0]._queues[name].settings.dead_letter
        assert policy is not None
        seen: list[QueueCounts] = []
        still = 0
        while still < 3:
            self.run(asyncio.sleep(REST_SECONDS))
            counts = [self.run(self.engine.counts(queue)) for queue in (name, policy.queue)]
            still = still + 1 if counts == seen else 0
            seen = counts

    def moved_since(self, name: str, before: Around | None, taken: int) -> int | None:
        """How many dead letters a receive has moved: what neither stayed nor is in flight any more."""
        for _ in range(COUNTS_TRIES):
            after = self.around(name)
            if before is None or after is None:
                return None
            moved = after.there - before.there
            if after.here == before.here - moved and after.in_flight == before.in_flight + taken:
                return moved
            self.run(asyncio.sleep(COUNTS_PAUSE_SECONDS))
        return None

    def pick(self, name: str, picks: list[Pick]) -> list[str]:
        """Receipts: new ones of this queue, any of it, foreign ones, and junk in the place of those there are not."""
        others = [receipt for other in NAMES if other != name for receipt in self.receipts[other][-2:]]
        sources = {"new": self.receipts[name][-5:], "any": self.receipts[name], "foreign": others}
        picked = []
        for source, index in picks:
            receipts = sources.get(source) or ["junk"]
            picked.append(receipts[-1 - index % len(receipts)])
        return picked

    @precondition(lambda self: bool(self.queue_names()))
    @rule(data=st.data(), picks=PICKS)
    def delete(self, data: st.DataObject, picks: list[Pick]) -> None:
        name = data.draw(st.sampled_from(self.queue_names()))
        receipts = self.pick(name, picks)
        before = min(world.stored(name) for world in self.worlds.possible)
        answers = self.run(self.engine.delete(name, receipts))
        self.follow(lambda world: world.deleted(name, receipts, answers))
        if max(world.stored(name) for world in self.worlds.possible) < before:
            self.worlds.saved()

    @precondition(lambda self: bool(self.queue_names()))
    @rule(data=st.data(), picks=PICKS)
    def change_visibility(self, data: st.DataObject, picks: list[Pick]) -> None:
        name = data.draw(st.sampled_from(self.queue_names()))
        changes = [(receipt, data.draw(TIMEOUTS_MS)) for receipt in self.pick(name, picks)]
        answers = self.run(self.engine.change_visibility(name, changes))
        self.follow(lambda world: world.changed(name, changes, answers))
        if None in answers:
            self.worlds.saved()

    @precondition(lambda self: len(self.queue_names()) > 1)
    @rule(data=st.data(), picks=PICKS)
    def move(self, data: st.DataObject, picks: list[Pick]) -> None:
        name = data.draw(st.sampled_from(self.queue_names()))
        kind = FIFO_NAMES if name in FIFO_NAMES else STANDARD_NAMES
        others = [other for other in kind if other != name and self.exists(other)]
        if not others:
            return
        target = data.draw(st.sampled_from(others))
        receipts = self.pick(name, picks)
        answers = self.run(self.engine.move(name, receipts, target))
        self.follow(lambda world: world.moved(name, receipts, target, answers))
        if any(isinstance(answer, SentMessage) for answer in answers):
            self.worlds.saved()

    # --- time and ends ------------------------------------------------------------------------------------

    @rule(ms=ADVANCES_MS)
    def advance(self, ms: int) -> None:
        self.clock.advance(ms)

    @precondition(lambda self: self.kind.durable)
    @rule(down_ms=st.sampled_from([0, 0, SECOND_MS, 71 * SECOND_MS]))
    def restart(self, down_ms: int) -> None:
        self.run(self.engine.close())
        self.worlds.saved()
        self.worlds.restart()
        self.clock.advance(down_ms)
        self.engine = self.open()

    @precondition(lambda self: self.kind.durable)
    @rule(down_ms=st.sampled_from([0, 0, SECOND_MS, 71 * SECOND_MS]))
    def crash(self, down_ms: int) -> None:
        left_behind = self.home / str(self.generation + 1)
        copy_as_found(self.folder, left_behind)
        self.story.append("the engine is killed; what follows is recorded of its end")
        self.run(self.engine.close())
        shutil.rmtree(self.folder)
        self.generation += 1
        self.worlds.crash()
        self.issued_in_this_life.clear()
        self.clock.advance(down_ms)
        self.engine = self.open()

    # --- what always holds --------------------------------------------------------------------------------

    @invariant()
    def counts_are_exact_at_rest(self) -> None:
        for name in self.queue_names():
            self.follow_counts(name)

    def follow_counts(self, name: str) -> None:
        """Counts need not be exact at once, but they become so with nothing else going on."""
        for attempt in range(COUNTS_TRIES):
            counts = self.run(self.engine.counts(name))
            try:
                self.follow(partial(World.counted, name=name, counts=counts))
            except Contradiction:
                if attempt == COUNTS_TRIES - 1:
                    raise
                self.run(asyncio.sleep(COUNTS_PAUSE_SECONDS))
            else:
                return

    @invariant()
    def the_queues_are_those_created(self) -> None:
        described = self.run(self.engine.list_queues())
        assert described == self.run(self.worlds.possible[0].list_queues())


KIND = {kind.name: kind for kind in KINDS}


class ReferenceMachine(EngineMachine):
    """The reference held to itself: what this finds is wrong with the test."""

    kind = KIND["reference"]


class EmbeddedMachine(EngineMachine):
    kind = KIND["embedded"]


class TightMachine(EngineMachine):
    kind = KIND["tight"]


def search(lives: int, steps: int = 60) -> settings:
    """How much to try, unless the profile asks for more."""
    options: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}
    if settings.get_current_profile_name() == "default":
        options |= {"max_examples": lives, "stateful_step_count": steps}
    return settings(**options)


TestReference = ReferenceMachine.TestCase
TestReference.settings = search(lives=50)
TestEmbedded = EmbeddedMachine.TestCase
TestEmbedded.settings = search(lives=180)
TestTight = TightMachine.TestCase
TestTight.settings = search(lives=180)
