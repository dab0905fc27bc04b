"""The check before an attempt: what came in while the message waited may have changed what is lawful."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chappe.engine.base import NewMessage
from chappe.model.customer import Status
from chappe.observe.audit.record import Stage
from chappe.pipeline.accept import intake_message
from chappe.pipeline.accounts import verdict_of
from chappe.pipeline.background import Pace
from chappe.pipeline.context import Context, is_urgent
from chappe.pipeline.deciding import Next, Step, decide_before_attempt, was_moved_back
from chappe.pipeline.handing import handing_of
from chappe.pipeline.held import Held, account_of_held
from chappe.pipeline.known import subject_of
from chappe.pipeline.settling import Settlement
from chappe.records.steps import Transition
from chappe.records.timeline import Event


async def check(context: Context, batch: Sequence[Held]) -> list[Step]:
    """One step per message of a lane, all of one purpose. Brings `attempts` and `checked_at_ms` up to date."""
    now_ms, rules = context.now_ms(), context.rules
    urgent = is_urgent(batch[0].envelope.message.purpose)
    pace = Pace(context.background, urgent=urgent)
    # Caps were decided at intake and counted there.
    subjects = [subject_of(held.envelope.message, held.key, rules, now_ms) for held in batch]
    await context.arrivals.settled(held.key for held in batch)
    found, persons = await asyncio.gather(
        context.records.look_up(subjects, urgent=urgent), context.audit.persons(s.recipient for s in subjects)
    )
    await pace.begin()
    steps = []
    for held, subject, known in zip(batch, subjects, found, strict=True):
        await pace.pause()
        held.attempts, held.checked_at_ms = known.attempts, now_ms
        held.reopened = was_moved_back(held.envelope, known)
        held.cut_off = known.status is Status.SENDING
        step = decide_before_attempt(
            held.envelope, known, rules, now_ms, sent_at_ms=held.sent_at_ms, senders=context.senders
        )
        held.verdict = verdict_of(step, now_ms, Stage.ATTEMPT, persons[subject.recipient])
        if step.next is Next.GO:
            held.handing = handing_of(held.envelope.message, step, now_ms)
        steps.append(step)
    return steps


def settle_step(context: Context, held: Held, step: Step) -> Settlement:
    """What a step other than GO comes to."""
    if step.next is Next.DROP:
        return Settlement(held.key, held.receipt)
    if step.next is Next.LEAVE:
        return Settlement(held.key, held.receipt, again_in_ms=held.shown_again_at_ms - context.now_ms())
    assert step.status is not None
    now_ms = context.now_ms()
    message = held.envelope.message
    event = Event(at_ms=now_ms, status=step.status, decision=step.decision, next_at_ms=step.until_ms, note=step.note)
    transition = Transition(
        held.key, event, counted_at_ms=None, unconditional=held.reopened, account=account_of_held(held)
    )
    sends: tuple[tuple[str, NewMessage], ...] = ()
    if step.next is Next.LATER:
        back = intake_message(held.envelope, now_ms, step.until_ms)
        sends = ((context.names.intake(message.purpose), back),)
    return Settlement(held.key, held.receipt, (transition,), sends)
