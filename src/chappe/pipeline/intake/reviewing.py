"""Held messages: settled by a person or by time, and brought back to intake, which then decides as it always does.

The resolution is committed first, with the purpose it gives the message; the queue message follows. What a crash
between the two leaves behind is queued at the next start, and what a full disk leaves when there is room again. So
approving, rejecting and running out of time all leave a decision in the timeline and in the audit log, made by the same
code as every other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from chappe.engine.base import NewMessage
from chappe.model.classification import Resolution
from chappe.model.errors import ChappeError, Closed
from chappe.pipeline.acceptance.accept import intake_message, intake_of
from chappe.pipeline.context import Context
from chappe.pipeline.envelope import Envelope
from chappe.records.reviews import Released, ReviewRecord
from chappe.records.rule_sets import Author

EXPIRY_INTERVAL_SECONDS = 5.0
_log = structlog.get_logger("chappe.reviews")


class Reviewing:
    """Settles reviews. Use from one event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._releasing = asyncio.Lock()
        """Held from a resolution to its queue message: what is found without one otherwise was left behind."""

    async def resolve(self, key: int, resolution: Resolution, author: Author) -> ReviewRecord:
        """Settle a review. From the return on the message is on its way, or about to be blocked.

        Raises `ReviewNotFound`, and `Conflict` for a review that is not open.
        """
        # Not to be cut off between the commit and the queue, should whoever asked go away.
        await asyncio.shield(asyncio.create_task(self._resolve(key, resolution, author)))
        return await self._context.records.reviews.get(key)

    async def release_left_behind(self) -> int:
        """Queue messages whose reviews have ended and that could not be queued then; how many."""
        async with self._releasing:
            left = await self._context.records.reviews.unreleased()
            await self._release(left, recovered=True)
        return len(left)

    async def run(self) -> None:
        """Let reviews end whose time has come, and queue what was left behind, until cancelled."""
        while True:
            await asyncio.sleep(EXPIRY_INTERVAL_SECONDS)
            try:
                await self.release_left_behind()
                await self.expire()
            except Closed:
                return
            except ChappeError as error:
                _log.warning("reviews_not_ended", code=error.code, reason=error.message)
            except Exception:  # noqa: BLE001 (a defect must not end the worker)
                _log.exception("reviews_not_ended", code="defect")

    async def expire(self) -> int:
        """Let reviews end whose time has come; how many."""
        count = 0
        async with self._releasing:
            while ended := await self._context.records.reviews.expire(self._context.now_ms()):
                await self._release(ended)
                count += len(ended)
        return count

    async def _resolve(self, key: int, resolution: Resolution, author: Author) -> None:
        context = self._context
        async with self._releasing:
            released = await context.records.reviews.resolve(key, resolution, at_ms=context.now_ms(), author=author)
            await self._release([released])
        _log.info("review_resolved", message=released.message.id, resolution=resolution.value, author=author.key_id)

    async def _release(self, released: Sequence[Released], *, recovered: bool = False) -> None:
        context, now_ms = self._context, self._context.now_ms()
        queued: dict[str, list[NewMessage]] = {}
        for entry in released:
            copy = intake_message(Envelope(entry.message, recovered=recovered), now_ms)
            queue = intake_of(context, entry.message)
            queued.setdefault(queue, []).append(copy)
        for queue, messages in queued.items():
            await context.engine.send(queue, messages)
        if released:
            await context.records.reviews.mark_released([entry.key for entry in released])
