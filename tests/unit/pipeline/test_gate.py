from __future__ import annotations

import asyncio

import pytest

from chappe.model.customer import Purpose
from chappe.pipeline.gate import Gate

T, P = Purpose.TRANSACTIONAL, Purpose.PROMOTIONAL


async def test_no_more_than_the_limit_at_once() -> None:
    gate, inside, most = Gate(3), 0, 0

    async def work(purpose: Purpose) -> None:
        nonlocal inside, most
        await gate.enter(purpose)
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        gate.leave(purpose)

    await asyncio.gather(*(work(T if number % 2 else P) for number in range(50)))
    assert most == 3


async def test_promotional_messages_never_take_the_last_slots() -> None:
    gate = Gate(4)
    waiting = [asyncio.create_task(gate.enter(P)) for _ in range(10)]
    await asyncio.sleep(0)
    assert sum(task.done() for task in waiting) == 3
    async with asyncio.timeout(5):
        await gate.enter(T)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_free_slot_goes_to_transactional_messages_first() -> None:
    gate, order = Gate(1), []

    async def work(purpose: Purpose, name: str) -> None:
        await gate.enter(purpose)
        order.append(name)
        gate.leave(purpose)

    await gate.enter(T)
    tasks = [asyncio.create_task(work(purpose, name)) for purpose, name in ((P, "p1"), (P, "p2"), (T, "t1"), (T, "t2"))]
    await asyncio.sleep(0)
    gate.leave(T)
    await asyncio.gather(*tasks)
    assert order == ["t1", "t2", "p1", "p2"]


async def test_one_slot_serves_both() -> None:
    gate = Gate(1)
    await gate.enter(P)
    gate.leave(P)
    await gate.enter(T)
    gate.leave(T)


async def test_a_waiter_that_is_cancelled_leaves_its_slot_to_others() -> None:
    gate = Gate(1)
    await gate.enter(T)
    first, second = (asyncio.create_task(gate.enter(T)) for _ in range(2))
    await asyncio.sleep(0)
    gate.leave(T)  # the slot is given to the first, which is cancelled before it notices
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    async with asyncio.timeout(5):
        await second


def test_a_gate_needs_a_slot() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Gate(0)
