"""What a crash cut off: messages that were recorded but may not have been queued.

Only messages that were arriving when the process ended can be incomplete. A mark in the records says up to which key
all were complete; it is brought forward once a second. At the start every message after the mark that is still
`accepted` is queued again, marked as recovered: if the first copy exists after all, the second is dropped at intake.
"""

from __future__ import annotations

import asyncio

import structlog

from chappe.engine.base import NewMessage
from chappe.model.customer import Purpose
from chappe.model.errors import ChappeError, Closed
from chappe.pipeline.accept import intake_message
from chappe.pipeline.context import Context
from chappe.pipeline.envelope import Envelope

MARK = "settled_through"
MARK_INTERVAL_SECONDS = 1.0
_PAGE = 500
_log = structlog.get_logger("chappe.pipeline")


async def reconcile(context: Context) -> int:
    """Queue again what may have been cut off; how many messages. To be run before anything is accepted."""
    after = await context.records.marks.get(MARK)
    count = 0
    while page := await context.records.messages.accepted_after(after, _PAGE):
        by_purpose: dict[Purpose, list[NewMessage]] = {}
        for _, message in page:
            copy = intake_message(Envelope(message, recovered=True), context.now_ms())
            by_purpose.setdefault(message.purpose, []).append(copy)
        for purpose, messages in by_purpose.items():
            await context.engine.send(context.names.intake(purpose), messages)
        count += len(page)
        after = page[-1][0]
    if count:
        _log.info("messages_queued_again", count=count)
    await context.records.marks.set(MARK, context.records.keys.next())
    return count


async def keep_mark(context: Context) -> None:
    """Bring the mark forward, until cancelled."""
    written = 0
    while True:
        await asyncio.sleep(MARK_INTERVAL_SECONDS)
        settled_through = context.arrivals.settled_through
        if settled_through == written:
            continue
        try:
            await context.records.marks.set(MARK, settled_through)
            written = settled_through
        except Closed:
            return
        except ChappeError as error:
            _log.warning("mark_not_written", code=error.code, reason=error.message)
