from __future__ import annotations

import asyncio

import pytest

from chappe.model.customer import Purpose
from chappe.pipeline.providers.gate import Gate

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


async def test_a_destination_alone_gets_half_and_leaves_room_for_others() -> None:
    gate = Gate(12)
    hanging = [asyncio.create_task(gate.enter(T, "dead")) for _ in range(50)]
    await asyncio.sleep(0)
    assert sum(task.done() for task in hanging) == 6
    async with asyncio.timeout(5):
        await gate.enter(T, "alive")
        gate.leave(T, "alive")
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    assert gate.taken == 6


async def test_many_destinations_that_hang_leave_a_slot() -> None:
    gate = Gate(8)
    hanging = [asyncio.create_task(gate.enter(T, f"dead{n % 5}")) for n in range(100)]
    await asyncio.sleep(0)
    assert gate.taken < 8
    async with asyncio.timeout(5):
        await gate.enter(T, "alive")
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_everyone_is_let_in_in_the_end_and_nothing_stays_behind() -> None:
    gate, inside, most = Gate(4), 0, 0

    async def work(number: int) -> None:
        nonlocal inside, most
        purpose, destination = (T, P)[number % 2], ("", "a", "b", "c", "d")[number % 5]
        await gate.enter(purpose, destination)
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        gate.leave(purpose, destination)

    async with asyncio.timeout(20):
        await asyncio.gather(*(work(number) for number in range(500)))
    assert most <= 4
    assert (gate.taken, gate._taken_by, gate._waiting) == (0, {}, {T: {}, P: {}})


async def test_destinations_take_turns() -> None:
    gate, order = Gate(1), []
    await gate.enter(T, "a")

    async def work(destination: str) -> None:
        await gate.enter(T, destination)
        order.append(destination)
        gate.leave(T, destination)

    tasks = [asyncio.create_task(work(destination)) for destination in "aaab"]
    await asyncio.sleep(0)
    gate.leave(T, "a")
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "a", "a"]
