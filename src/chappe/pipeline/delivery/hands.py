"""Who holds a message now: keeps a message from being worked on twice at once, and a cancellation from being overtaken.

Dispatch takes a message into its hands before it reads how far the message has come, and asks for leave right before it
calls a provider. A cancellation that is under way is waited for; one that came after the reading is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from chappe.model.errors import NotCancellable


class Hands:
    """Use from one event loop."""

    def __init__(self) -> None:
        self._held: set[int] = set()
        self._with_provider: set[int] = set()
        self._cancelling: dict[int, asyncio.Future[None]] = {}
        self._cancelled: set[int] = set()

    def take(self, key: int) -> bool:
        """Take a message; False if it is held already."""
        if key in self._held:
            return False
        self._held.add(key)
        return True

    def let_go(self, key: int) -> None:
        """Give it back."""
        self._held.discard(key)
        self._with_provider.discard(key)
        self._cancelled.discard(key)

    async def may_start(self, key: int) -> bool:
        """Right before a held message goes to a provider; False if it was cancelled."""
        while key in self._cancelling:
            await asyncio.wait([self._cancelling[key]])
        if key in self._cancelled:
            return False
        self._with_provider.add(key)
        return True

    def back_from_provider(self, key: int) -> None:
        """The attempt is over, and recorded: until then the records would still let the message be cancelled."""
        self._with_provider.discard(key)

    async def cancel(self, key: int, record: Callable[[], Awaitable[None]]) -> None:
        """Run `record`, which makes a cancellation durable, unless the message is with a provider.

        Raises `NotCancellable`, and whatever `record` raises.
        """
        while key in self._cancelling:
            await asyncio.wait([self._cancelling[key]])
        if key in self._with_provider:
            raise NotCancellable("The message is being handed to a provider right now.", status="sending")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cancelling[key] = done
        try:
            await record()
            if key in self._held:
                self._cancelled.add(key)
        finally:
            del self._cancelling[key]
            done.set_result(None)
