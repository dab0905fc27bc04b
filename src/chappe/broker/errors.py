"""What SQS refuses, beyond the errors every engine knows.

The texts are those Amazon SQS answers with: client code and tests match on them.
"""

from __future__ import annotations

from chappe.model.errors import Conflict, InvalidInput, NotFound


class InvalidParameterValue(InvalidInput):
    """A parameter has a value it cannot have."""

    code = "invalid_parameter_value"


class MissingParameter(InvalidInput):
    """A required parameter is absent or empty."""

    code = "missing_parameter"

    @classmethod
    def named(cls, name: str) -> MissingParameter:
        return cls(f"The request must contain the parameter {name}.", parameter=name)


class InvalidAttributeName(InvalidInput):
    """A queue attribute that does not exist, or not for this type of queue."""

    code = "invalid_attribute_name"


class InvalidAttributeValue(InvalidInput):
    """A queue attribute with a value it cannot have."""

    code = "invalid_attribute_value"


class InvalidMessageContents(InvalidInput):
    """A message with characters outside the allowed set."""

    code = "invalid_message_contents"


class QueueDeletedRecently(Conflict):
    """A queue of this name was deleted less than 60 seconds ago."""

    code = "queue_deleted_recently"


class PurgeInProgress(Conflict):
    """The queue was purged less than 60 seconds ago."""

    code = "purge_in_progress"


class EmptyBatch(InvalidInput):
    """A batch without entries."""

    code = "empty_batch"


class TooManyBatchEntries(InvalidInput):
    """A batch of more than ten entries."""

    code = "too_many_batch_entries"


class BatchIdInvalid(InvalidInput):
    """A batch entry id outside `[A-Za-z0-9_-]{1,80}`."""

    code = "batch_id_invalid"


class BatchIdsNotDistinct(InvalidInput):
    """Two entries of one batch have the same id."""

    code = "batch_ids_not_distinct"


class BatchTooLong(InvalidInput):
    """The messages of a batch are larger together than a batch may be."""

    code = "batch_too_long"


class OverLimit(InvalidInput):
    """More of something than a queue may have."""

    code = "over_limit"


class ResourceNotFound(NotFound):
    """An ARN or a task handle that names nothing."""

    code = "resource_not_found"


SHOWN_MAX = 1024


def invalid_value(parameter: str, value: object, reason: str) -> InvalidParameterValue:
    """`Value X for parameter Y is invalid. Reason: ...`, the form of most SQS errors."""
    shown = str(value)
    if len(shown) > SHOWN_MAX:
        shown = shown[:SHOWN_MAX] + "..."
    return InvalidParameterValue(
        f"Value {shown} for parameter {parameter} is invalid. Reason: {reason}", parameter=parameter
    )


def invalid_identifier(parameter: str, value: str) -> InvalidParameterValue:
    """For what is no message group, deduplication or attempt id."""
    return invalid_value(
        parameter,
        value,
        f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.",
    )
