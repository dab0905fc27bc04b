"""The group commit, over a database of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, create_engine, event, insert, select

from chappe.model.errors import Closed, InvalidInput, StorageFailed
from chappe.records.commit import ROWS_PER_TRANSACTION, Bulk, GroupCommit
from chappe.records.statements import ManyRows

table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))
ADD = Bulk(0, ManyRows(["id", "name"], lambda rows: insert(table).values(rows)))


class Bench:
    """A group commit whose transactions can be held up and are counted."""

    def __init__(self, path: Path) -> None:
        self.commits = 0
        self.go = threading.Event()
        self.go.set()
        self.engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})
        with self.engine.begin() as connection:
            table.metadata.create_all(connection)
        event.listen(self.engine, "begin", lambda connection: self.go.wait(20))
        event.listen(self.engine, "commit", self._count)
        self.thread = ThreadPoolExecutor(1)
        self.group = GroupCommit(self.engine, self.thread)

    def _count(self, connection: Connection) -> None:
        self.commits += 1

    def names(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(table.c.name).order_by(table.c.id)).scalars())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (the group commit tells nobody that it has begun)
            await asyncio.sleep(0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "t.db")
    yield made
    made.go.set()
    made.thread.shutdown()
    made.engine.dispose()


async def test_what_is_submitted_together_is_committed_together(bench: Bench) -> None:
    await asyncio.gather(*(bench.group.write({ADD: [(n, f"n{n}")]}, urgent=True) for n in range(100)))
    assert len(bench.names()) == 100
    assert bench.commits <= 2


async def test_what_arrives_during_a_transaction_forms_the_next(bench: Bench) -> None:
    bench.go.clear()
    first = bench.group.write({ADD: [(0, "a")]}, urgent=True)
    await until(lambda: not bench.group._urgent)
    others = [bench.group.write({ADD: [(n, "b")]}, urgent=True) for n in range(1, 50)]
    bench.go.set()
    await asyncio.gather(first, *others)
    assert bench.commits == 2


async def test_only_the_culprit_fails(bench: Bench) -> None:
    await bench.group.write({ADD: [(5, "there already")]}, urgent=True)
    outcomes = await asyncio.gather(
        *(bench.group.write({ADD: [(n, f"n{n}")]}, urgent=True) for n in range(10)), return_exceptions=True
    )
    assert [n for n, outcome in enumerate(outcomes) if outcome is not None] == [5]
    assert isinstance(outcomes[5], StorageFailed)
    assert len(bench.names()) == 10


async def test_an_operation_that_refuses_takes_nothing_with_it(bench: Bench) -> None:
    def refuse(connection: Connection) -> None:
        connection.execute(insert(table).values(id=99, name="half-done"))
        raise InvalidInput("no")

    good = bench.group.write({ADD: [(1, "good")]}, urgent=True)
    bad = bench.group.run(refuse)
    await good
    with pytest.raises(InvalidInput):
        await bad
    assert bench.names() == ["good"]


async def test_an_operation_sees_the_rows_submitted_before_it(bench: Bench) -> None:
    added = bench.group.write({ADD: [(1, "a")]}, urgent=True)
    seen = bench.group.run(lambda c: list(c.execute(select(table.c.name)).scalars()))
    assert await seen == ["a"]
    await added


async def test_urgent_writes_overtake_a_backlog_of_ordinary_ones(bench: Bench) -> None:
    bench.go.clear()
    order: list[str] = []
    rows = [(n, "ordinary") for n in range(5 * ROWS_PER_TRANSACTION)]
    size = ROWS_PER_TRANSACTION // 2
    ordinary = [
        bench.group.write({ADD: rows[start : start + size]}, urgent=False) for start in range(0, len(rows), size)
    ]
    await until(lambda: len(bench.group._ordinary) < len(ordinary))
    urgent = bench.group.write({ADD: [(1_000_000, "urgent")]}, urgent=True)
    urgent.add_done_callback(lambda _: order.append("urgent"))
    ordinary[-1].add_done_callback(lambda _: order.append("last ordinary"))
    bench.go.set()
    await asyncio.gather(urgent, *ordinary)
    assert order == ["urgent", "last ordinary"]
    assert bench.commits >= 5


async def test_a_cancelled_submitter_does_not_disturb_the_others(bench: Bench) -> None:
    async def submit(number: int) -> None:
        await bench.group.write({ADD: [(number, "x")]}, urgent=True)

    tasks = [asyncio.create_task(submit(n)) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tasks[0].exception() is None
    assert tasks[2].exception() is None


async def test_closing_commits_what_was_submitted_and_refuses_more(bench: Bench) -> None:
    submitted = bench.group.write({ADD: [(1, "a")]}, urgent=False)
    await bench.group.close()
    await submitted
    with pytest.raises(Closed):
        await bench.group.write({ADD: [(2, "b")]}, urgent=True)
    assert bench.names() == ["a"]
