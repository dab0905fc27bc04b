"""FIFO queues: groups, duplicates, and what they require."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tests.wire.asking import drain, error_of, receive, send
from tests.wire.live import LiveServer


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


@pytest.mark.parametrize(("visible", "received"), [([], []), ([0], ["a"]), ([0, 1], ["a", "b"]), ([1, 2], [])])
def test_a_group_is_received_up_to_the_first_message_in_flight(
    sqs: Any, fifo: str, visible: list[int], received: list[str]
) -> None:
    for body in ("a", "b", "c"):
        send(sqs, fifo, body, MessageGroupId="g", MessageDeduplicationId=body)
    found = receive(sqs, fifo, MaxNumberOfMessages=10)
    assert [m["Body"] for m in found] == ["a", "b", "c"]
    for number in visible:
        handle = found[number]["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=handle, VisibilityTimeout=0)
    assert [m["Body"] for m in receive(sqs, fifo, MaxNumberOfMessages=10)] == received


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
