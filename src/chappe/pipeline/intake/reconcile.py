"""What must be queued again at the start: what a crash cut off, and what was lost from the queues.

Only messages that were arriving when the process ended can be incomplete. A mark in the records says up to which key
all were complete; it is brought forward once a second. At the start every message after the mark that is still
`accepted` is queued again, marked as recovered: if the first copy exists after all, the second is dropped at intake.

Anyone with keys may purge or delete the pipeline's queues, and what was answered must not hang for ever. Every message
that has a way to go has at least one queue message. Where there are fewer queue messages than such records, all
of these records are queued again: a copy of which the other exists is dropped when that one has been sent.
"""

from __future__ import annotations

import asyncio

import structlog

from chappe.compliance.places.locating import locate
from chappe.engine.base import NewMessage
from chappe.model.customer import Status
from chappe.model.errors import ChappeError, Closed
from chappe.pipeline.acceptance.accept import intake_message, intake_of
from chappe.pipeline.context import Context
from chappe.pipeline.envelope import Envelope, to_body
from chappe.pipeline.names import message_count
from chappe.records.messages import Stored

MARK = "settled_through"
MARK_INTERVAL_SECONDS = 1.0
_PAGE = 500
_log = structlog.get_logger("chappe.pipeline")


async def reconcile(context: Context) -> int:
    """Queue again what may have been cut off; how many messages. To be run before anything is accepted."""
    after = await context.records.marks.get(MARK)
    count = 0
    while page := await context.records.messages.accepted_after(after, _PAGE):
        by_queue: dict[str, list[NewMessage]] = {}
        for _, message in page:
            copy = intake_message(Envelope(message, recovered=True), context.now_ms())
            by_queue.setdefault(intake_of(context, message), []).append(copy)
        for queue, messages in by_queue.items():
            await context.engine.send(queue, messages)
        count += len(page)
        after = page[-1][0]
    if count:
        _log.info("messages_queued_again", count=count)
    await context.records.marks.set(MARK, context.records.keys.next())
    return count


async def requeue_lost(context: Context) -> int:
    """Queue again every message that has a way to go, if some are in no queue; how many. Runs after `reconcile`."""
    open_count = await context.records.messages.open_count()
    # Those that wait for a review are in no queue.
    in_queues = await context.records.reviews.waiting_count()
    for pipeline in context.pipelines:
        in_queues += await message_count(context.engine, pipeline.names)
    if open_count <= in_queues:
        return 0
    _log.warning("messages_lost_from_queues", at_least=open_count - in_queues, queued_again=open_count)
    after = 0
    while page := await context.records.messages.open_after(after, _PAGE):
        by_queue: dict[str, list[NewMessage]] = {}
        for stored in page:
            queue, copy = _again(context, stored)
            by_queue.setdefault(queue, []).append(copy)
        for queue, copies in by_queue.items():
            await context.engine.send(queue, copies)
        after = page[-1].summary.key
    return open_count


def _again(context: Context, stored: Stored) -> tuple[str, NewMessage]:
    """The queue that a message belongs in, and a queue message for it."""
    message, now_ms = stored.message, context.now_ms()
    decided = stored.summary.status in (Status.QUEUED, Status.SENDING)
    there = context.pipelines.at(locate(message.to).jurisdiction)
    if decided and message.channel in there.routes.channels:
        body = to_body(Envelope(message, queued_at_ms=now_ms))
        return there.names.lane(message.purpose, message.channel), NewMessage(body)
    not_before_ms = stored.summary.events[-1].next_at_ms
    return there.names.intake(message.purpose), intake_message(Envelope(message), now_ms, not_before_ms)


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
