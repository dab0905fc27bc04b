"""Both sides of every limit: the last value that is taken and the first that is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.wire.asking import NewName, attributes_of, error_of, receive, send
from tests.wire.live import ACCOUNT, REGION, LiveServer

INVALID = ("InvalidParameterValue", "InvalidParameterValueException")


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("DelaySeconds", 0, 900),
        ("MaximumMessageSize", 1024, 1_048_576),
        ("MessageRetentionPeriod", 60, 1_209_600),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, 43_200),
        ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
    ],
)
def test_attributes_that_are_numbers(sqs: Any, queue: str, new_name: NewName, name: str, least: int, most: int) -> None:
    for good in (least, most):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: str(good)})
        assert attributes_of(sqs, queue)[name] == str(good)
        sqs.create_queue(QueueName=new_name(), Attributes={name: str(good)})
    for bad in (least - 1, most + 1, "", "x", "5.0", "1" * 5000):
        expected = ("InvalidAttributeValue", "InvalidAttributeValue", f"Invalid value for the parameter {name}.")
        assert error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes={name: str(bad)}) == expected
        assert error_of(sqs.create_queue, QueueName=new_name(), Attributes={name: str(bad)}) == expected
    assert attributes_of(sqs, queue)[name] == str(most)


@pytest.mark.parametrize(
    ("parameter", "least", "most", "reason"),
    [
        ("MaxNumberOfMessages", 1, 10, "Must be between 1 and 10, if provided."),
        ("VisibilityTimeout", 0, 43_200, "Must be >= 0 and <= 43200, if provided."),
        ("WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided."),
    ],
)
def test_parameters_of_a_receive(sqs: Any, queue: str, parameter: str, least: int, most: int, reason: str) -> None:
    send(sqs, queue)
    for bad in (least - 1, most + 1):
        message = f"Value {bad} for parameter {parameter} is invalid. Reason: {reason}"
        assert error_of(sqs.receive_message, QueueUrl=queue, **{parameter: bad}) == (*INVALID, message)
    assert len(receive(sqs, queue, **{parameter: most})) == 1
    send(sqs, queue)
    assert len(receive(sqs, queue, **{parameter: least})) == 1


def test_a_delay(sqs: Any, queue: str) -> None:
    send(sqs, queue, DelaySeconds=0)
    send(sqs, queue, DelaySeconds=900)
    for bad in (-1, 901):
        message = f"Value {bad} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        given = {"QueueUrl": queue, "MessageBody": "x", "DelaySeconds": bad}
        assert error_of(sqs.send_message, **given) == (*INVALID, message)


def test_a_change_of_visibility(sqs: Any, queue: str) -> None:
    send(sqs, queue)
    change = {"QueueUrl": queue, "ReceiptHandle": receive(sqs, queue)[0]["ReceiptHandle"]}
    for bad in (-1, 43_201):
        message = f"Value {bad} for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200"
        found = error_of(sqs.change_message_visibility, **change, VisibilityTimeout=bad)
        assert found[:2] == INVALID
        assert found[2].startswith(message)
    sqs.change_message_visibility(**change, VisibilityTimeout=43_100)
    sqs.change_message_visibility(**change, VisibilityTimeout=0)


def test_how_many_attributes_a_message_has(sqs: Any, queue: str) -> None:
    ten = {f"a{n}": {"DataType": "String", "StringValue": "v"} for n in range(10)}
    send(sqs, queue, MessageAttributes=ten)
    eleven = {**ten, "more": ten["a0"]}
    message = "Number of message attributes [11] exceeds the allowed maximum [10]."
    given = {"QueueUrl": queue, "MessageBody": "x", "MessageAttributes": eleven}
    assert error_of(sqs.send_message, **given) == (*INVALID, message)


@pytest.mark.parametrize(
    ("name", "kind", "good"),
    [
        ("n" * 256, "String", True),
        ("n" * 257, "String", False),
        ("n", "String." + "t" * 249, True),
        ("n", "String." + "t" * 250, False),
        ("a.b-c_D9", "String", True),
        (".a", "String", False),
        ("a.", "String", False),
        ("a..b", "String", False),
        ("a b", "String", False),
        ("AWS.x", "String", False),
        ("amazon.x", "String", False),
        ("awsx", "String", True),
        ("n", "Text", False),
        ("n", "", False),
        ("n", "string", False),
    ],
)
def test_what_an_attribute_is_called(sqs: Any, queue: str, name: str, kind: str, good: bool) -> None:
    given = {"QueueUrl": queue, "MessageBody": "x"}
    given["MessageAttributes"] = {name: {"DataType": kind, "StringValue": "v"}}
    if good:
        sqs.send_message(**given)
        assert set(receive(sqs, queue, MessageAttributeNames=["All"])[0]["MessageAttributes"]) == {name}
    else:
        assert error_of(sqs.send_message, **given)[:2] == INVALID


@pytest.mark.parametrize("parameter", ["MessageGroupId", "MessageDeduplicationId"])
def test_identifiers_of_a_fifo_message(sqs: Any, fifo: str, parameter: str) -> None:
    given = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    for n, good in enumerate(("x", "x" * 128, punctuation)):
        unique = {"MessageDeduplicationId": f"{n}{parameter}", parameter: good}
        send(sqs, fifo, **{**given, **unique})
    for bad in ("", "x" * 129, "a b", "é"):
        found = error_of(sqs.send_message, QueueUrl=fifo, MessageBody="x", **{**given, parameter: bad})
        reason = f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        assert found == (*INVALID, f"Value {bad} for parameter {parameter} is invalid. Reason: {reason}")


def test_a_batch_of_ten_with_the_longest_ids(sqs: Any, queue: str) -> None:
    ids = [f"{n:080}" for n in range(10)]
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": each, "MessageBody": "x"} for each in ids])
    assert [entry["Id"] for entry in sent["Successful"]] == ids


def redrive(sqs: Any, new_name: NewName, count: object) -> dict[str, str]:
    dead = sqs.create_queue(QueueName=new_name())["QueueUrl"]
    arn = attributes_of(sqs, dead, "QueueArn")["QueueArn"]
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": count})}


def test_how_often_a_message_is_received_before_it_falls(sqs: Any, queue: str, new_name: NewName) -> None:
    for good in (1, 1000, "1", "1000"):
        policy = redrive(sqs, new_name, good)
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=policy)
        told, given = (
            json.loads(each["RedrivePolicy"]) for each in (attributes_of(sqs, queue, "RedrivePolicy"), policy)
        )
        assert told == {**given, "maxReceiveCount": int(good)}
    for bad in (0, 1001, -1, "0", "x", 1.5, True):
        policy = redrive(sqs, new_name, bad)
        code, shape, message = error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes=policy)
        assert (code, shape) == INVALID
        assert message.startswith(f"Value {policy['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: ")
        assert message.endswith("valid values are from 1 to 1000 both inclusive.")


def test_how_many_sources_an_allow_policy_names(sqs: Any, queue: str) -> None:
    def allow(count: int) -> dict[str, str]:
        arns = [f"arn:aws:sqs:{REGION}:{ACCOUNT}:q{n}" for n in range(count)]
        return {"RedriveAllowPolicy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": arns})}

    for good in (1, 10):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=allow(good))
    for bad in (0, 11):
        assert error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes=allow(bad))[:2] == INVALID


def test_a_deleted_name_is_free_after_a_minute(fresh_server: Callable[..., LiveServer], protocol: str) -> None:
    live = fresh_server(recreate_after_ms=60_000)
    sqs = live.client(protocol=protocol)
    sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName="q")["QueueUrl"])
    live.clock.advance(50)
    assert error_of(sqs.create_queue, QueueName="q") == (
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    )
    live.clock.advance(10)
    sqs.create_queue(QueueName="q")
    sqs.close()


def test_a_page_of_a_thousand_queues(fresh_server: Callable[..., LiveServer], protocol: str) -> None:
    """More than a page exist; without MaxResults the rest is not told, as in AWS."""
    from chappe.engine.base import QueueSettings

    live = fresh_server()

    async def fill() -> None:
        for n in range(1001):
            await live.engine.create_queue(f"{REGION}:{ACCOUNT}:q{n:04}", QueueSettings())

    live.run(fill())
    sqs = live.client(protocol=protocol)
    whole = sqs.list_queues()
    assert (len(whole["QueueUrls"]), whole.get("NextToken")) == (1000, None)
    first = sqs.list_queues(MaxResults=1000)
    assert len(first["QueueUrls"]) == 1000
    assert len(sqs.list_queues(MaxResults=1000, NextToken=first["NextToken"])["QueueUrls"]) == 1
    sqs.close()


def test_how_many_messages_are_in_flight(sqs: Any, server: LiveServer, queue: str) -> None:
    """The limit of 120,000 itself takes too long to reach in a test, so the queue gets a smaller one from within."""
    import msgspec

    name = ":".join(attributes_of(sqs, queue, "QueueArn")["QueueArn"].split(":")[3:])

    async def lower() -> None:
        info = await server.engine.get_queue(name)
        assert info.settings.max_in_flight == 120_000
        await server.engine.set_queue(name, msgspec.structs.replace(info.settings, max_in_flight=2))

    server.run(lower())
    for _ in range(3):
        send(sqs, queue)
    taken = [receive(sqs, queue)[0] for _ in range(2)]
    assert error_of(sqs.receive_message, QueueUrl=queue)[:2] == ("OverLimit", "OverLimit")
    assert receive(sqs, queue, WaitTimeSeconds=1) == []
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=taken[0]["ReceiptHandle"])
    assert len(receive(sqs, queue)) == 1
