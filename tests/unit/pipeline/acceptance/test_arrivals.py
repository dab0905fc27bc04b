from __future__ import annotations

import asyncio

from chappe.pipeline.acceptance.arrivals import Arrivals


async def test_the_mark_stays_below_everything_that_is_arriving() -> None:
    arrivals = Arrivals(10)
    assert arrivals.settled_through == 10
    with arrivals.arriving(20, in_order=True) as slow:
        slow.add(21)
        with arrivals.arriving(30, in_order=True) as quick:
            quick.add(31)
            assert arrivals.settled_through == 19
        assert arrivals.settled_through == 19
        slow.add(40)
    assert arrivals.settled_through == 40


async def test_the_mark_moves_on_when_an_acceptance_fails() -> None:
    arrivals = Arrivals(0)
    try:
        with arrivals.arriving(5, in_order=True):
            raise ValueError
    except ValueError:
        pass
    assert arrivals.settled_through == 5


async def test_what_is_cut_off_stays_incomplete() -> None:
    arrivals = Arrivals(0)

    async def accept() -> None:
        with arrivals.arriving(5, in_order=True):
            await asyncio.Event().wait()

    task = asyncio.create_task(accept())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert arrivals.settled_through == 4


async def test_waiting_until_messages_have_arrived() -> None:
    arrivals = Arrivals(0)
    with arrivals.arriving(1, in_order=True) as arrival:
        arrival.add(2)
        waiting = asyncio.create_task(arrivals.settled([2, 77]))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
    await arrivals.settled([2])


async def test_intake_waits_only_for_what_may_be_out_of_order() -> None:
    arrivals = Arrivals(0)
    with arrivals.arriving(1, in_order=True) as urgent:
        urgent.add(2)
        assert await arrivals.in_order([2, 99]) == {2}
        with arrivals.arriving(3, in_order=False) as large:
            large.add(4)
            waiting = asyncio.create_task(arrivals.in_order([2, 4]))
            await asyncio.sleep(0)
            assert not waiting.done()
        assert await waiting == {2}
