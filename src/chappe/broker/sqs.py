"""The SQS operations of one server, over one engine."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from chappe.broker.changes import Changes
from chappe.broker.dead_letter_sources import DeadLetterSources
from chappe.broker.directory import Directory
from chappe.broker.move_tasks import MoveTasks
from chappe.broker.permissions import Permissions
from chappe.broker.queues import Queues
from chappe.broker.receipts import ReceiptHandles
from chappe.broker.receiving import Receiver
from chappe.broker.sending import Sender
from chappe.broker.tags import Tags
from chappe.engine.base import Engine


class Sqs:
    """`clock_ms` gives milliseconds since the Unix epoch and is the engine's clock; see `Queues` for
    `recreate_after_ms` and `Directory` for `own_prefix`.

    Receipt handles are signed with `handle_key`; without one they are good for as long as this object.

    Between `start` and `stop`, work goes on in the background. The engine closes after `stop`.
    """

    def __init__(
        self,
        engine: Engine,
        clock_ms: Callable[[], int],
        *,
        recreate_after_ms: int = 0,
        handle_key: bytes | None = None,
        own_prefix: str | None = None,
    ) -> None:
        directory = Directory(engine, own_prefix)
        changes = Changes(engine, directory)
        self.tags = Tags(directory, changes)
        self.permissions = Permissions(changes)
        self.dead_letter_sources = DeadLetterSources(engine, directory)
        self.move_tasks = MoveTasks(engine, self.dead_letter_sources, clock_ms)
        self.queues = Queues(
            engine, directory, changes, self.move_tasks.forget, clock_ms, recreate_after_ms=recreate_after_ms
        )
        self.sender = Sender(engine, directory)
        handles = ReceiptHandles(handle_key or secrets.token_bytes(32))
        self.receiver = Receiver(engine, directory, clock_ms, handles)

    async def start(self) -> None:
        await self.move_tasks.start()

    async def stop(self) -> None:
        await self.move_tasks.stop()
