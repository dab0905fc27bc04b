"""Batches: each entry by itself, and what fails them as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from tests.wire.asking import drain, error_of, receive, send
from tests.wire.live import LiveServer

UNCHECKED = Config(retries={"total_max_attempts": 1}, parameter_validation=False)


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


def test_an_entry_that_is_too_long_for_the_queue_fails_by_itself(sqs: Any, queue: str) -> None:
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    entries = [{"Id": "long", "MessageBody": "x" * 1025}, {"Id": "fits", "MessageBody": "x" * 1024}]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["fits"]
    text = "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
    assert answer["Failed"] == [{"Id": "long", "SenderFault": True, "Code": "InvalidParameterValue", "Message": text}]


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
    assert "Failed" not in sent
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
    assert "Failed" not in sqs.change_message_visibility_batch(QueueUrl=queue, Entries=changes[:2])
    deletes = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(found)]
    assert "Failed" not in sqs.delete_message_batch(QueueUrl=queue, Entries=deletes[1:2])
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
