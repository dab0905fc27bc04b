"""One tree of errors. Each class has a stable `code` that clients and operators may rely on.

A message says what was wrong, where, and what to do about it. `details` carries the same facts for machines.
How an error looks on the wire (an AWS error shape, an RFC 9457 problem, an exit code) is decided at the edge.
"""

from __future__ import annotations

from typing import ClassVar


class ChappeError(Exception):
    """Base of everything Chappe raises on purpose."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(ChappeError):
    """The caller sent something malformed or out of range; nothing was done."""

    code = "invalid_input"


class NotFound(ChappeError):
    """The thing named does not exist."""

    code = "not_found"


class Conflict(ChappeError):
    """The request contradicts what is already stored."""

    code = "conflict"


class Unavailable(ChappeError):
    """The server cannot do this now; the same request may succeed later."""

    code = "unavailable"


class ExtraMissing(ChappeError):
    """What was asked for needs a library that is not installed; the message names the extra that brings it."""

    code = "extra_missing"


# --- queues ---------------------------------------------------------------------------------------------


class QueueNotFound(NotFound):
    code = "queue_not_found"


class QueueExists(Conflict):
    """A queue of this name exists with other settings."""

    code = "queue_exists"


class ReceiptInvalid(InvalidInput):
    """The receipt handle was not issued by this queue."""

    code = "receipt_invalid"


class ReceiptExpired(InvalidInput):
    """FIFO only: the message's visibility timeout ended (or it was received again) after this handle was issued."""

    code = "receipt_expired"


class MessageNotInFlight(Conflict):
    """The message is not in flight under this receipt handle, so it cannot be kept or moved with it."""

    code = "message_not_in_flight"


class MessageGone(NotFound):
    """The message of this receipt handle was deleted, moved away or purged, or its retention has passed."""

    code = "message_gone"


class InFlightLimit(Unavailable):
    """A standard queue already has as many messages in flight as its settings allow."""

    code = "in_flight_limit"


# --- storage --------------------------------------------------------------------------------------------


class StorageFull(Unavailable):
    """No room for new messages. Receives and deletes are still served."""

    code = "storage_full"


class StorageFailed(Unavailable):
    """A commit failed; what it contained was not acknowledged."""

    code = "storage_failed"


class DataDamaged(ChappeError):
    """Stored data fails its checks; the server refuses to guess."""

    code = "data_damaged"


class DataFolderInUse(ChappeError):
    """Another process holds the data folder."""

    code = "data_folder_in_use"


class Closed(Unavailable):
    """The server is shutting down."""

    code = "closed"


# --- credentials ----------------------------------------------------------------------------------------


class Unauthenticated(ChappeError):
    """No usable credentials came with the request."""

    code = "unauthenticated"


class PermissionDenied(ChappeError):
    """The credentials are valid and do not allow this."""

    code = "permission_denied"


# --- configuration --------------------------------------------------------------------------------------


class InvalidConfiguration(ChappeError):
    """A setting, rule file or credential file cannot be used as written."""

    code = "invalid_configuration"


# --- rules ----------------------------------------------------------------------------------------------


class RuleSetNotFound(NotFound):
    """There is no rule set version of this number."""

    code = "rule_set_not_found"


class RuleNotFound(NotFound):
    """The rule set has no rule of this id."""

    code = "rule_not_found"


class InvalidRules(InvalidInput):
    """The rules cannot be used; `problems` lists everything that is wrong, with rule, field and line."""

    code = "invalid_rules"


class BacktestNotFound(NotFound):
    """There is no such backtest; those of before a restart are forgotten."""

    code = "backtest_not_found"


class TooManyBacktests(Unavailable):
    """Enough backtests are running already."""

    code = "too_many_backtests"


# --- classification -------------------------------------------------------------------------------------


class ClassifierOff(Conflict):
    """This server does not judge content: `classify.enabled` is false."""

    code = "classifier_off"


class ModelNotFound(NotFound):
    """There is no model of this version in the data folder."""

    code = "model_not_found"


class ReviewNotFound(NotFound):
    """There is no review of this id."""

    code = "review_not_found"


# --- messages to people ---------------------------------------------------------------------------------


class MessageNotFound(NotFound):
    code = "message_not_found"


class IdempotencyConflict(Conflict):
    """The idempotency key was used within 24 hours for a different request body."""

    code = "idempotency_conflict"


class NotCancellable(Conflict):
    """The message has gone too far to be cancelled."""

    code = "not_cancellable"


class NoRoute(InvalidInput):
    """No provider is configured for the channel."""

    code = "no_route"


# --- people ---------------------------------------------------------------------------------------------


class PersonNotFound(NotFound):
    code = "person_not_found"


class AddressTaken(Conflict):
    """The address belongs to another person."""

    code = "address_taken"


class DataRequestNotFound(NotFound):
    code = "data_request_not_found"


class RateNotFound(NotFound):
    """There is no such measurement of how messages fare."""

    code = "rate_not_found"


# --- registries and lists -------------------------------------------------------------------------------


class RegistryNotFound(NotFound):
    code = "registry_not_found"


class RegistryVersionNotFound(NotFound):
    """The registry has no such version, or keeps its entries no longer."""

    code = "registry_version_not_found"


class RegistryExists(Conflict):
    """A registry of this id exists and is of another kind or form."""

    code = "registry_exists"


class ImportNotFound(NotFound):
    """There is no such import; those of before a restart are forgotten."""

    code = "import_not_found"


class TooManyImports(Unavailable):
    """Enough imports wait already."""

    code = "too_many_imports"
