"""Sending, receiving and what follows, as boto3 sees it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from tests.wire.live import LiveServer
from tests.wire.test_queues import attributes_of, error_of

NewName = Callable[..., str]
UNCHECKED = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def receive(sqs: Any, url: str, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url, **parameters).get("Messages", [])
    return found


def send(sqs: Any, url: str, body: str = "body", **parameters: Any) -> dict[str, Any]:
    sent: dict[str, Any] = sqs.send_message(QueueUrl=url, MessageBody=body, **parameters)
    return sent


def drain(sqs: Any, url: str) -> list[str]:
    """The bodies of what can be received, each message deleted."""
    bodies = []
    while found := receive(sqs, url, MaxNumberOfMessages=10):
        bodies += [message["Body"] for message in found]
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(found)]
        assert len(sqs.delete_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == len(found)
    return bodies


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


ALLOWED = "#x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]"
TOO_LONG = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
BAD_DELAY = "Value {} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
BAD_CHARACTER = (
    f"Invalid binary character '#x8' was found in the message body, the set of allowed characters is {ALLOWED}"
)
NOT_FIFO = (
    "Value x for parameter MessageDeduplicationId is invalid. "
    "Reason: The request includes a parameter that is not valid for this queue type."
)
BAD_GROUP = (
    "Value two words for parameter MessageGroupId is invalid. "
    "Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."
)


def text_attribute(name: str, value: str) -> dict[str, Any]:
    return {name: {"DataType": "String", "StringValue": value}}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"MessageBody": ""}, "The request must contain the parameter MessageBody."),
        ({"DelaySeconds": 901}, BAD_DELAY.format(901)),
        ({"DelaySeconds": -1}, BAD_DELAY.format(-1)),
        ({"MessageBody": "x" * 1_048_577}, TOO_LONG),
        ({"MessageBody": "a\x08b"}, BAD_CHARACTER),
        ({"MessageDeduplicationId": "x"}, NOT_FIFO),
        ({"MessageGroupId": "two words"}, BAD_GROUP),
        (
            {"MessageSystemAttributes": text_attribute("Hello", "x")},
            "Message system attribute name 'Hello' is invalid.",
        ),
        (
            {"MessageAttributes": text_attribute("n", "")},
            "Message (user) attribute 'n' must contain a non-empty value of type 'String'.",
        ),
    ],
)
def test_messages_that_cannot_be_sent(sqs: Any, queue: str, parameters: dict[str, Any], message: str) -> None:
    given = {"QueueUrl": queue, "MessageBody": "body", **parameters}
    code, _, text = error_of(sqs.send_message, **given)
    assert text == message
    assert code in ("InvalidParameterValue", "MissingParameter", "InvalidMessageContents")
    assert receive(sqs, queue) == []


def test_the_size_limit_of_the_queue_counts_attributes(sqs: Any, queue: str) -> None:
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    attribute = {"k": {"DataType": "String", "StringValue": "v" * 17}}
    send(sqs, queue, "x" * 1000, MessageAttributes=attribute)
    text = "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."
    given = {"QueueUrl": queue, "MessageBody": "x" * 1001, "MessageAttributes": attribute}
    assert error_of(sqs.send_message, **given) == ("InvalidParameterValue", "InvalidParameterValueException", text)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"MaxNumberOfMessages": 11},
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        ),
        (
            {"MaxNumberOfMessages": 0},
            "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        ),
        (
            {"WaitTimeSeconds": 21},
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        ),
        (
            {"VisibilityTimeout": 43201},
            "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided.",
        ),
    ],
)
def test_receives_that_cannot_be(sqs: Any, queue: str, parameters: dict[str, Any], message: str) -> None:
    send(sqs, queue)
    assert error_of(sqs.receive_message, QueueUrl=queue, **parameters) == (
        "InvalidParameterValue",
        "InvalidParameterValueException",
        message,
    )
    assert len(receive(sqs, queue)) == 1


@pytest.mark.parametrize("handle", ["", "junk", "a.b", "x" * 2000, "é.1", "." * 50])
def test_handles_that_were_never_given(sqs: Any, queue: str, handle: str) -> None:
    for call, more in ((sqs.delete_message, {}), (sqs.change_message_visibility, {"VisibilityTimeout": 1})):
        code, shape, message = error_of(call, QueueUrl=queue, ReceiptHandle=handle, **more)
        assert code == shape == "ReceiptHandleIsInvalid"
        assert message.startswith('The input receipt handle "')
        assert message.endswith('" is not a valid receipt handle.')


def test_the_handle_of_another_queue(sqs: Any, queue: str, new_name: NewName) -> None:
    other = sqs.create_queue(QueueName=new_name())["QueueUrl"]
    send(sqs, queue)
    handle = receive(sqs, queue)[0]["ReceiptHandle"]
    assert error_of(sqs.delete_message, QueueUrl=other, ReceiptHandle=handle)[0] == "ReceiptHandleIsInvalid"


def test_visibility_of_a_message_that_was_deleted(sqs: Any, queue: str) -> None:
    send(sqs, queue)
    handle = receive(sqs, queue)[0]["ReceiptHandle"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    code, _, message = error_of(
        sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=1
    )
    assert code == "InvalidParameterValue"
    assert message == (
        f"Value {handle} for parameter ReceiptHandle is invalid. "
        "Reason: Message does not exist or is not available for visibility timeout change."
    )


def test_visibility_of_a_message_that_is_visible_again(server: LiveServer, sqs: Any, queue: str, fifo: str) -> None:
    """A standard queue hides it again, a FIFO queue does not."""
    send(sqs, queue)
    handle = receive(sqs, queue, VisibilityTimeout=1)[0]["ReceiptHandle"]
    server.clock.advance(1)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=10)
    assert receive(sqs, queue) == []
    send(sqs, fifo, MessageGroupId="g", MessageDeduplicationId="1")
    handle = receive(sqs, fifo, VisibilityTimeout=1)[0]["ReceiptHandle"]
    server.clock.advance(1)
    with pytest.raises(sqs.exceptions.MessageNotInflight) as caught:
        sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=handle, VisibilityTimeout=1)
    assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.MessageNotInflight"


# --- batches ------------------------------------------------------------------------------------------------


def test_a_batch_sends_the_good_and_reports_the_bad(sqs: Any, queue: str) -> None:
    entries = [
        {"Id": "good-1", "MessageBody": "one"},
        {"Id": "late", "MessageBody": "two", "DelaySeconds": 1800},
        {
            "Id": "good_2",
            "MessageBody": "three",
            "MessageAttributes": {"k": {"DataType": "Number", "StringValue": "1"}},
        },
        {"Id": "bad", "MessageBody": "\x01"},
    ]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["good-1", "good_2"]
    assert [(e["Id"], e["Code"], e["SenderFault"]) for e in answer["Failed"]] == [
        ("late", "InvalidParameterValue", True),
        ("bad", "InvalidMessageContents", True),
    ]
    assert answer["Failed"][0]["Message"].startswith("Value 1800 for parameter DelaySeconds is invalid.")
    assert sorted(drain(sqs, queue)) == ["one", "three"]


@pytest.mark.parametrize("given", [{}, {"MessageBody": ""}], ids=["absent", "empty"])
def test_an_entry_without_a_body_fails_by_itself(server: LiveServer, protocol: str, queue: str, given: Any) -> None:
    sqs = server.client(protocol=protocol, config=UNCHECKED)
    answer = sqs.send_message_batch(
        QueueUrl=queue, Entries=[{"Id": "good", "MessageBody": "x"}, {"Id": "bad", **given}]
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert answer["Failed"] == [
        {
            "Id": "bad",
            "SenderFault": True,
            "Code": "MissingParameter",
            "Message": "The request must contain the parameter SendMessageBatchRequestEntry.2.MessageBody.",
        }
    ]
    sqs.close()


@pytest.mark.parametrize("operation", ["send_message_batch", "delete_message_batch", "change_message_visibility_batch"])
def test_a_batch_entry_without_an_id_fails_the_batch(
    server: LiveServer, protocol: str, queue: str, operation: str
) -> None:
    sqs = server.client(protocol=protocol, config=UNCHECKED)
    entry = {"MessageBody": "x"} if operation == "send_message_batch" else {"ReceiptHandle": "x"}
    code, _, message = error_of(getattr(sqs, operation), QueueUrl=queue, Entries=[{"Id": "1", **entry}, entry])
    assert code == "MissingParameter"
    assert message.startswith("The request must contain the parameter ")
    assert message.endswith("BatchRequestEntry.2.Id.")
    sqs.close()


def test_a_quiet_tenant_is_served_beside_a_noisy_one(sqs: Any, queue: str) -> None:
    for start in range(0, 300, 10):
        entries = [{"Id": str(n), "MessageBody": "noise", "MessageGroupId": "noisy"} for n in range(start, start + 10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    send(sqs, queue, "hello", MessageGroupId="quiet")
    assert "hello" in [message["Body"] for message in receive(sqs, queue, MaxNumberOfMessages=2)]


def test_a_whole_life_in_batches(sqs: Any, queue: str) -> None:
    entries = [{"Id": str(n), "MessageBody": f"body {n}"} for n in range(10)]
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert sent.get("Failed", []) == []
    found = receive(sqs, queue, MaxNumberOfMessages=10)
    while len(found) < 10:
        found += receive(sqs, queue, MaxNumberOfMessages=10)
    assert {m["MessageId"] for m in found} == {e["MessageId"] for e in sent["Successful"]}
    changes = [
        {"Id": str(n), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 60} for n, m in enumerate(found)
    ]
    changes[3]["VisibilityTimeout"] = 43_201
    changes[4]["ReceiptHandle"] = "junk"
    changed = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=changes)
    assert len(changed["Successful"]) == 8
    assert {e["Id"]: e["Code"] for e in changed["Failed"]} == {
        "3": "InvalidParameterValue",
        "4": "ReceiptHandleIsInvalid",
    }
    deletes = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(found)]
    deletes[0]["ReceiptHandle"] = "junk"
    deleted = sqs.delete_message_batch(QueueUrl=queue, Entries=deletes)
    assert len(deleted["Successful"]) == 9
    assert [(e["Id"], e["Code"]) for e in deleted["Failed"]] == [("0", "ReceiptHandleIsInvalid")]


@pytest.mark.parametrize("operation", ["send_message_batch", "delete_message_batch", "change_message_visibility_batch"])
def test_batches_that_fail_as_a_whole(sqs: Any, queue: str, operation: str) -> None:
    call = getattr(sqs, operation)
    common = {
        "send_message_batch": {"MessageBody": "x"},
        "delete_message_batch": {"ReceiptHandle": "x"},
        "change_message_visibility_batch": {"ReceiptHandle": "x", "VisibilityTimeout": 1},
    }[operation]

    def failing(*ids: str) -> tuple[str, str, str]:
        return error_of(call, QueueUrl=queue, Entries=[{"Id": each, **common} for each in ids])

    code, shape, message = failing()
    assert (code, shape) == ("AWS.SimpleQueueService.EmptyBatchRequest", "EmptyBatchRequest")
    assert message.startswith("There should be at least one ")
    code, shape, message = failing(*map(str, range(11)))
    assert (code, shape) == ("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "TooManyEntriesInBatchRequest")
    assert message == "Maximum number of entries per request are 10. You have sent 11."
    assert failing("a", "b", "a") == (
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "BatchEntryIdsNotDistinct",
        "Id a repeated.",
    )
    for bad in ("", "x" * 81, "invalid:id", "é"):
        code, shape, message = failing("a", bad)
        assert (code, shape) == ("AWS.SimpleQueueService.InvalidBatchEntryId", "InvalidBatchEntryId")
        assert message.startswith("A batch entry id can only contain alphanumeric characters, hyphens and underscores.")
    assert receive(sqs, queue) == []


def test_a_batch_has_the_size_limit_of_a_message(sqs: Any, queue: str) -> None:
    entries = [{"Id": "1", "MessageBody": "x" * 1_048_576}, {"Id": "2", "MessageBody": "x"}]
    assert error_of(sqs.send_message_batch, QueueUrl=queue, Entries=entries) == (
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
    )
    entries[0]["MessageBody"] = "x" * 1_048_575
    assert len(sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]) == 2


# --- FIFO ---------------------------------------------------------------------------------------------------


def test_a_group_is_received_in_order_and_blocked_while_in_flight(sqs: Any, fifo: str) -> None:
    for n in range(3):
        send(sqs, fifo, f"a{n}", MessageGroupId="a", MessageDeduplicationId=f"a{n}")
    send(sqs, fifo, "b0", MessageGroupId="b", MessageDeduplicationId="b0")
    found = receive(sqs, fifo, MaxNumberOfMessages=2, AttributeNames=["All"])
    assert [m["Body"] for m in found] == ["a0", "a1"]
    sequences = [m["Attributes"]["SequenceNumber"] for m in found]
    assert sequences == sorted(sequences)
    assert {len(s) for s in sequences} == {20}
    assert (found[0]["Attributes"]["MessageGroupId"], found[0]["Attributes"]["MessageDeduplicationId"]) == ("a", "a0")
    assert [m["Body"] for m in receive(sqs, fifo, MaxNumberOfMessages=10)] == ["b0"]
    for message in found:
        sqs.delete_message(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"])
    assert [m["Body"] for m in receive(sqs, fifo)] == ["a2"]


def test_a_duplicate_is_answered_like_the_original_and_not_stored(sqs: Any, server: LiveServer, fifo: str) -> None:
    first = send(sqs, fifo, "first", MessageGroupId="g", MessageDeduplicationId="d")
    again = send(sqs, fifo, "second", MessageGroupId="other", MessageDeduplicationId="d")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert again["MD5OfMessageBody"] == hashlib.md5(b"second").hexdigest()
    assert drain(sqs, fifo) == ["first"]
    assert send(sqs, fifo, "third", MessageGroupId="g", MessageDeduplicationId="d")["MessageId"] == first["MessageId"]
    assert drain(sqs, fifo) == []
    server.clock.advance(301)
    send(sqs, fifo, "fourth", MessageGroupId="g", MessageDeduplicationId="d")
    assert drain(sqs, fifo) == ["fourth"]


def test_content_based_deduplication_and_the_scope_of_a_group(sqs: Any, fifo: str) -> None:
    settings = {"ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup"}
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes=settings)
    for group in ("a", "a", "b"):
        send(sqs, fifo, "same", MessageGroupId=group)
    found = receive(sqs, fifo, MaxNumberOfMessages=10, AttributeNames=["All"])
    found += receive(sqs, fifo, MaxNumberOfMessages=10, AttributeNames=["All"])
    assert sorted(m["Attributes"]["MessageGroupId"] for m in found) == ["a", "b"]
    digest = hashlib.sha256(b"same").hexdigest()
    assert {m["Attributes"]["MessageDeduplicationId"] for m in found} == {digest}


def test_what_a_fifo_queue_requires(sqs: Any, fifo: str) -> None:
    needs_group = "The request must contain the parameter MessageGroupId."
    needs_id = (
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    )
    assert error_of(sqs.send_message, QueueUrl=fifo, MessageBody="x", MessageDeduplicationId="d") == (
        "MissingParameter",
        "MissingRequiredParameterException",
        needs_group,
    )
    invalid = ("InvalidParameterValue", "InvalidParameterValueException")
    assert error_of(sqs.send_message, QueueUrl=fifo, MessageBody="x", MessageGroupId="g") == (*invalid, needs_id)
    good = {"Id": "1", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    for missing, message in (("MessageGroupId", needs_group), ("MessageDeduplicationId", needs_id)):
        entries = [good, {n: v for n, v in {**good, "Id": "2"}.items() if n != missing}]
        assert error_of(sqs.send_message_batch, QueueUrl=fifo, Entries=entries) == (*invalid, message)
    delayed = {"QueueUrl": fifo, "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    assert error_of(sqs.send_message, **delayed, DelaySeconds=2)[2] == (
        "Value 2 for parameter DelaySeconds is invalid. "
        "Reason: The request include parameter that is not valid for this queue type."
    )
    assert receive(sqs, fifo) == []
    sqs.send_message(**delayed, DelaySeconds=0)


def test_an_expired_handle_of_a_fifo_queue(sqs: Any, server: LiveServer, fifo: str) -> None:
    send(sqs, fifo, MessageGroupId="g", MessageDeduplicationId="d")
    handle = receive(sqs, fifo, VisibilityTimeout=1)[0]["ReceiptHandle"]
    server.clock.advance(2)
    text = f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
    assert error_of(sqs.delete_message, QueueUrl=fifo, ReceiptHandle=handle) == (
        "InvalidParameterValue",
        "InvalidParameterValueException",
        text,
    )


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
