"""RedrivePolicy (where a queue's dead letters go) and RedriveAllowPolicy (whose dead letters a queue takes).

Both arrive as JSON text inside a queue attribute. Source: Amazon SQS API Reference, SetQueueAttributes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from chappe.broker.errors import InvalidAttributeValue, invalid_value
from chappe.broker.names import QueueName

RECEIVES_MAX = 1000
SOURCES_MAX = 10
_PERMISSIONS = ("allowAll", "denyAll", "byQueue")


class RedrivePolicy(msgspec.Struct, frozen=True):
    """`target` takes the messages received `max_receive_count` (1 to 1000) times without being deleted."""

    target: QueueName
    max_receive_count: int


class RedriveAllowPolicy(msgspec.Struct, frozen=True):
    """`permission` is allowAll, denyAll or byQueue; for the last, `source_arns` names at most ten queues."""

    permission: str
    source_arns: tuple[str, ...] = ()

    def permits(self, source: QueueName) -> bool:
        if self.permission == "byQueue":
            return source.arn in self.source_arns
        return self.permission == "allowAll"


def parse_redrive_policy(text: str) -> RedrivePolicy:
    """Raises `InvalidAttributeValue` for what is no JSON map and `InvalidParameterValue` for what it says."""
    policy = _json_map(text)
    if policy is None:
        raise InvalidAttributeValue(
            "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."
        )
    for name in ("maxReceiveCount", "deadLetterTargetArn"):
        if policy.get(name) is None:
            raise _invalid_redrive(text, f"Redrive policy does not contain mandatory attribute: {name}.")
    if len(policy) > 2:
        raise _invalid_redrive(text, "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].")
    stated = policy["maxReceiveCount"]
    count = _count(stated)
    if count is None or not 1 <= count <= RECEIVES_MAX:
        raise _invalid_redrive(
            text,
            f"Invalid value for maxReceiveCount: {str(stated)[:40]}, "
            f"valid values are from 1 to {RECEIVES_MAX} both inclusive.",
        )
    arn = policy["deadLetterTargetArn"]
    target = QueueName.from_arn(arn) if isinstance(arn, str) else None
    if target is None:
        names_something = isinstance(arn, str) and arn.startswith("arn:") and arn.count(":") >= 5
        raise _invalid_redrive(
            text,
            "Only SQS queues are valid resources for deadLetterTargetArn."
            if names_something
            else "Invalid value for deadLetterTargetArn.",
        )
    return RedrivePolicy(target, count)


def stored_redrive_policy(text: str) -> str:
    """The policy as it is told back: its count is a number, whichever it came as. Raises as `parse_redrive_policy`."""
    count = parse_redrive_policy(text).max_receive_count
    stated = msgspec.json.decode(text)
    if isinstance(stated["maxReceiveCount"], int):
        return text
    return msgspec.json.encode({**stated, "maxReceiveCount": count}).decode()


def check_dead_letter_target(
    text: str, policy: RedrivePolicy, source: QueueName, allowed: RedriveAllowPolicy | None
) -> None:
    """Raise unless `source` may send its dead letters to the policy's queue, whose allow policy is `allowed`."""
    target = policy.target
    if (target.account, target.region) != (source.account, source.region):
        raise _invalid_redrive(text, "Dead-letter target owner should be same as the source.")
    if target.fifo != source.fifo:
        raise _invalid_redrive(text, "Dead-letter queue must be same type of queue as the source.")
    if target == source:
        raise _invalid_redrive(text, "Dead-letter target must be another queue than the source.")
    if allowed is not None and not allowed.permits(source):
        raise _invalid_redrive(
            text, f"The redrive allow policy of {target.arn} does not permit this queue as a source."
        )


def missing_dead_letter_target(text: str) -> Exception:
    return _invalid_redrive(text, "Dead letter target does not exist.")


def parse_redrive_allow_policy(text: str) -> RedriveAllowPolicy:
    """Raises `InvalidAttributeValue` or `InvalidParameterValue`."""
    policy = _json_map(text)
    sources = policy.get("sourceQueueArns", []) if policy else None
    if (
        policy is None
        or policy.get("redrivePermission") not in _PERMISSIONS
        or not set(policy) <= {"redrivePermission", "sourceQueueArns"}
        or not isinstance(sources, list)
        or not all(isinstance(source, str) for source in sources)
    ):
        raise InvalidAttributeValue(
            "Invalid value for the parameter RedriveAllowPolicy. "
            "Reason: Amazon SQS can't create the redrive allow policy, as it\u2019s in an unsupported format."
        )
    permission = policy["redrivePermission"]
    if permission != "byQueue" and sources:
        raise _invalid_allow(
            text, "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
        )
    if permission == "byQueue" and not sources:
        raise _invalid_allow(
            text,
            "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values.",
        )
    if len(sources) > SOURCES_MAX:
        raise _invalid_allow(text, f"The maximum number of source queue ARNs you can specify is {SOURCES_MAX}.")
    return RedriveAllowPolicy(permission, tuple(sources))


def _json_map(text: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _count(stated: object) -> int | None:
    """The count, which may come as a number or as a text of digits."""
    if isinstance(stated, bool):
        return None
    if isinstance(stated, int):
        return stated
    if isinstance(stated, str) and stated.isascii() and stated.isdigit() and len(stated) <= 9:
        return int(stated)
    return None


def _invalid_redrive(text: str, reason: str) -> Exception:
    return invalid_value("RedrivePolicy", text, reason)


def _invalid_allow(text: str, reason: str) -> Exception:
    return invalid_value("RedriveAllowPolicy", text, f"Amazon SQS can't create the redrive allow policy. {reason}")
