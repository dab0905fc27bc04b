"""The access policy of a queue: kept and checked here, and written by AddPermission and RemovePermission.

Source: Amazon SQS Developer Guide, "Using custom policies with the Amazon SQS access policy language" and "Quotas
related to policies", and what the service was seen to write.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chappe.broker.errors import InvalidAttributeValue, InvalidParameterValue, OverLimit, invalid_value

POLICY_MAX_BYTES = 8_192
STATEMENTS_MAX = 20
PRINCIPALS_MAX = 50
CONDITIONS_MAX = 10
ACTIONS_MAX = 7
"""Of one permission."""

GRANTABLE = frozenset(
    {
        "*",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
        "ReceiveMessage",
        "SendMessage",
    }
)
OWNERS = frozenset(
    {
        "AddPermission",
        "CancelMessageMoveTask",
        "CreateQueue",
        "DeleteQueue",
        "ListMessageMoveTasks",
        "ListQueueTags",
        "ListQueues",
        "RemovePermission",
        "SetQueueAttributes",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
    }
)
"""Actions that an account keeps to itself."""
_KNOWN = frozenset(name.lower() for name in GRANTABLE | OWNERS)
_VERSIONS = ("2008-10-17", "2012-10-17")
_MEMBERS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_MEMBERS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)

Policy = dict[str, Any]


def parse_policy(text: str) -> Policy:
    """Raises `InvalidAttributeValue` for what is no policy, `InvalidParameterValue` for an unknown action, and
    `OverLimit` for too much of something.
    """
    if len(text.encode()) > POLICY_MAX_BYTES:
        raise _invalid()
    try:
        policy = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _invalid() from error
    if not isinstance(policy, dict) or not policy.keys() <= _MEMBERS:
        raise _invalid()
    statements = statements_of(policy)
    if not statements or policy.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise _invalid()
    for statement in statements:
        _check_statement(statement)
    _check_quota("statements", len(statements), STATEMENTS_MAX)
    _check_quota("principals", sum(_principals(statement) for statement in statements), PRINCIPALS_MAX)
    _check_quota("conditions", sum(_conditions(statement) for statement in statements), CONDITIONS_MAX)
    return policy


def statements_of(policy: Policy) -> list[Policy]:
    """A single statement may stand without a list."""
    found = policy.get("Statement", [])
    statements = found if isinstance(found, list) else [found]
    if not all(isinstance(statement, dict) for statement in statements):
        raise _invalid()
    return statements


def add_statement(text: str | None, arn: str, label: str, accounts: Sequence[str], actions: Sequence[str]) -> str:
    """The policy with a permission for these accounts; a queue without a policy gets its first."""
    policy = parse_policy(text) if text else {"Version": _VERSIONS[0], "Id": f"{arn}/SQSDefaultPolicy"}
    statements = list(statements_of(policy))
    if any(statement.get("Sid") == label for statement in statements):
        raise invalid_value("Label", label, "Already exists.")
    if len(statements) >= STATEMENTS_MAX:
        raise OverLimit(f"{len(statements) + 1} Statements were found, maximum allowed is {STATEMENTS_MAX}.")
    statements.append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_list([f"arn:aws:iam::{account}:root" for account in accounts])},
            "Action": _one_or_list([f"SQS:{action}" for action in actions]),
            "Resource": arn,
        }
    )
    return _encoded({**policy, "Statement": statements})


def remove_statement(text: str | None, label: str) -> str:
    """The policy without the permission of this label; empty when no other is left."""
    if not text:
        raise invalid_value("Label", label, "can't find label.")
    policy = parse_policy(text)
    statements = statements_of(policy)
    kept = [statement for statement in statements if statement.get("Sid") != label]
    if len(kept) == len(statements):
        raise invalid_value("Label", label, "can't find label on existing policy.")
    return _encoded({**policy, "Statement": kept}) if kept else ""


def unknown_action(action: str) -> InvalidParameterValue:
    return invalid_value("ActionName", action, "Please refer to the appropriate WSDL for a list of valid actions.")


def _check_quota(what: str, found: int, most: int) -> None:
    if found > most:
        raise OverLimit(f"{found} {what} were found in the submitted policy, max allowed is {most}")


def _principals(statement: Policy) -> int:
    stated = statement.get("Principal", statement.get("NotPrincipal"))
    kinds = stated.values() if isinstance(stated, dict) else [stated]
    return sum(len(kind) if isinstance(kind, list) else 1 for kind in kinds)


def _conditions(statement: Policy) -> int:
    stated = statement.get("Condition", {})
    if not isinstance(stated, dict) or not all(isinstance(keys, dict) for keys in stated.values()):
        raise _invalid()
    return sum(len(keys) for keys in stated.values())


def _check_statement(statement: Policy) -> None:
    if not statement.keys() <= _STATEMENT_MEMBERS or statement.get("Effect") not in ("Allow", "Deny"):
        raise _invalid()
    for one, other in (("Principal", "NotPrincipal"), ("Action", "NotAction")):
        if (one in statement) == (other in statement):
            raise _invalid()
    for action in _texts(statement.get("Action", statement.get("NotAction"))):
        service, _, name = action.rpartition(":")
        wildcard = "*" in name or "?" in name
        if service.lower() not in ("sqs", "") or not (wildcard or name.lower() in _KNOWN):
            raise invalid_value(
                "ActionName", action, "Please refer to the appropriate WSDL for a list of valid actions."
            )


def _texts(value: object) -> list[str]:
    found = value if isinstance(value, list) else [value]
    texts = [text for text in found if isinstance(text, str)]
    if not texts or len(texts) < len(found):
        raise _invalid()
    return texts


def _one_or_list(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _encoded(policy: Policy) -> str:
    encoded = msgspec.json.encode(policy)
    if len(encoded) > POLICY_MAX_BYTES:
        raise OverLimit(f"The policy would be longer than {POLICY_MAX_BYTES} bytes.")
    return encoded.decode()


def _invalid() -> InvalidAttributeValue:
    return InvalidAttributeValue("Invalid value for the parameter Policy.", attribute="Policy")
