"""ReceiveRequestAttemptId: the answer to a receive from a FIFO queue, asked for again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.asking import attributes_of, error_of, receive
from tests.wire.live import LiveServer

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
COUNT = "ApproximateReceiveCount"


def send(sqs: Any, url: str, *bodies: str, group: str = "g") -> None:
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=body)


def attempt(sqs: Any, url: str, attempt_id: str = "try-1", **parameters: Any) -> list[dict[str, Any]]:
    return receive(
        sqs,
        url,
        MaxNumberOfMessages=10,
        ReceiveRequestAttemptId=attempt_id,
        MessageSystemAttributeNames=["All"],
        **parameters,
    )


def test_the_same_attempt_gets_the_same_answer(sqs: Any, fifo: str) -> None:
    """The same receipt handles and counts; other attempts get nothing of it."""
    send(sqs, fifo, "one", "two")
    first = attempt(sqs, fifo)
    assert [message["Body"] for message in first] == ["one", "two"]
    assert attempt(sqs, fifo) == first
    assert attempt(sqs, fifo, "try-2") == []
    assert {message["Attributes"][COUNT] for message in attempt(sqs, fifo)} == {"1"}
    assert attributes_of(sqs, fifo)["ApproximateNumberOfMessagesNotVisible"] == "2"


def test_an_attempt_begins_the_visibility_timeout_anew(server: LiveServer, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "one")
    first = attempt(sqs, fifo, VisibilityTimeout=100)
    server.clock.advance(90)
    assert attempt(sqs, fifo, VisibilityTimeout=100) == first
    server.clock.advance(90)
    assert receive(sqs, fifo) == []
    server.clock.advance(20)
    assert receive(sqs, fifo) != []


def test_an_attempt_is_known_for_five_minutes(server: LiveServer, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "one")
    first = attempt(sqs, fifo, VisibilityTimeout=1000)
    server.clock.advance(290)
    assert attempt(sqs, fifo, VisibilityTimeout=1000) == first
    server.clock.advance(15)
    assert attempt(sqs, fifo, VisibilityTimeout=1000) == []


@pytest.mark.parametrize("changed", ["deleted", "extended"])
def test_an_attempt_is_over_when_a_message_was_changed(sqs: Any, fifo: str, changed: str) -> None:
    send(sqs, fifo, "one", "two")
    first = attempt(sqs, fifo)
    handle = first[0]["ReceiptHandle"]
    if changed == "deleted":
        sqs.delete_message(QueueUrl=fifo, ReceiptHandle=handle)
    else:
        sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=handle, VisibilityTimeout=100)
    send(sqs, fifo, "other", group="h")
    assert [message["Body"] for message in attempt(sqs, fifo)] == ["other"]


def test_an_attempt_is_over_when_another_has_received_its_message(server: LiveServer, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "one")
    attempt(sqs, fifo, VisibilityTimeout=10)
    server.clock.advance(10)
    assert receive(sqs, fifo) != []
    assert attempt(sqs, fifo) == []


@pytest.mark.parametrize("attempt_id", ["x", "x" * 128, PUNCTUATION])
def test_what_an_attempt_may_be_called(sqs: Any, fifo: str, attempt_id: str) -> None:
    assert attempt(sqs, fifo, attempt_id) == []


@pytest.mark.parametrize("attempt_id", ["", "x" * 129, "a b", "é"])
def test_what_an_attempt_may_not_be_called(sqs: Any, fifo: str, attempt_id: str) -> None:
    code, _, message = error_of(sqs.receive_message, QueueUrl=fifo, ReceiveRequestAttemptId=attempt_id)
    assert code == "InvalidParameterValue"
    assert message.endswith("1 to 128 in length.")


def test_a_standard_queue_knows_no_attempts(sqs: Any, queue: str) -> None:
    code, _, message = error_of(sqs.receive_message, QueueUrl=queue, ReceiveRequestAttemptId="try-1")
    assert code == "InvalidParameterValue"
    assert message.endswith("not valid for this queue type.")
