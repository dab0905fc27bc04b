"""The names SQS gives to errors: the shape of the service model and the older code of the Query protocol.

Batch results carry the older code, in both protocols; so the names are known here and not only at the edge.
"""

from __future__ import annotations

import msgspec

from chappe.broker import errors
from chappe.model.errors import (
    ChappeError,
    InFlightLimit,
    InvalidInput,
    MessageGone,
    MessageNotInFlight,
    PermissionDenied,
    QueueExists,
    QueueNotFound,
    ReceiptExpired,
    ReceiptInvalid,
    Unavailable,
)


class ErrorName(msgspec.Struct, frozen=True):
    """`shape` in the current service model, `query_code` in the Query protocol and in batch results."""

    shape: str
    query_code: str
    sender_fault: bool = True


_PREFIX = "AWS.SimpleQueueService."

ERROR_NAMES: dict[type[ChappeError], ErrorName] = {
    QueueNotFound: ErrorName("QueueDoesNotExist", _PREFIX + "NonExistentQueue"),
    QueueExists: ErrorName("QueueNameExists", "QueueAlreadyExists"),
    errors.QueueDeletedRecently: ErrorName("QueueDeletedRecently", _PREFIX + "QueueDeletedRecently"),
    errors.PurgeInProgress: ErrorName("PurgeQueueInProgress", _PREFIX + "PurgeQueueInProgress"),
    InFlightLimit: ErrorName("OverLimit", "OverLimit"),
    errors.EmptyBatch: ErrorName("EmptyBatchRequest", _PREFIX + "EmptyBatchRequest"),
    errors.TooManyBatchEntries: ErrorName("TooManyEntriesInBatchRequest", _PREFIX + "TooManyEntriesInBatchRequest"),
    errors.BatchIdInvalid: ErrorName("InvalidBatchEntryId", _PREFIX + "InvalidBatchEntryId"),
    errors.BatchIdsNotDistinct: ErrorName("BatchEntryIdsNotDistinct", _PREFIX + "BatchEntryIdsNotDistinct"),
    errors.BatchTooLong: ErrorName("BatchRequestTooLong", _PREFIX + "BatchRequestTooLong"),
    MessageGone: ErrorName("InvalidParameterValueException", "InvalidParameterValue"),
    MessageNotInFlight: ErrorName("MessageNotInflight", _PREFIX + "MessageNotInflight"),
    ReceiptInvalid: ErrorName("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
    ReceiptExpired: ErrorName("InvalidParameterValueException", "InvalidParameterValue"),
    errors.InvalidParameterValue: ErrorName("InvalidParameterValueException", "InvalidParameterValue"),
    errors.MissingParameter: ErrorName("MissingRequiredParameterException", "MissingParameter"),
    errors.InvalidAttributeName: ErrorName("InvalidAttributeName", "InvalidAttributeName"),
    errors.InvalidAttributeValue: ErrorName("InvalidAttributeValue", "InvalidAttributeValue"),
    errors.InvalidMessageContents: ErrorName("InvalidMessageContents", "InvalidMessageContents"),
    errors.OverLimit: ErrorName("OverLimit", "OverLimit"),
    errors.ResourceNotFound: ErrorName("ResourceNotFoundException", "ResourceNotFoundException"),
    PermissionDenied: ErrorName("AccessDeniedException", "AccessDenied"),
    Unavailable: ErrorName("ServiceUnavailable", "ServiceUnavailable", sender_fault=False),
    InvalidInput: ErrorName("InvalidParameterValueException", "InvalidParameterValue"),
}
"""By class; a class that is not here goes by the nearest of its bases that is."""

INTERNAL = ErrorName("InternalFailure", "InternalFailure", sender_fault=False)


def name_of(error: ChappeError) -> ErrorName:
    for cls in type(error).__mro__:
        found = ERROR_NAMES.get(cls)
        if found is not None:
            return found
    return INTERNAL
