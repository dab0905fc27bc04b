from __future__ import annotations

import asyncio

import pytest

from chappe.model.errors import NotCancellable, StorageFailed
from chappe.pipeline.delivery.hands import Hands


async def nothing() -> None:
    return


async def test_a_message_is_held_once() -> None:
    hands = Hands()
    assert hands.take(1)
    assert not hands.take(1)
    hands.let_go(1)
    assert hands.take(1)


async def test_a_message_with_a_provider_is_not_cancelled() -> None:
    hands = Hands()
    hands.take(1)
    assert await hands.may_start(1)
    with pytest.raises(NotCancellable):
        await hands.cancel(1, nothing)
    hands.back_from_provider(1)
    await hands.cancel(1, nothing)
    assert not await hands.may_start(1)


async def test_a_cancellation_under_way_is_waited_for() -> None:
    hands, committed = Hands(), asyncio.Event()

    async def record() -> None:
        await committed.wait()

    hands.take(1)
    cancelling = asyncio.create_task(hands.cancel(1, record))
    await asyncio.sleep(0)
    starting = asyncio.create_task(hands.may_start(1))
    await asyncio.sleep(0)
    assert not starting.done()
    committed.set()
    assert not await starting
    await cancelling


async def test_a_cancellation_that_fails_lets_the_message_go() -> None:
    hands = Hands()

    async def record() -> None:
        await asyncio.sleep(0)
        raise StorageFailed("no")

    hands.take(1)
    cancelling = asyncio.create_task(hands.cancel(1, record))
    await asyncio.sleep(0)
    assert await hands.may_start(1)
    with pytest.raises(StorageFailed):
        await cancelling


async def test_a_cancellation_is_forgotten_with_the_message() -> None:
    hands = Hands()
    hands.take(1)
    await hands.cancel(1, nothing)
    hands.let_go(1)
    hands.take(1)
    assert await hands.may_start(1)
