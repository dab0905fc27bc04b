"""What a worker does when a round of its work fails: it says so, waits a while, and goes on."""

from __future__ import annotations

import asyncio

import structlog

from chappe.model.errors import ChappeError, QueueNotFound
from chappe.pipeline.context import Context
from chappe.pipeline.names import create_queues

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
_log = structlog.get_logger("chappe.pipeline")


class Failures:
    """Failures of one worker. Pauses double, so that a disk that stays full is not asked over and over."""

    def __init__(self, context: Context, queue: str) -> None:
        self._context = context
        self._queue = queue
        self._in_a_row = 0

    def over(self) -> None:
        """A round went well."""
        self._in_a_row = 0

    async def pause(self, error: Exception) -> None:
        """Log the failure and wait. A queue that somebody deleted is made again."""
        if isinstance(error, ChappeError):
            _log.warning("work_failed", queue=self._queue, code=error.code, reason=error.message)
        else:
            _log.error("work_failed", queue=self._queue, code="defect", exc_info=error)
        seconds = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._in_a_row, 10))
        self._in_a_row += 1
        if isinstance(error, QueueNotFound):
            context = self._context
            await create_queues(context.engine, context.names, context.routes.channels)
        await asyncio.sleep(seconds)
