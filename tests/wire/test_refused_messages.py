"""Messages and receives that are refused, and handles that name nothing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.asking import NewName, error_of, receive, send
from tests.wire.live import LiveServer

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
