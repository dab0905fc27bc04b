"""The errors each operation declares in the service model, and those this server never gives."""

from __future__ import annotations

from botocore.loaders import Loader

NEVER = {
    "InvalidAddress": "a QueueUrl that names no queue is answered with QueueDoesNotExist",
    "InvalidIdFormat": "deprecated; ReceiptHandleIsInvalid is given",
    "InvalidSecurity": "the server answers over plain HTTP as well",
    "KmsAccessDenied": "no key management service is asked",
    "KmsDisabled": "no key management service is asked",
    "KmsInvalidKeyUsage": "no key management service is asked",
    "KmsInvalidState": "no key management service is asked",
    "KmsNotFound": "no key management service is asked",
    "KmsOptInRequired": "no key management service is asked",
    "KmsThrottled": "no key management service is asked",
    "RequestThrottled": "nothing is throttled",
    "UnsupportedOperation": "every operation is there",
}
"""Why, by error."""
NEVER_OF: dict[tuple[str, str], str] = {}
"""Why, by operation and error, where other operations give it."""


def declared() -> list[tuple[str, str]]:
    """Every pair of an operation and an error it declares."""
    operations = Loader().load_service_model("sqs", "service-2")["operations"]
    return sorted((name, error["shape"]) for name, model in operations.items() for error in model.get("errors", ()))


def why_never(operation: str, error: str) -> str | None:
    return NEVER_OF.get((operation, error), NEVER.get(error))
