"""One try at one provider, and what follows from its outcome."""

from __future__ import annotations

import asyncio
from time import perf_counter

from chappe.channels.base import DeliveryFailure, Reply, TemporaryFailure
from chappe.engine.base import NewMessage
from chappe.model.customer import Decision, Purpose, Status
from chappe.pipeline.context import Context, is_urgent
from chappe.pipeline.delivery.dispatching import check, settle_step
from chappe.pipeline.delivery.handing import note_of, outbound
from chappe.pipeline.delivery.held import Held, account_of_held
from chappe.pipeline.delivery.settling import Settlement
from chappe.pipeline.envelope import Envelope, to_body
from chappe.pipeline.providers.gateway import Gateway
from chappe.pipeline.verdicts.deciding import Next
from chappe.records.recipients import recipient_text
from chappe.records.steps import Transition
from chappe.records.timeline import Event

_CIRCUIT_JITTER_MS = 500
_SLOT_PATIENCE_SECONDS = 1.0
"""How long a message stays in the lane for a slot of its destination. After that others get its place there."""
_SLOT_WAIT_MIN_MS = 1_000
_SLOT_WAIT_MAX_MS = 300_000
_SLOT_WAIT_SHARE = 0.1
"""How long it waits in the queue then, as a share of the time it has waited so far: few receives for any wait."""


async def attempt(context: Context, held: Held) -> Settlement:
    """Try to hand the message over, or postpone it while every circuit of its route is open."""
    message = held.envelope.message
    while True:
        now_ms = context.now_ms()
        if held.attempts_of_this_life >= context.settings.retry.attempts:
            return _given_up(context, held, "the last attempt was cut off")  # by the end of the process
        gateway = context.routes.choose(message, held.attempts, now_ms)
        if gateway is None:
            return _postponed(context, held, now_ms)
        destination = gateway.destination(message)
        if not await _enter(gateway, message.purpose, destination):
            return _without_slot(context, held)
        try:
            refused = await _refusal(context, held)
            if refused is not None:
                return refused
            if gateway.circuit(message).try_pass(context.now_ms()):
                return await _hand_over(context, held, gateway)
        finally:
            gateway.gate.leave(message.purpose, destination)


async def _enter(gateway: Gateway, purpose: Purpose, destination: str) -> bool:
    """Take a slot; False if the destination has had none free for too long."""
    if not destination:
        await gateway.gate.enter(purpose)
        return True
    try:
        async with asyncio.timeout(_SLOT_PATIENCE_SECONDS):
            await gateway.gate.enter(purpose, destination)
    except TimeoutError:
        return False
    return True


def _without_slot(context: Context, held: Held) -> Settlement:
    now_ms = context.now_ms()
    waited_ms = now_ms - held.envelope.queued_at_ms
    longest_ms = min(max(_SLOT_WAIT_MIN_MS, waited_ms * _SLOT_WAIT_SHARE), _SLOT_WAIT_MAX_MS)
    wait_ms = int(context.random.uniform(_SLOT_WAIT_MIN_MS, longest_ms))
    return Settlement(held.key, held.receipt, again_at_ms=now_ms + wait_ms)


async def _refusal(context: Context, held: Held) -> Settlement | None:
    """Why the message must not go now, if so: cancelled, or the check has grown old and comes out otherwise."""
    now_ms, expires_at_ms = context.now_ms(), held.envelope.message.expires_at_ms
    recipient = recipient_text(held.envelope.message.to)
    old = now_ms - held.checked_at_ms > context.settings.recheck_after_ms
    old = old or (expires_at_ms is not None and expires_at_ms <= now_ms)
    # What somebody was told to be in force must hold for messages in hand too, and for one that is being checked.
    while old or context.records.news.has_of(recipient, held.news):
        old = False
        (step,) = await check(context, [held])
        if step.next is not Next.GO:
            return settle_step(context, held, step)
    if not await context.hands.may_start(held.key):
        return Settlement(held.key, held.receipt)
    return None


async def _hand_over(context: Context, held: Held, gateway: Gateway) -> Settlement:
    message = held.envelope.message
    held.attempts += 1
    handed = outbound(context.links, message, held.key, held.handing, held.attempts)
    started = Event(
        at_ms=context.now_ms(),
        status=Status.SENDING,
        attempt=held.attempts,
        provider=gateway.name,
        decision=_unlike_at_intake(held),
        note=note_of(message, handed, held.attempts - 1 if held.cut_off else None),
    )
    held.cut_off = False
    step = Transition(
        held.key,
        started,
        attempts=1,
        unconditional=True,
        recipient=recipient_text(message.to),
        account=account_of_held(held),
    )
    context.starts.begin(held, step, urgent=is_urgent(message.purpose))
    begun = perf_counter()
    waited_ms = started.at_ms - held.envelope.queued_at_ms
    context.metrics.waited(message.purpose.value, message.channel.value, waited_ms / 1000)
    outcome = await gateway.send(handed)
    said = outcome.code if isinstance(outcome, DeliveryFailure) else "sent"
    context.metrics.attempted(gateway.name, message.channel.value, said, perf_counter() - begun)
    gateway.note(message, outcome, context.now_ms())
    if isinstance(outcome, TemporaryFailure):
        return _failed_for_now(context, held, gateway, outcome)
    if isinstance(outcome, DeliveryFailure):
        return _failed_for_good(context, held, gateway, outcome)
    return _sent(context, held, gateway, outcome)


def _unlike_at_intake(held: Held) -> Decision | None:
    """The verdict, where it changes other things in the content than the timeline tells already."""
    decision = held.handing.decision
    if decision is None or decision.amendments == held.envelope.amendments:
        return None
    return decision


def _sent(context: Context, held: Held, gateway: Gateway, reply: Reply) -> Settlement:
    event = Event(
        at_ms=context.now_ms(),
        status=Status.SENT,
        attempt=held.attempts,
        provider=gateway.name,
        reply=reply.text,
        provider_message_id=reply.provider_message_id,
    )
    return _settled(context, held, Transition(held.key, event, unconditional=True))


def _failed_for_good(context: Context, held: Held, gateway: Gateway, failure: DeliveryFailure) -> Settlement:
    event = _failure_event(context, held, gateway, failure, Status.UNDELIVERED)
    return _settled(context, held, _end(held, event))


def _failed_for_now(context: Context, held: Held, gateway: Gateway, failure: TemporaryFailure) -> Settlement:
    retry = context.settings.retry
    if held.attempts_of_this_life >= retry.attempts:
        event = _failure_event(
            context, held, gateway, failure, Status.FAILED, note=f"given up after {held.attempts} attempts"
        )
        return _dead_letter(context, held, event)
    if failure.of_recipient:
        delay_ms = retry.recipient_delay_ms(held.attempts_of_this_life, context.random)
    else:
        delay_ms = retry.delay_ms(held.attempts_of_this_life, failure.retry_after_ms, context.random)
    again_at_ms = context.now_ms() + delay_ms
    event = _failure_event(context, held, gateway, failure, Status.QUEUED, next_at_ms=again_at_ms)
    return _settled(context, held, Transition(held.key, event, unconditional=True), again_at_ms=again_at_ms)


def _postponed(context: Context, held: Held, now_ms: int) -> Settlement:
    """Every circuit is open: wait without using up an attempt, but not for ever."""
    queued_at_ms = held.envelope.queued_at_ms
    if now_ms - queued_at_ms > context.settings.retry.patience_ms:
        return _given_up(context, held, "no provider of the route was reachable")
    message = held.envelope.message
    closed_from_ms = max(now_ms, context.routes.open_until_ms(message, now_ms))
    again_at_ms = closed_from_ms + context.random.randrange(_CIRCUIT_JITTER_MS)
    providers = " and ".join(gateway.name for gateway in context.routes.of(message.channel))
    event = Event(
        at_ms=now_ms,
        status=Status.QUEUED,
        next_at_ms=again_at_ms,
        note=f"waiting for {providers}, left alone after failures",
    )
    step = Transition(held.key, event, unconditional=held.reopened)
    return Settlement(held.key, held.receipt, (step,), again_at_ms=again_at_ms)


def _given_up(context: Context, held: Held, why: str) -> Settlement:
    note = f"given up after {held.attempts} attempts: {why}"
    return _dead_letter(context, held, Event(at_ms=context.now_ms(), status=Status.FAILED, note=note))


def _dead_letter(context: Context, held: Held, event: Event) -> Settlement:
    message = held.envelope.message
    lane = context.names.lane(message.purpose, message.channel)
    # Whoever moves it back into the lane grants as many attempts again; see `was_moved_back`.
    letter = Envelope(message, dead=True, attempts_before=held.attempts, queued_at_ms=event.at_ms)
    copy = (context.names.dead_letters(lane), NewMessage(to_body(letter), dead_letter_source=lane))
    return _settled(context, held, _end(held, event), sends=(copy,))


def _settled(
    context: Context,
    held: Held,
    step: Transition,
    *,
    sends: tuple[tuple[str, NewMessage], ...] = (),
    again_at_ms: int | None = None,
) -> Settlement:
    return Settlement(held.key, held.receipt, (*context.starts.unrecorded(held), step), sends, again_at_ms)


def _end(held: Held, event: Event) -> Transition:
    """An end without delivery: the message no longer counts against frequency caps."""
    to = recipient_text(held.envelope.message.to)
    return Transition(held.key, event, counted_at_ms=None, unconditional=True, recipient=to)


def _failure_event(
    context: Context,
    held: Held,
    gateway: Gateway,
    failure: DeliveryFailure,
    status: Status,
    *,
    next_at_ms: int | None = None,
    note: str | None = None,
) -> Event:
    return Event(
        at_ms=context.now_ms(),
        status=status,
        attempt=held.attempts,
        provider=gateway.name,
        code=failure.code,
        reply=failure.reply,
        next_at_ms=next_at_ms,
        note=note,
    )
