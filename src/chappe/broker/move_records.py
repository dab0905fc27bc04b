"""What is known of message move tasks, kept where it survives a restart.

The tasks of a queue are text in the attributes of an engine queue beside it, `move-tasks:REGION:ACCOUNT:NAME`. Having
four parts, its name is not that of an SQS queue. It is not the queue itself, because keeping count must not look like a
change of the queue (`LastModifiedTimestamp`) nor compete with one.
"""

from __future__ import annotations

import contextlib

import msgspec

from chappe.engine.base import Engine, QueueSettings
from chappe.model.errors import QueueExists, QueueNotFound

RUNNING = "RUNNING"
CANCELLING = "CANCELLING"
CANCELLED = "CANCELLED"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
KEPT_MAX = 10
"""How many tasks of a queue are remembered: as many as can be listed."""
_PREFIX = "move-tasks:"
_ATTRIBUTE = "tasks"
_PAGE = 1000


class MoveTask(msgspec.Struct, omit_defaults=True):
    """A task that moves the messages of the queue `source` (its engine name) to `destination`, or, where that is None,
    each message back to the queue it came from.
    """

    id: str
    source: str
    started_at_ms: int
    to_move: int
    destination: str | None = None
    per_second: int | None = None
    moved: int = 0
    status: str = RUNNING
    failure: str | None = None

    @property
    def over(self) -> bool:
        return self.status not in (RUNNING, CANCELLING)


class MoveRecords:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def load(self) -> dict[str, list[MoveTask]]:
        """All tasks by their source, the newest first. Those of queues that are gone are dropped."""
        found: dict[str, list[MoveTask]] = {}
        after = ""
        while page := await self._engine.list_queues(prefix=_PREFIX, after=after, limit=_PAGE):
            for info in page:
                source = info.name.removeprefix(_PREFIX)
                try:
                    await self._engine.get_queue(source)
                except QueueNotFound:
                    await self.drop(source)
                else:
                    text = info.settings.attributes.get(_ATTRIBUTE, "[]")
                    found[source] = msgspec.json.decode(text, type=list[MoveTask])
            after = page[-1].name
        return found

    async def save(self, source: str, tasks: list[MoveTask]) -> None:
        settings = QueueSettings(attributes={_ATTRIBUTE: msgspec.json.encode(tasks).decode()})
        try:
            await self._engine.set_queue(_PREFIX + source, settings)
        except QueueNotFound:
            with contextlib.suppress(QueueExists):
                await self._engine.create_queue(_PREFIX + source, settings)

    async def drop(self, source: str) -> None:
        with contextlib.suppress(QueueNotFound):
            await self._engine.delete_queue(_PREFIX + source)
