"""The operations on messages."""

from __future__ import annotations

from chappe.api.rest.messages import batches, messages
from chappe.api.rest.messages.documents import (
    AcceptedView,
    BatchRequest,
    BatchView,
    EvaluationRequest,
    EvaluationView,
    MessagesView,
    MessageView,
    TimelineView,
)
from chappe.api.rest.operation import (
    BATCH_BYTES_MAX,
    CURSOR,
    MESSAGE_BYTES_MAX,
    MOMENT,
    SMALL_BYTES_MAX,
    TO,
    Operation,
    Parameter,
    limit_parameter,
    one_of_names,
)
from chappe.model.customer import Channel, Purpose, Status
from chappe.pipeline.acceptance.request import MessageRequest

_TAG = "Messages"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/messages",
        messages.send_message,
        "Send a message to a person",
        _TAG,
        {202: ("Taken: stored and queued. A message that the rules block is taken too.", AcceptedView)},
        request=MessageRequest,
        errors=(409, 503, 507),
        body_bytes_max=MESSAGE_BYTES_MAX,
        idempotent=True,
    ),
    Operation(
        "POST",
        "/v1/messages:batch",
        batches.send_batch,
        "Send up to 1,000 messages",
        _TAG,
        {
            202: ("All were taken.", BatchView),
            207: ("Some were refused: their results have an `error`.", BatchView),
        },
        request=BatchRequest,
        errors=(409, 503, 507),
        body_bytes_max=BATCH_BYTES_MAX,
        idempotent=True,
    ),
    Operation(
        "POST",
        "/v1/messages:evaluate",
        messages.evaluate_message,
        "Ask what the rules say of a message, without sending it",
        _TAG,
        {200: ("The decision.", EvaluationView)},
        request=EvaluationRequest,
        errors=(503,),
        body_bytes_max=MESSAGE_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/messages",
        messages.list_messages,
        "List messages, newest first",
        _TAG,
        {200: ("One page.", MessagesView)},
        parameters=(
            Parameter("status", "Only messages in this status.", one_of_names(Status)),
            Parameter("purpose", "Only messages of this purpose.", one_of_names(Purpose)),
            Parameter("channel", "Only messages on this channel.", one_of_names(Channel)),
            TO,
            Parameter("since", "Only messages accepted at this moment or later.", MOMENT),
            Parameter("until", "Only messages accepted before this moment.", MOMENT),
            limit_parameter(),
            CURSOR,
        ),
        errors=(503,),
    ),
    Operation(
        "GET",
        "/v1/messages/{id}",
        messages.get_message,
        "Look at a message",
        _TAG,
        {200: ("The message and where it stands.", MessageView)},
        errors=(404, 503),
    ),
    Operation(
        "GET",
        "/v1/messages/{id}/timeline",
        messages.timeline_message,
        "See everything that happened to a message",
        _TAG,
        {200: ("Every state and attempt.", TimelineView)},
        errors=(404, 503),
    ),
    Operation(
        "POST",
        "/v1/messages/{id}/cancel",
        messages.cancel_message,
        "Cancel a message that has not been handed to a provider",
        _TAG,
        {200: ("It is cancelled.", MessageView)},
        errors=(404, 409, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
)
