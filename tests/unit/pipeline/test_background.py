from __future__ import annotations

import asyncio

from chappe.pipeline.background import Background, Pace


async def test_one_slice_in_each_pass_of_the_event_loop() -> None:
    background, log = Background(slice_seconds=0), []

    async def ordinary(name: str) -> None:
        for _ in range(3):
            await background.turn()
            log.append(name)

    async def loop_passes(tasks: list[asyncio.Task[None]]) -> None:
        while not all(task.done() for task in tasks):
            log.append("|")
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(ordinary(name)) for name in "abc"]
    await loop_passes(tasks)
    slices = "".join(log).split("|")
    assert max(len(part) for part in slices) == 1
    assert sorted("".join(slices)) == sorted("abcabcabc")


async def test_turns_come_in_the_order_asked_for() -> None:
    background, log = Background(), []

    async def ordinary(name: str) -> None:
        await background.turn()
        log.append(name)

    await asyncio.gather(*(ordinary(name) for name in "abcde"))
    assert log == list("abcde")


async def test_a_pause_costs_nothing_while_the_slice_lasts() -> None:
    background = Background(slice_seconds=60)
    await background.turn()
    passed = False

    def other() -> None:
        nonlocal passed
        passed = True

    asyncio.get_running_loop().call_soon(other)
    await background.pause()
    assert not passed


async def test_while_urgent_work_is_under_way_slices_are_spaced_out() -> None:
    background = Background(slice_seconds=0, spacing_seconds=0.05)
    await background.turn()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with background.urgent():
        await background.turn()
        await background.turn()
    assert loop.time() - begun > 0.05
    await background.turn()


async def test_a_waiter_that_is_cancelled_does_not_hold_up_the_others() -> None:
    background = Background()
    tasks = [asyncio.create_task(background.turn()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tasks[2].exception() is None
    async with asyncio.timeout(5):
        await background.turn()


async def test_urgent_work_is_never_paused() -> None:
    background = Background(slice_seconds=0, spacing_seconds=60)
    pace = Pace(background, urgent=True)
    with pace.under_way():
        await pace.begin()
        await pace.pause()
        assert not background._waiting
