"""How an error looks in an AWS answer: its type, its older code, its HTTP status.

Source: the service model of `sqs` for the names, the older Query model for codes and statuses, and "Common
errors" of the Amazon SQS API Reference for those of the framework.
"""

from __future__ import annotations

import msgspec

from chappe.broker.error_codes import name_of
from chappe.broker.errors import OverLimit, PurgeInProgress, ResourceNotFound
from chappe.model.errors import (
    ChappeError,
    InFlightLimit,
    InvalidInput,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from chappe.security import errors as credentials

SERVICE_NAMESPACE = "com.amazonaws.sqs"
FRAMEWORK_NAMESPACE = "com.amazon.coral.service"


class AwsError(msgspec.Struct, frozen=True):
    """`query_code` goes into `x-amzn-query-error`, from which SDKs take the code; None leaves the header out."""

    status: int
    namespace: str
    name: str
    query_code: str | None
    message: str
    sender_fault: bool = True


class MalformedRequest(InvalidInput):
    """The body is no JSON of the operation's input."""

    code = "malformed_request"


class UnknownOperation(InvalidInput):
    """The request names no operation of any service spoken here."""

    code = "unknown_operation"


class NoOperation(InvalidInput):
    """A request of the Query protocol without an Action."""

    code = "no_operation"


class RequestTooLarge(InvalidInput):
    """The body is larger than any valid request."""

    code = "request_too_large"


_FRAMEWORK: dict[type[ChappeError], tuple[int, str, str | None]] = {
    credentials.MissingAuthenticationToken: (
        403,
        "MissingAuthenticationTokenException",
        "MissingAuthenticationToken",
    ),
    credentials.IncompleteSignature: (403, "IncompleteSignatureException", "IncompleteSignature"),
    credentials.InvalidSignature: (403, "InvalidSignatureException", "SignatureDoesNotMatch"),
    credentials.UnknownAccessKey: (403, "UnrecognizedClientException", "InvalidClientTokenId"),
    Unauthenticated: (403, "InvalidSignatureException", "SignatureDoesNotMatch"),
    MalformedRequest: (400, "SerializationException", None),
    UnknownOperation: (400, "UnknownOperationException", None),
    NoOperation: (404, "UnknownOperationException", None),
    RequestTooLarge: (413, "RequestEntityTooLargeException", "RequestEntityTooLarge"),
}
_SERVICE_STATUS: dict[type[ChappeError], int] = {
    PurgeInProgress: 403,
    InFlightLimit: 403,
    OverLimit: 403,
    PermissionDenied: 403,
    ResourceNotFound: 404,
}
_FRAMEWORK_SHAPES = frozenset(
    {"InvalidParameterValueException", "MissingRequiredParameterException", "AccessDeniedException"}
)
"""Errors that are raised by the service and have no shape in its model."""


def aws_error(error: ChappeError) -> AwsError:
    """The AWS form of an error; what has none is an internal failure and tells nothing of itself."""
    for cls in type(error).__mro__:
        found = _FRAMEWORK.get(cls)
        if found is not None:
            status, name, query_code = found
            return AwsError(status, FRAMEWORK_NAMESPACE, name, query_code, error.message)
    names = name_of(error)
    if names.shape == "InternalFailure":
        return internal_failure()
    status = _SERVICE_STATUS.get(type(error), 503 if isinstance(error, Unavailable) else 400)
    framework = names.shape in _FRAMEWORK_SHAPES or status == 503
    return AwsError(
        status,
        FRAMEWORK_NAMESPACE if framework else SERVICE_NAMESPACE,
        names.shape,
        names.query_code,
        error.message,
        names.sender_fault,
    )


def internal_failure() -> AwsError:
    return AwsError(
        500,
        FRAMEWORK_NAMESPACE,
        "InternalFailure",
        "InternalFailure",
        "The request processing has failed because of an unknown error. The server's log has it under the request id.",
        sender_fault=False,
    )
