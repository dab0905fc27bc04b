"""From messages and decisions to the documents that go out."""

from __future__ import annotations

from chappe.api.rest.messages.documents import (
    AcceptedView,
    DecisionView,
    EvaluationView,
    EventView,
    MessageView,
    SummaryView,
    TimelineView,
)
from chappe.api.rest.presenting import moment, moment_or_none
from chappe.model.customer import CustomerMessage, Decision, Status
from chappe.pipeline.acceptance.accept import Accepted
from chappe.pipeline.delivery.handing import content_to_send
from chappe.pipeline.delivery.unsubscribe import UnsubscribeLinks
from chappe.pipeline.service import Evaluation
from chappe.records import ids
from chappe.records.messages import Stored, Summary
from chappe.records.recipients import parse_recipient
from chappe.records.timeline import Event, last_decision


def decision_view(decision: Decision) -> DecisionView:
    """What the rules said."""
    return DecisionView(decision.outcome, decision.rule_set, decision.rules, moment_or_none(decision.until_ms))


def _decision_or_none(decision: Decision | None) -> DecisionView | None:
    return None if decision is None else decision_view(decision)


def accepted_view(accepted: Accepted) -> AcceptedView:
    """A message as it was taken, with what the rules say now."""
    message = accepted.message
    return AcceptedView(
        id=message.id,
        status=Status.ACCEPTED,
        channel=message.channel,
        purpose=message.purpose,
        declared_purpose=message.declared_purpose,
        decision=decision_view(accepted.decision),
        created_at=moment(message.created_at_ms),
    )


def evaluation_view(evaluation: Evaluation) -> EvaluationView:
    """What would be decided of a message that is not sent."""
    message = evaluation.message
    return EvaluationView(
        message.channel,
        message.purpose,
        message.declared_purpose,
        moment(evaluation.at_ms),
        decision_view(evaluation.decision),
    )


def summary_view(summary: Summary) -> SummaryView:
    """A message without its content."""
    return SummaryView(
        id=ids.key_text(ids.MESSAGE, summary.key),
        status=summary.status,
        channel=summary.channel,
        purpose=summary.purpose,
        to=parse_recipient(summary.recipient),
        created_at=moment(ids.created_at_ms(summary.key)),
        updated_at=moment(summary.updated_at_ms),
        attempts=summary.attempts,
        decision=_decision_or_none(last_decision(summary.events)),
    )


def message_view(stored: Stored, links: UnsubscribeLinks) -> MessageView:
    """The message; `links` are the server's, which rules may add."""
    message: CustomerMessage = stored.message
    summary = stored.summary
    decision = last_decision(summary.events)
    amended = content_to_send(links, message, summary.key, decision)
    return MessageView(
        id=message.id,
        status=summary.status,
        channel=message.channel,
        purpose=message.purpose,
        declared_purpose=message.declared_purpose,
        to=message.to,
        content=message.content,
        created_at=moment(message.created_at_ms),
        updated_at=moment(summary.updated_at_ms),
        attempts=summary.attempts,
        decision=_decision_or_none(decision),
        amended_content=None if amended == message.content else amended,
        sender=message.sender,
        send_at=moment_or_none(message.send_at_ms),
        expires_at=moment_or_none(message.expires_at_ms),
        metadata=message.metadata,
        category=message.category,
        template=message.template,
        event=message.event,
        language=message.language,
        classification=message.classification,
    )


def timeline_view(stored: Stored) -> TimelineView:
    """Everything that happened to a message."""
    message = stored.message
    events = [_event_view(event) for event in stored.summary.events]
    return TimelineView(message.id, stored.summary.status, message.purpose, message.declared_purpose, events)


def _event_view(event: Event) -> EventView:
    return EventView(
        at=moment(event.at_ms),
        status=event.status,
        decision=_decision_or_none(event.decision),
        attempt=event.attempt,
        provider=event.provider,
        code=event.code,
        reply=event.reply,
        provider_message_id=event.provider_message_id,
        next_at=moment_or_none(event.next_at_ms),
        note=event.note,
    )
