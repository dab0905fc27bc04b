"""Queue attributes: bounds, combinations, and what the engine is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.broker.attributes import (
    check_new_attributes,
    effective,
    first_difference,
    merge_attributes,
    settings_of,
)
from chappe.broker.errors import InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue
from chappe.broker.tags import check_tags
from chappe.engine.base import DeadLetterPolicy, QueueSettings

BOUNDS = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
]
DEAD = "arn:aws:sqs:eu-west-1:123456789012:dead"


@pytest.mark.parametrize(("name", "least", "most"), BOUNDS)
def test_numbers_have_bounds(name: str, least: int, most: int) -> None:
    for good in (least, most):
        assert check_new_attributes({name: str(good)}, fifo=False) == {name: str(good)}
    for bad in (least - 1, most + 1, "", " 5", "5.0", "1e2", "+5", "5s", "٦٠", "1" * 10_000):
        with pytest.raises(InvalidAttributeValue) as caught:
            check_new_attributes({name: str(bad)}, fifo=False)
        assert caught.value.message == f"Invalid value for the parameter {name}."


@given(name=st.text(max_size=20), value=st.text(max_size=20), fifo=st.booleans())
def test_unknown_attributes_are_refused_whatever_their_value(name: str, value: str, *, fifo: bool) -> None:
    with pytest.raises((InvalidAttributeName, InvalidAttributeValue)):
        check_new_attributes({"X" + name: value}, fifo=fifo)


@pytest.mark.parametrize(
    "name", ["QueueArn", "CreatedTimestamp", "ApproximateNumberOfMessages", "All", "visibilityTimeout"]
)
def test_what_cannot_be_set(name: str) -> None:
    with pytest.raises(InvalidAttributeName, match=rf"^Unknown Attribute {name}\.$"):
        check_new_attributes({name: "1"}, fifo=False)


def test_attributes_of_fifo_queues_only() -> None:
    for name, value in (("DeduplicationScope", "queue"), ("FifoThroughputLimit", "perQueue")):
        with pytest.raises(InvalidAttributeName) as caught:
            check_new_attributes({name: value}, fifo=False)
        assert caught.value.message == f"You can specify the {name} only when FifoQueue is set to true."
        assert check_new_attributes({name: value}, fifo=True) == {name: value}
        with pytest.raises(InvalidAttributeValue):
            check_new_attributes({name: "else"}, fifo=True)
    with pytest.raises(InvalidAttributeName, match="Unknown Attribute ContentBasedDeduplication"):
        check_new_attributes({"ContentBasedDeduplication": "true"}, fifo=False)


def test_the_type_of_a_queue_cannot_be_changed() -> None:
    with pytest.raises(InvalidAttributeName, match=r"^Unknown Attribute FifoQueue\.$"):
        merge_attributes({}, {"FifoQueue": "true"}, fifo=False)
    with pytest.raises(InvalidAttributeValue) as caught:
        merge_attributes({"FifoQueue": "true"}, {"FifoQueue": "false"}, fifo=True)
    assert caught.value.message == (
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    )


def test_high_throughput_needs_deduplication_by_group() -> None:
    limit = {"FifoThroughputLimit": "perMessageGroupId"}
    with pytest.raises(InvalidAttributeValue, match="allowed only when the value for DeduplicationScope"):
        check_new_attributes(limit, fifo=True)
    with pytest.raises(InvalidAttributeValue):
        merge_attributes({"DeduplicationScope": "queue"}, limit, fifo=True)
    assert merge_attributes({"DeduplicationScope": "messageGroup"}, limit, fifo=True)["FifoThroughputLimit"]
    both = {**limit, "DeduplicationScope": "messageGroup"}
    with pytest.raises(InvalidAttributeValue):
        merge_attributes(both, {"DeduplicationScope": "queue"}, fifo=True)


def test_one_kind_of_encryption_at_a_time() -> None:
    kms = {"KmsMasterKeyId": "alias/key"}
    assert effective({}, fifo=False)["SqsManagedSseEnabled"] == "true"
    assert effective(kms, fifo=False)["SqsManagedSseEnabled"] == "false"
    for attempt in (
        lambda: check_new_attributes({**kms, "SqsManagedSseEnabled": "true"}, fifo=False),
        lambda: merge_attributes(kms, {"SqsManagedSseEnabled": "true"}, fifo=False),
    ):
        with pytest.raises(InvalidAttributeName, match="You can use one type of server-side encryption"):
            attempt()
    switched = merge_attributes({"SqsManagedSseEnabled": "true"}, kms, fifo=False)
    assert effective(switched, fifo=False)["SqsManagedSseEnabled"] == "false"
    assert merge_attributes(kms, {"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"}, fifo=False) == {
        "SqsManagedSseEnabled": "true"
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" ", "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."),
        ("4", "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."),
        ("[]", "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."),
        ("[" * 9999, "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."),
        ("{}", "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
        ('{"maxReceiveCount":5}', "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
        (f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":-36}}', "Invalid value for maxReceiveCount: -36, "),
        (f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":1001}}', "Invalid value for maxReceiveCount: 1001, "),
        (f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":"many"}}', "Invalid value for maxReceiveCount: many, "),
        (f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":true}}', "Invalid value for maxReceiveCount: True, "),
        (f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":2.5}}', "Invalid value for maxReceiveCount: 2.5, "),
        (f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":5,"x":1}}', "Only following attributes are supported: "),
        ('{"deadLetterTargetArn":"dummy","maxReceiveCount":5}', "Invalid value for deadLetterTargetArn."),
        ('{"deadLetterTargetArn":["x"],"maxReceiveCount":5}', "Invalid value for deadLetterTargetArn."),
        ('{"deadLetterTargetArn":"arn:aws:sns:r:1:t","maxReceiveCount":5}', "Only SQS queues are valid resources "),
    ],
)
def test_redrive_policies_that_are_refused(text: str, message: str) -> None:
    with pytest.raises((InvalidAttributeValue, InvalidParameterValue)) as caught:
        check_new_attributes({"RedrivePolicy": text}, fifo=False)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("badjson", "unsupported format"),
        ("[]", "unsupported format"),
        ("{}", "unsupported format"),
        ({"redrivePermission": "dummy"}, "unsupported format"),
        ({"redrivePermission": "allowAll", "dummy": 1}, "unsupported format"),
        ({"redrivePermission": "byQueue", "sourceQueueArns": DEAD}, "unsupported format"),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [{}]}, "unsupported format"),
        ({"redrivePermission": "byQueue"}, "you must also specify one or more sourceQueueArns values."),
        ({"redrivePermission": "byQueue", "sourceQueueArns": []}, "you must also specify one or more"),
        ({"redrivePermission": "denyAll", "sourceQueueArns": [DEAD]}, "you must set redrivePermission to byQueue."),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [DEAD] * 11}, "The maximum number of source queue ARNs"),
    ],
)
def test_redrive_allow_policies_that_are_refused(policy: object, message: str) -> None:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    with pytest.raises((InvalidAttributeValue, InvalidParameterValue), match=message):
        check_new_attributes({"RedriveAllowPolicy": text}, fifo=False)


@pytest.mark.parametrize("text", ["x", "[]", "5", "{", "[" * 100_000])
def test_a_policy_is_a_json_map(text: str) -> None:
    with pytest.raises(InvalidAttributeValue, match=r"^Invalid value for the parameter Policy\.$"):
        check_new_attributes({"Policy": text}, fifo=False)


def test_what_the_engine_is_told() -> None:
    policy = json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": "7"})
    stored = {
        "DelaySeconds": "5",
        "VisibilityTimeout": "60",
        "MessageRetentionPeriod": "120",
        "RedrivePolicy": policy,
        "tag:team": "a",
    }
    settings = settings_of(stored, fifo=False)
    assert settings == QueueSettings(
        delay_ms=5_000,
        visibility_timeout_ms=60_000,
        retention_ms=120_000,
        dead_letter=DeadLetterPolicy("eu-west-1:123456789012:dead", 7),
        attributes=stored,
    )
    assert "tag:team" not in effective(settings.attributes, fifo=False)


def test_policies_are_compared_by_what_they_say() -> None:
    stored = {"RedrivePolicy": f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":5}}'}
    same = {"RedrivePolicy": f'{{"maxReceiveCount": 5, "deadLetterTargetArn": "{DEAD}"}}'}
    other = {"RedrivePolicy": f'{{"maxReceiveCount": 6, "deadLetterTargetArn": "{DEAD}"}}'}
    assert first_difference(stored, same, fifo=False) is None
    assert first_difference(stored, other, fifo=False) == "RedrivePolicy"
    assert first_difference({}, same, fifo=False) == "RedrivePolicy"


def test_tags() -> None:
    assert check_tags({"a": "", "b": "x" * 256}, "q") == {"tag:a": "", "tag:b": "x" * 256}
    for bad in ({"": "x"}, {"x" * 129: ""}, {"a": "x" * 257}, {"aws:x": ""}, {str(n): "" for n in range(51)}):
        with pytest.raises(InvalidParameterValue):
            check_tags(bad, "q")
