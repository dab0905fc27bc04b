"""Long polling: receives that wait are served in the order they came, the moment something is ready."""

from __future__ import annotations

import asyncio

from chappe.engine.embedded.entry import Delivery
from chappe.engine.embedded.queue import Poller, Queue
from chappe.engine.embedded.taking import Taking


async def wait_for_messages(
    taking: Taking, queue: Queue, max_messages: int, visibility_timeout_ms: int, wait_ms: int
) -> list[Delivery]:
    """Wait in line; returns empty after `wait_ms`, or when the queue is deleted or the engine closes."""
    poller = Poller(max_messages, visibility_timeout_ms)
    queue.pollers[poller] = None
    give_up = asyncio.get_running_loop().call_later(wait_ms / 1000, _give_up, poller)
    _arm(taking, queue)
    try:
        return await poller.taken
    except asyncio.CancelledError:
        if poller.taken.done() and not poller.taken.cancelled():  # served and cancelled in the same moment
            taking.put_back(queue, poller.taken.result())
        raise
    finally:
        give_up.cancel()
        queue.pollers.pop(poller, None)


def serve_pollers(taking: Taking, queue: Queue) -> None:
    """Hand ready messages to waiting receives, first come first served."""
    while queue.pollers:
        poller = next(iter(queue.pollers))
        if poller.taken.done():
            del queue.pollers[poller]
            continue
        taken = taking.take(queue, poller.max_messages, poller.visibility_timeout_ms)
        if not taken:
            taking.load(queue)  # serves again when it is done
            break
        del queue.pollers[poller]
        poller.taken.set_result(taken)
    _arm(taking, queue)


def _give_up(poller: Poller) -> None:
    if not poller.taken.done():
        poller.taken.set_result([])


def _arm(taking: Taking, queue: Queue) -> None:
    """Wake up when the next delay or visibility timeout of a queue with waiting receives ends."""
    if queue.wake is not None:
        queue.wake.cancel()
        queue.wake = None
    instant = queue.next_instant() if queue.pollers else None
    if instant is not None:
        delay_ms = max(1, instant - taking.clock())
        queue.wake = asyncio.get_running_loop().call_later(delay_ms / 1000, serve_pollers, taking, queue)


def dismiss_pollers(queue: Queue) -> None:
    """Let waiting receives return empty."""
    if queue.wake is not None:
        queue.wake.cancel()
        queue.wake = None
    pollers, queue.pollers = queue.pollers, {}
    for poller in pollers:
        _give_up(poller)
