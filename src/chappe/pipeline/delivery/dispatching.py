"""The check before an attempt: what came in while the message waited may have changed what is lawful."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from chappe.engine.base import NewMessage
from chappe.model.customer import Status
from chappe.observe.audit.record import Stage
from chappe.pipeline.acceptance.accept import intake_message
from chappe.pipeline.background import Pace
from chappe.pipeline.context import Context, is_urgent
from chappe.pipeline.delivery.handing import handing_of
from chappe.pipeline.delivery.held import Held, account_of_held
from chappe.pipeline.delivery.settling import Settlement
from chappe.pipeline.verdicts.accounts import verdict_of
from chappe.pipeline.verdicts.deciding import Next, Step, decide_before_attempt, was_moved_back
from chappe.pipeline.verdicts.gathering import gather
from chappe.pipeline.verdicts.known import counts
from chappe.records.recipients import recipient_text
from chappe.records.steps import Transition
from chappe.records.timeline import Event

_ELSEWHERE = "the recipient belongs to another region's pipeline"


async def check(context: Context, batch: Sequence[Held]) -> list[Step]:
    """One step per message of a lane, all of one purpose. Brings `attempts` and `checked_at_ms` up to date."""
    now_ms, rules = context.now_ms(), context.rules
    urgent = is_urgent(batch[0].envelope.message.purpose)
    pace = Pace(context.background, urgent=urgent)
    asked = [(held.envelope.message, held.key) for held in batch]
    recipients = [recipient_text(message.to) for message, _ in asked]
    await context.arrivals.settled(held.key for held in batch)
    news = context.records.news.newest
    found, persons = await asyncio.gather(
        # Caps were decided at intake and counted there.
        gather(context, asked, recipients, rules, now_ms, stage=Status.QUEUED, urgent=urgent),
        context.audit.persons(recipients),
    )
    await pace.begin()
    steps = []
    for held, recipient, (known, facts, _) in zip(batch, recipients, found, strict=True):
        await pace.pause()
        if held.key in context.arrivals.refused:
            steps.append(Step(Next.DROP))
            continue
        held.attempts, held.checked_at_ms, held.news = known.attempts, now_ms, news
        held.reopened = was_moved_back(held.envelope, known)
        held.cut_off = known.status is Status.SENDING
        step = decide_before_attempt(
            held.envelope, known, rules, now_ms, sent_at_ms=held.sent_at_ms, senders=context.senders, facts=facts
        )
        if step.facts is not None and context.pipelines.at(step.facts.jurisdiction) is not context:
            step = Step(Next.LATER, Status.QUEUED, until_ms=now_ms, facts=step.facts, note=_ELSEWHERE)
        if step.next is Next.GO and held.reopened and not held.envelope.readmitted:
            # As a dead letter it did not count, and others may have used up a cap since.
            step = Step(Next.READMIT, facts=step.facts) if counts(held.envelope.message, rules) else step
        held.verdict = verdict_of(step, now_ms, Stage.ATTEMPT, persons[recipient])
        if step.next is not Next.GO and step.decision is not None and step.facts is not None:
            message = held.envelope.message
            context.metrics.decided(Stage.ATTEMPT.value, message, step.decision, step.facts.jurisdiction)
        if step.next is Next.GO:
            held.handing = handing_of(held.envelope.message, step, now_ms)
        steps.append(step)
    return steps


def settle_step(context: Context, held: Held, step: Step) -> Settlement:
    """What a step other than GO comes to."""
    if step.next is Next.DROP:
        return Settlement(held.key, held.receipt)
    if step.next is Next.LEAVE:
        return Settlement(held.key, held.receipt, again_at_ms=held.shown_again_at_ms)
    now_ms = context.now_ms()
    message = held.envelope.message
    place = None if step.facts is None else step.facts.jurisdiction
    if step.next is Next.READMIT:
        again = intake_message(msgspec.structs.replace(held.envelope, readmitted=True), now_ms)
        intake = context.pipelines.at(place).names.intake(message.purpose)
        return Settlement(held.key, held.receipt, sends=((intake, again),))
    assert step.status is not None
    event = Event(at_ms=now_ms, status=step.status, decision=step.decision, next_at_ms=step.until_ms, note=step.note)
    transition = Transition(
        held.key,
        event,
        counted_at_ms=None,
        unconditional=held.reopened,
        recipient=recipient_text(message.to),
        account=account_of_held(held),
    )
    sends: tuple[tuple[str, NewMessage], ...] = ()
    if step.next in (Next.LATER, Next.REVIEW):  # a review is opened by intake
        back = intake_message(held.envelope, now_ms, step.until_ms)
        sends = ((context.pipelines.at(place).names.intake(message.purpose), back),)
    return Settlement(held.key, held.receipt, (transition,), sends)
