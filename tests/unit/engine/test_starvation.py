"""No turn of events leaves messages where no receive finds them, nor a receive going round in circles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import apsw
import pytest
from tests.conformance.clocks import START_MS, ManualClock
from tests.conformance.engines import open_embedded
from tests.conformance.tight import tighten
from tests.conformance.workplace import GIVE_UP_SECONDS, SECOND_MS, eventually, receipts, send, take, texts

from chappe.engine.base import DeadLetterPolicy, NewMessage, QueueInfo, QueueSettings, ReceivedMessage
from chappe.engine.embedded import EmbeddedEngine
from chappe.engine.embedded.entry import Entry, Place, State
from chappe.engine.embedded.pages import Read
from chappe.engine.embedded.standard import StandardQueue
from chappe.engine.embedded.store import DATABASE, Store
from chappe.model.errors import StorageFailed, StorageFull

BACKLOG = 3000
"""More than an engine keeps at hand."""
FULL = StorageFull("The disk is full.")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def engine(tmp_path: Path, clock: ManualClock) -> AsyncIterator[EmbeddedEngine]:
    engine = await open_embedded(tmp_path, clock)
    assert isinstance(engine, EmbeddedEngine)
    yield engine
    await engine.close()


async def in_time(receiving: Awaitable[list[ReceivedMessage]]) -> list[ReceivedMessage]:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        return await receiving


async def test_a_receive_from_disk_after_storage_failed_says_so(engine: EmbeddedEngine) -> None:
    await engine.create_queue("q", QueueSettings())
    queue = engine._core.by_name["q"]
    assert isinstance(queue, StandardQueue)
    queue.plain.backlog.gap = 1
    engine._core.commits.failure = StorageFailed("gone")
    with pytest.raises(StorageFailed):
        await in_time(engine.receive("q"))


@pytest.mark.parametrize("wait_ms", [0, 1])
async def test_dead_letters_that_cannot_be_moved_do_not_keep_a_receive_busy(
    engine: EmbeddedEngine, clock: ManualClock, wait_ms: int
) -> None:
    await engine.create_queue("dead", QueueSettings())
    await engine.create_queue("q", QueueSettings(dead_letter=DeadLetterPolicy("dead", 1)))
    await send(engine, "q", "spent")
    await take(engine, "q", 1, visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    engine._upkeep.close()  # it would find that there is room
    engine._core.full = FULL
    assert await in_time(engine.receive("q", wait_ms=wait_ms)) == []
    engine._core.full = None
    await eventually(lambda: _came(engine, "q", "dead"))


async def _came(engine: EmbeddedEngine, source: str, target: str) -> bool:
    await engine.receive(source)
    return bool(await engine.receive(target))


async def test_a_move_that_fails_after_a_purge_brings_nothing_back(engine: EmbeddedEngine, clock: ManualClock) -> None:
    await engine.create_queue("dead", QueueSettings())
    await engine.create_queue("q", QueueSettings(dead_letter=DeadLetterPolicy("dead", 1)))
    await send(engine, "q", "spent")
    await take(engine, "q", 1, visibility_timeout_ms=SECOND_MS)
    clock.advance(SECOND_MS)
    queue = engine._core.by_name["q"]
    (doomed,) = queue.take(clock(), 1, SECOND_MS, lambda: True).doomed
    await engine.purge("q")
    queue.undo(doomed, clock())
    assert await in_time(engine.receive("q")) == []
    assert (await engine.counts("q")).in_flight == 0


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    tighten(monkeypatch)


@pytest.mark.usefixtures("tight")
async def test_a_damaged_message_that_is_spent_stays_for_the_doctor(
    engine: EmbeddedEngine, clock: ManualClock, tmp_path: Path
) -> None:
    await engine.create_queue("dead", QueueSettings())
    await engine.create_queue("q", QueueSettings(dead_letter=DeadLetterPolicy("dead", 1)))
    (sent,) = await send(engine, "q", "spent " * 100)
    await take(engine, "q", 1, visibility_timeout_ms=SECOND_MS)
    entry = engine._core.by_name["q"].received[sent.sequence]
    await eventually(lambda: _settled(entry))
    database = apsw.Connection(str(tmp_path / DATABASE))
    database.set_busy_timeout(10_000)
    database.execute("UPDATE messages SET body = x'00' WHERE seq = ?", (sent.sequence,))
    clock.advance(SECOND_MS)
    assert await in_time(engine.receive("q")) == []
    assert await engine.receive("dead") == []
    assert (await engine.counts("q")).in_flight == 0
    await send(engine, "q", "next")
    assert texts(await take(engine, "q", 1)) == ["next"]
    assert database.execute("SELECT count(*) FROM messages WHERE seq = ?", (sent.sequence,)).get == 1
    database.close()


async def _settled(entry: Entry) -> bool:
    return entry.settled and entry.content is None


@pytest.mark.usefixtures("tight")
async def test_a_damaged_message_received_again_does_not_hold_its_group(
    engine: EmbeddedEngine, clock: ManualClock, tmp_path: Path
) -> None:
    await engine.create_queue("q", QueueSettings(fifo=True))
    (sent,) = await send(engine, "q", "damaged " * 100, group="g")
    await take(engine, "q", 1, visibility_timeout_ms=SECOND_MS)
    await eventually(lambda: _settled(engine._core.by_name["q"].received[sent.sequence]))
    database = apsw.Connection(str(tmp_path / DATABASE))
    database.set_busy_timeout(10_000)
    database.execute("UPDATE messages SET body = x'00' WHERE seq = ?", (sent.sequence,))
    database.close()
    await send(engine, "q", "next", group="g")
    clock.advance(SECOND_MS)
    assert await in_time(engine.receive("q")) == []
    assert texts(await take(engine, "q", 1)) == ["next"]


async def test_more_room_in_flight_ends_the_wait(engine: EmbeddedEngine) -> None:
    await engine.create_queue("q", QueueSettings(max_in_flight=1))
    await send(engine, "q", "one", "two")
    await take(engine, "q", 1)
    waiting = asyncio.ensure_future(engine.receive("q", wait_ms=60_000))
    while not engine._core.by_name["q"].pollers:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await engine.set_queue("q", QueueSettings())
    async with asyncio.timeout(GIVE_UP_SECONDS):
        assert len(await waiting) == 1


# --- a standard queue by itself: reads that fail or come late -----------------------------------------------------


def parked(seq: int, due_ms: int) -> Entry:
    return Entry(seq, 1, b"", START_MS, due=due_ms, state=State.DELAYED, place=Place.PARKED)


def standard_queue(**stored: int) -> StandardQueue:
    return StandardQueue(1, QueueInfo("q", QueueSettings(), START_MS, START_MS), 0, **stored)


def load(queue: StandardQueue, now: int) -> Read:
    read = queue.load(now)
    assert read is not None
    return read


def test_tenants_of_a_failed_read_are_read_again() -> None:
    queue = standard_queue()
    queue.restore_tenants(["a", "b"], 2)
    failed = load(queue, START_MS)
    again = load(queue, START_MS)
    assert failed is not again
    assert queue._next(START_MS) is None
    again.fetch(StoreOf(lambda name: [Entry(1 if name == "a" else 2, 1, b"", START_MS, group=name, settled=True)]))
    again.apply(())
    assert {entry.group for entry in (queue._next(START_MS), queue._next(START_MS)) if entry} == {"a", "b"}


def test_what_follows_a_slice_of_damaged_rows_is_found() -> None:
    queue = standard_queue()
    queue.restore_tenants(["a"], 3)
    damaged = [Entry(seq, 0, b"", 0, settled=True, state=State.DEAD) for seq in (1, 2)]
    whole = [Entry(3, 1, b"", START_MS, group="a", settled=True)]
    for rows in (damaged, whole):
        read = load(queue, START_MS)
        read.fetch(StoreOf(lambda name, rows=rows: rows))  # type: ignore[misc]
        read.apply(())
        found = queue._next(START_MS)
    assert found is whole[0]


class StoreOf(Store):
    """Answers reads of a group's messages."""

    def __init__(self, rows: Callable[[str], list[Entry]]) -> None:
        self._rows = rows

    def read_group(
        self, queue_id: int, group: str, after_seq: int, upto_seq: int, max_rows: int, max_bytes: int
    ) -> list[Entry]:
        return self._rows(group)


def test_messages_left_to_the_disk_while_later_ones_are_read_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chappe.engine.embedded.standard.PARKED_LIMIT", 1)
    queue = standard_queue()
    early = [parked(seq, START_MS + seq) for seq in (1, 2, 3)]
    for entry in early:
        queue.arrive(entry, START_MS)
    late = parked(4, START_MS + 400)
    queue.parked_on_disk, queue.horizon = 1, (START_MS + 300, 0)
    read = load(queue, START_MS)
    for entry in early:
        entry.settled = True
    queue.settled(early[2])
    assert queue.parked_on_disk > 1, "some were left to the disk"
    read.apply([late])
    on_disk = [entry for entry in (*early, late) if entry.state is State.EVICTED or entry is late]
    assert all((entry.due, entry.seq) > queue.horizon for entry in on_disk)


def test_delayed_messages_of_tenants_that_are_due_are_read_a_window_at_a_time() -> None:
    queue = standard_queue(parked=1_000_000)
    seq = 0
    for _ in range(100):
        read = queue.load(START_MS)
        if read is None:
            break
        rows = [parked(seq + n, START_MS - 1000) for n in range(500)]
        for row in rows:
            row.group = f"tenant {row.seq % 7}"
        seq += 500
        read.apply(rows)
        queue.promote(START_MS)
    assert len(queue.parked) < BACKLOG


def test_a_tenant_that_left_does_not_take_another_of_its_name_along() -> None:
    queue = standard_queue()
    first, second = (Entry(seq, 1, b"", START_MS + seq, group="g") for seq in (1, 2))
    for entry in (first, second):
        queue.arrive(entry, START_MS)
    assert queue.take(START_MS, 1, SECOND_MS, lambda: False).delivered == [first]
    assert queue.expire(START_MS + 2, START_MS) == [second]
    queue.delete(first, START_MS)
    later = [Entry(seq, 1, b"", START_MS + seq, group="g") for seq in (3, 4, 5)]
    for entry in later:
        queue.arrive(entry, START_MS)
    delivered = [entry for _ in later for entry in queue.take(START_MS, 1, SECOND_MS, lambda: False).delivered]
    assert delivered == later
    assert {name: tenant.in_flight for name, tenant in queue.tenants.items()} == {"g": 3}
    for entry in later:
        queue.delete(entry, START_MS)
    assert not queue.tenants


def test_a_hundred_thousand_messages_expire_at_once() -> None:
    """Those that stay stand between those that go: a search for each would take minutes."""
    queue = standard_queue()
    queue.info = QueueInfo("q", QueueSettings(), START_MS, START_MS)
    entries = [Entry(seq, 1, b"", START_MS + seq % 2) for seq in range(1, 100_001)]
    queue.restore(entries, START_MS)
    assert len(queue.expire(START_MS, START_MS)) == 50_000
    assert queue.counts(START_MS).ready == 50_000


async def test_receipts_of_messages_sent_beside_a_purge_are_good(engine: EmbeddedEngine) -> None:
    await engine.create_queue("q", QueueSettings())
    before, _, after = await asyncio.gather(
        send(engine, "q", "before"), engine.purge("q"), engine.send("q", [NewMessage(b"after")])
    )
    assert before[0].sequence < after[0].sequence
    received = await take(engine, "q", 1, visibility_timeout_ms=0)
    assert texts(received) == ["after"]
    again = await take(engine, "q", 1, visibility_timeout_ms=0)
    assert await engine.delete("q", receipts(again)) == [None]
    assert await engine.receive("q") == []
