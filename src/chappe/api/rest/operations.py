"""Every operation of the API, in one table: routing and the OpenAPI document are both made from it."""

from __future__ import annotations

from dataclasses import dataclass

from chappe.api.rest import batches, messages, people, service, unsubscribe
from chappe.api.rest.call import Handler
from chappe.api.rest.paging import LIMIT_DEFAULT, LIMIT_MAX
from chappe.api.rest.requests import BatchRequest, ConsentRequest, EvaluationRequest, SuppressionRequest
from chappe.api.rest.views import (
    AcceptedView,
    BatchView,
    ConsentsView,
    ConsentView,
    EvaluationView,
    HealthView,
    MessagesView,
    MessageView,
    ProvidersView,
    QueuesView,
    SandboxMessagesView,
    SuppressionsView,
    SuppressionView,
    TimelineView,
)
from chappe.model.customer import Channel, Purpose, Status
from chappe.pipeline.request import MessageRequest

MESSAGE_BYTES_MAX = 1_048_576
BATCH_BYTES_MAX = 16 * 1_048_576
SMALL_BYTES_MAX = 65_536


@dataclass(frozen=True)
class Parameter:
    """A query parameter. `schema` is a JSON schema."""

    name: str
    description: str
    schema: dict[str, object]


@dataclass(frozen=True)
class Operation:
    """`request` and `responses` are documents; a response of None has no JSON. `path` has its parameters in braces."""

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    responses: dict[int, tuple[str, type | None]]
    request: type | None = None
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    body_bytes_max: int = 0
    idempotent: bool = False
    public: bool = False
    media_type: str = "application/json"


def _limit(most: int = LIMIT_MAX, default: int = LIMIT_DEFAULT) -> Parameter:
    schema: dict[str, object] = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "The most entries of the page.", schema)


_TEXT: dict[str, object] = {"type": "string"}
_MOMENT: dict[str, object] = {"type": "string", "format": "date-time"}
_CURSOR = Parameter("cursor", "`next_cursor` of the page before.", _TEXT)
_TO = Parameter(
    "to",
    "An address: `ana@example.com`, `+4915112345678`, `https://example.com/hook`, or `user:ana`.",
    _TEXT,
)


def _names(names: type[Status | Purpose | Channel]) -> dict[str, object]:
    return {"type": "string", "enum": [str(name) for name in names]}


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/messages",
        messages.send,
        "Send a message to a person",
        "Messages",
        {202: ("Taken: stored and queued. A message that the rules block is taken too.", AcceptedView)},
        request=MessageRequest,
        errors=(400, 409, 413, 415, 422, 503, 507),
        body_bytes_max=MESSAGE_BYTES_MAX,
        idempotent=True,
    ),
    Operation(
        "POST",
        "/v1/messages:batch",
        batches.send_batch,
        "Send up to 1,000 messages",
        "Messages",
        {
            202: ("All were taken.", BatchView),
            207: ("Some were refused: their results have an `error`.", BatchView),
        },
        request=BatchRequest,
        errors=(400, 409, 413, 415, 422, 503, 507),
        body_bytes_max=BATCH_BYTES_MAX,
        idempotent=True,
    ),
    Operation(
        "POST",
        "/v1/messages:evaluate",
        messages.evaluate,
        "Ask what the rules say of a message, without sending it",
        "Messages",
        {200: ("The decision.", EvaluationView)},
        request=EvaluationRequest,
        errors=(400, 413, 415, 422, 503),
        body_bytes_max=MESSAGE_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/messages",
        messages.list_messages,
        "List messages, newest first",
        "Messages",
        {200: ("One page.", MessagesView)},
        parameters=(
            Parameter("status", "Only messages in this status.", _names(Status)),
            Parameter("purpose", "Only messages of this purpose.", _names(Purpose)),
            Parameter("channel", "Only messages on this channel.", _names(Channel)),
            _TO,
            Parameter("since", "Only messages accepted at this moment or later.", _MOMENT),
            Parameter("until", "Only messages accepted before this moment.", _MOMENT),
            _limit(),
            _CURSOR,
        ),
        errors=(400, 503),
    ),
    Operation(
        "GET",
        "/v1/messages/{id}",
        messages.get,
        "Look at a message",
        "Messages",
        {200: ("The message and where it stands.", MessageView)},
        errors=(404, 503),
    ),
    Operation(
        "GET",
        "/v1/messages/{id}/timeline",
        messages.timeline,
        "See everything that happened to a message",
        "Messages",
        {200: ("Every state and attempt.", TimelineView)},
        errors=(404, 503),
    ),
    Operation(
        "POST",
        "/v1/messages/{id}/cancel",
        messages.cancel,
        "Cancel a message that has not been handed to a provider",
        "Messages",
        {200: ("It is cancelled.", MessageView)},
        errors=(404, 409, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "POST",
        "/v1/suppressions",
        people.add_suppression,
        "Never send to an address",
        "People",
        {
            201: ("It is suppressed.", SuppressionView),
            200: ("It was suppressed in the same way before.", SuppressionView),
        },
        request=SuppressionRequest,
        errors=(400, 413, 415, 422, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/suppressions",
        people.list_suppressions,
        "List suppressions, newest first",
        "People",
        {200: ("One page.", SuppressionsView)},
        parameters=(_TO, _limit(), _CURSOR),
        errors=(400, 503),
    ),
    Operation(
        "DELETE",
        "/v1/suppressions/{id}",
        people.remove_suppression,
        "Lift a suppression",
        "People",
        {204: ("It is lifted.", None)},
        errors=(404, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "POST",
        "/v1/consents",
        people.add_consent,
        "Record that a person agreed to something, or took it back",
        "People",
        {201: ("It is recorded.", ConsentView)},
        request=ConsentRequest,
        errors=(400, 413, 415, 422, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/consents",
        people.list_consents,
        "List consent records, newest first",
        "People",
        {200: ("One page.", ConsentsView)},
        parameters=(Parameter("person", _TO.description, _TEXT), _limit(), _CURSOR),
        errors=(400, 503),
    ),
    Operation(
        "GET",
        "/v1/unsubscribe/{token}",
        unsubscribe.ask,
        "The page behind an unsubscribe link",
        "Unsubscribing",
        {200: ("A page with a button. Nothing has happened yet.", None), 404: ("The link is not valid.", None)},
        public=True,
        media_type="text/html",
    ),
    Operation(
        "POST",
        "/v1/unsubscribe/{token}",
        unsubscribe.unsubscribe,
        "Unsubscribe by one click (RFC 8058)",
        "Unsubscribing",
        {
            200: ("Promotional messages to this address on this channel are suppressed.", None),
            404: ("The link is not valid.", None),
        },
        errors=(413, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
        public=True,
        media_type="text/html",
    ),
    Operation(
        "GET",
        "/v1/queues",
        service.list_queues,
        "List queues and how full they are",
        "Server",
        {200: ("One page.", QueuesView)},
        parameters=(
            Parameter("prefix", "Only queues whose names begin so.", _TEXT),
            _limit(most=1_000, default=100),
            _CURSOR,
        ),
        errors=(400, 503),
    ),
    Operation(
        "GET",
        "/v1/providers",
        service.list_providers,
        "List the providers of all routes and how they stand",
        "Server",
        {200: ("All of them.", ProvidersView)},
    ),
    Operation(
        "GET",
        "/v1/sandbox/messages",
        service.list_sandbox_messages,
        "See what the sandbox providers kept",
        "Server",
        {200: ("The newest messages.", SandboxMessagesView)},
        parameters=(_TO, _limit()),
        errors=(400,),
    ),
    Operation(
        "GET",
        "/healthz",
        service.health,
        "Whether the server can take messages",
        "Server",
        {200: ("It can.", HealthView)},
        errors=(503,),
        public=True,
    ),
)
