"""Sending, receiving and what follows, as boto3 sees it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from tests.wire.asking import attributes_of, drain, error_of, receive, send
from tests.wire.live import LiveServer

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.mark.parametrize(
    "body", ["x", "\t\r\n <>&\"' \\", "héllo ☃ 𝄞 \ud7ff\ue000\ufffd\U0010ffff", '{"a": 1}', "y" * 1_048_576]
)
def test_a_body_comes_back_as_it_was_sent(sqs: Any, queue: str, body: str) -> None:
    sent = send(sqs, queue, body)
    md5 = hashlib.md5(body.encode()).hexdigest()
    assert sent["MD5OfMessageBody"] == md5
    (found,) = receive(sqs, queue)
    assert (found["Body"], found["MD5OfBody"], found["MessageId"]) == (body, md5, sent["MessageId"])
    assert set(found) == {"Body", "MD5OfBody", "MessageId", "ReceiptHandle"}


def test_checksums_that_the_real_service_gave(sqs: Any, queue: str) -> None:
    """Recorded from AWS."""
    text = {"DataType": "String", "StringValue": "test-value"}
    other = {"DataType": "String", "StringValue": "test-value-alt"}
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}
    one = send(sqs, queue, '{"message_index":1}', MessageAttributes={"test-key": text}, MessageSystemAttributes=trace)
    assert one["MD5OfMessageBody"] == "4504dd781f625d681c31cda87e260702"
    assert one["MD5OfMessageAttributes"] == "befa18540a897f7d022bf07057754a03"
    assert one["MD5OfMessageSystemAttributes"] == "5ae4d5d7636402d80f4eb6d213245a88"
    two = send(sqs, queue, MessageAttributes={"test-key-alt": other, "test-key": text})
    assert two["MD5OfMessageAttributes"] == "2256c3b617e2b4b3ae4f2d455dcf54d0"


@pytest.mark.parametrize(
    ("names", "md5"),
    [
        (["All"], "4c360f3fdafd970e05fae2f149d997f5"),
        (["*"], "4c360f3fdafd970e05fae2f149d997f5"),
        (["Hello", "General"], "fca026605781cb4126a1e9044df24232"),
        (["Foo", "Hello"], "a311262e065454b75da111d535b8dacd"),
        (["Hel.*"], "83fee93c1bcd8b9a5a923ffacdc636c7"),
        (["Foo", "Help"], None),
    ],
)
def test_the_choice_and_checksums_that_the_real_service_gave(
    sqs: Any, queue: str, names: list[str], md5: str | None
) -> None:
    """Recorded from AWS."""
    told = {"Help.Me": "Me", "Hello": "There", "General": "Kenobi"}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    sent = send(sqs, queue, "msg", MessageAttributes=attributes)
    assert sent["MD5OfMessageAttributes"] == "4c360f3fdafd970e05fae2f149d997f5"
    assert receive(sqs, queue, MessageAttributeNames=names)[0].get("MD5OfMessageAttributes") == md5


def test_message_attributes_come_back_when_asked_for(sqs: Any, queue: str) -> None:
    attributes = {
        "Hello": {"DataType": "String", "StringValue": "There"},
        "General": {"DataType": "String", "StringValue": "Kenobi"},
        "Help.Me": {"DataType": "String.custom", "StringValue": "Me"},
        "Count": {"DataType": "Number", "StringValue": "-1.5e3"},
        "Raw": {"DataType": "Binary.jpeg", "BinaryValue": b"\x00\xff"},
    }
    sent = send(sqs, queue, MessageAttributes=attributes)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "0"})

    def asked(*names: str) -> dict[str, Any]:
        return receive(sqs, queue, MessageAttributeNames=list(names))[0]

    for everything in ("All", ".*", "*"):
        found = asked(everything)
        assert found["MessageAttributes"] == attributes
        assert found["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert set(asked("Help.*", "Count", "unknown")["MessageAttributes"]) == {"Help.Me", "Count"}
    for prefix in ("Hel.*", "Hel*"):
        assert set(asked(prefix)["MessageAttributes"]) == {"Hello", "Help.Me"}
    only = asked("Hello")
    assert only["MessageAttributes"] == {"Hello": attributes["Hello"]}
    assert only["MD5OfMessageAttributes"] != sent["MD5OfMessageAttributes"]
    nothing = asked("unknown")
    assert nothing.get("MessageAttributes", {}) == {}
    assert "MD5OfMessageAttributes" not in nothing
    for names in ([], ["AWS."], ["..foo"]):
        assert "MessageAttributes" not in asked(*names)


def test_system_attributes_come_back_when_asked_for(sqs: Any, server: LiveServer, queue: str) -> None:
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}
    before = server.clock()
    send(sqs, queue, MessageSystemAttributes=trace, MessageGroupId="tenant-1")
    (found,) = receive(
        sqs, queue, AttributeNames=["SenderId"], MessageSystemAttributeNames=["All"], VisibilityTimeout=0
    )
    attributes = found["Attributes"]
    sent_at, received_at = (int(attributes.pop(n)) for n in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"))
    assert before <= sent_at <= received_at <= server.clock()
    assert attributes == {
        "SenderId": server.access_key.id,
        "ApproximateReceiveCount": "1",
        "AWSTraceHeader": TRACE,
        "MessageGroupId": "tenant-1",
    }
    (again,) = receive(sqs, queue, AttributeNames=["ApproximateReceiveCount"], MessageSystemAttributeNames=["SenderId"])
    assert again["Attributes"] == {"ApproximateReceiveCount": "2", "SenderId": server.access_key.id}


def test_a_message_is_invisible_until_its_timeout_and_gone_when_deleted(
    sqs: Any, server: LiveServer, queue: str
) -> None:
    send(sqs, queue)
    (first,) = receive(sqs, queue, VisibilityTimeout=20)
    assert receive(sqs, queue) == []
    counted = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
    assert attributes_of(sqs, queue, *counted) == dict(zip(counted, "01", strict=True))
    server.clock.advance(20)
    (second,) = receive(sqs, queue)
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"])
    server.clock.advance(60)
    assert receive(sqs, queue) == []


def test_visibility_is_extended_and_ended(sqs: Any, server: LiveServer, queue: str) -> None:
    send(sqs, queue)
    (found,) = receive(sqs, queue, VisibilityTimeout=10)
    handle = found["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=100)
    server.clock.advance(50)
    assert receive(sqs, queue) == []
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    assert len(receive(sqs, queue)) == 1


def test_a_message_is_invisible_for_twelve_hours_at_most(sqs: Any, server: LiveServer, queue: str) -> None:
    send(sqs, queue)
    (found,) = receive(sqs, queue, VisibilityTimeout=43_200)
    server.clock.advance(100)
    change = {"QueueUrl": queue, "ReceiptHandle": found["ReceiptHandle"]}
    code, _, message = error_of(sqs.change_message_visibility, **change, VisibilityTimeout=43_200)
    assert code == "InvalidParameterValue"
    assert message == (
        "Value 43200 for parameter VisibilityTimeout is invalid. "
        "Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
    )
    sqs.change_message_visibility(**change, VisibilityTimeout=43_000)


def test_delays_of_the_queue_and_of_the_message(sqs: Any, server: LiveServer, queue: str) -> None:
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "100"})
    send(sqs, queue, "queue's delay")
    send(sqs, queue, "own delay", DelaySeconds=10)
    send(sqs, queue, "no delay", DelaySeconds=0)
    assert drain(sqs, queue) == ["no delay"]
    assert attributes_of(sqs, queue, "ApproximateNumberOfMessagesDelayed")["ApproximateNumberOfMessagesDelayed"] == "2"
    server.clock.advance(10)
    assert drain(sqs, queue) == ["own delay"]
    server.clock.advance(90)
    assert drain(sqs, queue) == ["queue's delay"]


def test_messages_expire(sqs: Any, server: LiveServer, queue: str) -> None:
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MessageRetentionPeriod": "60"})
    send(sqs, queue)
    server.clock.advance(61)
    assert receive(sqs, queue) == []


def test_messages_that_were_not_sent_through_sqs_can_be_received(sqs: Any, server: LiveServer, queue: str) -> None:
    """The server's own queues hold messages without the metadata of SQS."""
    from chappe.engine.base import NewMessage

    name = ":".join(attributes_of(sqs, queue, "QueueArn")["QueueArn"].split(":")[3:])
    bodies = [json.dumps({"n": 1}).encode(), b"\xff\xfe"]
    server.run(server.engine.send(name, [NewMessage(body, attributes=b"\x81\xa1a\x01") for body in bodies]))
    found = receive(sqs, queue, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"])
    found += receive(sqs, queue, MaxNumberOfMessages=10)
    assert sorted(m["Body"] for m in found) == ['{"n": 1}', "\ufffd\ufffd"]
    assert all(m["MD5OfBody"] == hashlib.md5(m["Body"].encode()).hexdigest() for m in found)
