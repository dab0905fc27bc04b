"""What a batch of intake comes to: where each message goes on to, and what is recorded of it. Does no I/O."""

from __future__ import annotations

import msgspec

from chappe.engine.base import NewMessage, ReceivedMessage
from chappe.model.customer import CustomerMessage, Status
from chappe.model.errors import NoRoute
from chappe.model.sends import RecentSend
from chappe.pipeline.acceptance.accept import intake_message
from chappe.pipeline.envelope import Envelope, to_body
from chappe.pipeline.names import QueueNames
from chappe.pipeline.providers.gateway import Routes
from chappe.pipeline.verdicts.accounts import Verdict, account_of
from chappe.pipeline.verdicts.deciding import Next, Step
from chappe.records.counted import counted_as
from chappe.records.recipients import recipient_text
from chappe.records.reviews import NewReview
from chappe.records.steps import UNCHANGED, Transition
from chappe.records.timeline import Event


class Arrived(msgspec.Struct, frozen=True):
    """A received message, read."""

    key: int
    envelope: Envelope
    received: ReceivedMessage


class Decided(msgspec.Struct, frozen=True):
    """What was decided of a message.

    `verdict` is what the audit log is told, None if no rule was asked. `counts_as` is what it counts as against caps,
    if it goes on and does. `reopened` says that it had failed and was moved back from a dead-letter queue.
    """

    arrived: Arrived
    step: Step
    verdict: Verdict | None = None
    counts_as: RecentSend | None = None
    reopened: bool = False


class Outcome:
    """The outcome of one batch, to be written at once.

    `transitions` and `reviews` go into the records in one commit and `sends` (by queue) to the engine; then what is
    `finished` (by receipt) is deleted from intake.
    """

    def __init__(self, names: QueueNames, routes: Routes) -> None:
        self.transitions: list[Transition] = []
        self.reviews: list[NewReview] = []
        self.sends: dict[str, list[NewMessage]] = {}
        self.finished: list[str] = []
        self._names = names
        self._routes = routes

    def superfluous(self, received: ReceivedMessage) -> None:
        """A copy of which nothing more is made."""
        self.finished.append(received.receipt)

    def moved(self, received: ReceivedMessage, queue: str, message: NewMessage) -> None:
        """It goes on in another queue."""
        self.sends.setdefault(queue, []).append(message)
        self.finished.append(received.receipt)

    def note(self, decided: Decided, now_ms: int) -> None:
        """Add what becomes of a message."""
        step, received = decided.step, decided.arrived.received
        if step.next is Next.LEAVE:
            return
        if step.next is Next.GO:
            step = self._routed(decided, now_ms)
        elif step.next is Next.LATER:
            message = decided.arrived.envelope.message
            later = intake_message(decided.arrived.envelope, now_ms, step.until_ms)
            self.moved(received, self._names.intake(message.purpose), later)
        else:
            self.superfluous(received)
        if step.next is Next.REVIEW:
            assert step.until_ms is not None
            review = NewReview(decided.arrived.key, decided.arrived.envelope.message, now_ms, step.until_ms)
            self.reviews.append(review)
        if step.status is not None and (step.decision is not None or step.next is Next.END):
            self.transitions.append(_transition(decided, step, step.status, now_ms))

    def _routed(self, decided: Decided, now_ms: int) -> Step:
        """Send it to its lane, or end it where its channel has lost its route."""
        step, envelope = decided.step, decided.arrived.envelope
        message = envelope.message
        try:
            self._routes.of(message.channel)
        except NoRoute as error:
            self.superfluous(decided.arrived.received)
            return Step(Next.END, Status.FAILED, step.decision, note=error.message)
        queued = msgspec.structs.replace(
            envelope,
            recovered=False,
            queued_at_ms=now_ms,
            amendments=() if step.decision is None else step.decision.amendments,
        )
        lane = self._names.lane(message.purpose, message.channel)
        self.moved(decided.arrived.received, lane, NewMessage(to_body(queued)))
        return step


def awaits_review(message: CustomerMessage) -> bool:
    """Whether the classifier holds it for a person to look at."""
    return message.classification is not None and message.classification.awaits_review


def _transition(decided: Decided, step: Step, status: Status, now_ms: int) -> Transition:
    message = decided.arrived.envelope.message
    counts_as = decided.counts_as if step.next is Next.GO else None
    return Transition(
        decided.arrived.key,
        Event(at_ms=now_ms, status=status, decision=step.decision, next_at_ms=step.until_ms, note=step.note),
        counted_at_ms=UNCHANGED if counts_as is None else counts_as.at_ms,
        counted_as=None if counts_as is None else counted_as(message),
        unconditional=decided.reopened,
        recipient=recipient_text(message.to),
        account=None if decided.verdict is None else account_of(message, decided.verdict),
    )
