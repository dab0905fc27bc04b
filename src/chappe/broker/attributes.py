"""Queue attributes: which there are, what they may be, what they mean for the engine, and how they are told
back.

Source: Amazon SQS API Reference, CreateQueue and SetQueueAttributes. Attributes arrive and leave as text.
What a caller set explicitly is kept as text in the engine's `QueueSettings.attributes`, beside the tags (see `tags`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chappe.broker.errors import InvalidAttributeName, InvalidAttributeValue
from chappe.broker.names import QueueName
from chappe.broker.policies import parse_policy
from chappe.broker.redrive import (
    RedriveAllowPolicy,
    RedrivePolicy,
    parse_redrive_allow_policy,
    parse_redrive_policy,
    stored_redrive_policy,
)
from chappe.engine.base import DeadLetterPolicy, QueueCounts, QueueInfo, QueueSettings

MESSAGE_MAX_BYTES = 1_048_576
VISIBILITY_MAX_SECONDS = 43_200
WAIT_MAX_SECONDS = 20
DELAY_MAX_SECONDS = 900
IN_FLIGHT_MAX = 120_000
_TEXT_MAX = 65_536
"""Characters of any attribute that is text; what each says is checked after that."""

_NUMBERS = {
    "DelaySeconds": (0, DELAY_MAX_SECONDS, 0),
    "MaximumMessageSize": (1024, MESSAGE_MAX_BYTES, MESSAGE_MAX_BYTES),
    "MessageRetentionPeriod": (60, 1_209_600, 345_600),
    "ReceiveMessageWaitTimeSeconds": (0, WAIT_MAX_SECONDS, 0),
    "VisibilityTimeout": (0, VISIBILITY_MAX_SECONDS, 30),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400, 300),
}
"""Smallest, largest, default."""
_KEY_REUSE = "KmsDataKeyReusePeriodSeconds"
_CHOICES = {
    "FifoQueue": ("true", "false"),
    "ContentBasedDeduplication": ("true", "false"),
    "SqsManagedSseEnabled": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
_TEXTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId")
_READ_ONLY = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)
_FIFO_DEFAULTS = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
_SETTABLE = frozenset((*_NUMBERS, *_CHOICES, *_TEXTS))
KNOWN = frozenset((*_SETTABLE, *_READ_ONLY, "All"))
COUNTED = frozenset(name for name in _READ_ONLY if name.startswith("Approximate"))
"""The attributes for which messages have to be counted."""


class QueueAttributes(msgspec.Struct, frozen=True):
    """What sending and receiving need to know about a queue, in types of their own."""

    fifo: bool
    message_max_bytes: int
    wait_ms: int
    content_based_deduplication: bool
    deduplication_by_group: bool

    @classmethod
    def of(cls, settings: QueueSettings) -> QueueAttributes:
        stored = settings.attributes
        return cls(
            fifo=settings.fifo,
            message_max_bytes=_number(stored, "MaximumMessageSize"),
            wait_ms=_number(stored, "ReceiveMessageWaitTimeSeconds") * 1000,
            content_based_deduplication=stored.get("ContentBasedDeduplication") == "true",
            deduplication_by_group=stored.get("DeduplicationScope") == "messageGroup",
        )


def check_new_attributes(given: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """The attributes of a queue to be created, each checked by itself and with the others."""
    checked = _check_each(given, fifo=fifo)
    if "FifoQueue" in checked and not fifo:
        raise InvalidAttributeName("Unknown Attribute FifoQueue.")
    _check_together(checked, checked)
    _settle_encryption(checked, checked)
    return {name: value for name, value in checked.items() if value != ""}


def merge_attributes(stored: Mapping[str, str], given: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """The stored attributes with the given ones in their place. An empty policy or key id takes one away."""
    if not fifo and "FifoQueue" in given:
        raise InvalidAttributeName("Unknown Attribute FifoQueue.")
    checked = _check_each(given, fifo=fifo)
    if checked.get("FifoQueue") == "false":
        raise InvalidAttributeValue(
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
        )
    merged = {**stored, **checked}
    _check_together(checked, merged)
    _settle_encryption(checked, merged)
    return {name: value for name, value in merged.items() if value != ""}


def settings_of(stored: Mapping[str, str], *, fifo: bool) -> QueueSettings:
    """What the engine has to do for a queue with these attributes."""
    policy = redrive_policy(stored)
    return QueueSettings(
        fifo=fifo,
        delay_ms=_number(stored, "DelaySeconds") * 1000,
        visibility_timeout_ms=_number(stored, "VisibilityTimeout") * 1000,
        retention_ms=_number(stored, "MessageRetentionPeriod") * 1000,
        max_in_flight=IN_FLIGHT_MAX,
        dead_letter=None if policy is None else DeadLetterPolicy(policy.target.engine_name, policy.max_receive_count),
        attributes=dict(stored),
    )


def redrive_policy(stored: Mapping[str, str]) -> RedrivePolicy | None:
    text = stored.get("RedrivePolicy")
    return parse_redrive_policy(text) if text else None


def redrive_allow_policy(stored: Mapping[str, str]) -> RedriveAllowPolicy | None:
    text = stored.get("RedriveAllowPolicy")
    return parse_redrive_allow_policy(text) if text else None


def first_difference(stored: Mapping[str, str], given: Mapping[str, str], *, fifo: bool) -> str | None:
    """The first of the given attributes that the queue does not have with this value."""
    present = effective(stored, fifo=fifo)
    for name, value in check_new_attributes(given, fifo=fifo).items():
        if not _same(name, present.get(name, ""), value):
            return name
    return None


def effective(stored: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """All settable attributes as they stand, defaults included."""
    shown = {name: str(_number(stored, name)) for name in _NUMBERS}
    if fifo:
        shown.update(_FIFO_DEFAULTS)
    shown["SqsManagedSseEnabled"] = "false" if stored.get("KmsMasterKeyId") else "true"
    shown.update({name: value for name, value in stored.items() if name in _SETTABLE and value != ""})
    return shown


def described(name: QueueName, info: QueueInfo, counts: QueueCounts | None) -> dict[str, str]:
    """Every attribute of a queue, as GetQueueAttributes tells them. How long a data key is used is told if it was set
    to another time than is usual.
    """
    shown = effective(info.settings.attributes, fifo=info.settings.fifo)
    if _number(info.settings.attributes, _KEY_REUSE) == _NUMBERS[_KEY_REUSE][2]:
        del shown[_KEY_REUSE]
    shown["QueueArn"] = name.arn
    shown["CreatedTimestamp"] = str(info.created_at_ms // 1000)
    shown["LastModifiedTimestamp"] = str(info.modified_at_ms // 1000)
    if counts is not None:
        shown["ApproximateNumberOfMessages"] = str(counts.ready)
        shown["ApproximateNumberOfMessagesNotVisible"] = str(counts.in_flight)
        shown["ApproximateNumberOfMessagesDelayed"] = str(counts.delayed)
    return shown


def _check_each(given: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    checked = {}
    for name, value in given.items():
        if name not in _SETTABLE:
            raise InvalidAttributeName(f"Unknown Attribute {name[:256]}.")
        if not fifo:
            _check_not_fifo_only(name)
        checked[name] = _check_one(name, value)
    return checked


def _check_not_fifo_only(name: str) -> None:
    if name in ("DeduplicationScope", "FifoThroughputLimit"):
        raise InvalidAttributeName(f"You can specify the {name} only when FifoQueue is set to true.")
    if name == "ContentBasedDeduplication":
        raise InvalidAttributeName(f"Unknown Attribute {name}.")


def _check_one(name: str, value: str) -> str:
    """The value in its canonical form."""
    bounds = _NUMBERS.get(name)
    if bounds is not None:
        least, most, _ = bounds
        if value.isascii() and value.isdigit() and len(value) <= 9 and least <= int(value) <= most:
            return str(int(value))
        raise _invalid(name)
    if name in _CHOICES:
        if value in _CHOICES[name]:
            return value
        raise _invalid(name)
    if len(value) > _TEXT_MAX:
        raise _invalid(name)
    if name == "RedrivePolicy" and value:
        return stored_redrive_policy(value)
    if value:
        _check_text(name, value)
    return value


def _check_text(name: str, value: str) -> None:
    if name == "RedriveAllowPolicy":
        parse_redrive_allow_policy(value)
    elif name == "Policy":
        parse_policy(value)


def _check_together(given: Mapping[str, str], merged: Mapping[str, str]) -> None:
    if given.get("SqsManagedSseEnabled") == "true" and merged.get("KmsMasterKeyId"):
        raise InvalidAttributeName(
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE."
        )
    if merged.get("FifoThroughputLimit") == "perMessageGroupId" and merged.get("DeduplicationScope") != "messageGroup":
        raise InvalidAttributeValue(
            "Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value is allowed "
            "only when the value for DeduplicationScope is messageGroup."
        )


def _settle_encryption(given: Mapping[str, str], merged: dict[str, str]) -> None:
    """A key takes the place of the service's own encryption, which does not come back when the key is taken away."""
    if given.get("KmsMasterKeyId"):
        merged["SqsManagedSseEnabled"] = "false"


def _number(stored: Mapping[str, str], name: str) -> int:
    value = stored.get(name)
    return _NUMBERS[name][2] if value is None else int(value)


def _same(name: str, one: str, other: str) -> bool:
    if name == "RedrivePolicy" and one and other:
        return parse_redrive_policy(one) == parse_redrive_policy(other)
    if name in ("Policy", "RedriveAllowPolicy") and one and other:
        return bool(msgspec.json.decode(one) == msgspec.json.decode(other))
    return one == other


def _invalid(name: str) -> InvalidAttributeValue:
    return InvalidAttributeValue(f"Invalid value for the parameter {name}.", attribute=name)
