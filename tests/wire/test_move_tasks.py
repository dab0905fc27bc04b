"""Moving dead letters back where they came from."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.wire.asking import NewName, attributes_of, drain, error_of, receive, send
from tests.wire.live import ACCOUNT, GIVE_UP_SECONDS, REGION, LiveServer

INVALID = ("InvalidParameterValue", "InvalidParameterValueException")
NOT_FOUND = ("ResourceNotFoundException", "ResourceNotFoundException")
NOWHERE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:nowhere"


def arn_of(sqs: Any, url: str) -> str:
    return attributes_of(sqs, url, "QueueArn")["QueueArn"]


class Pipe:
    """A queue whose messages have fallen into its dead-letter queue."""

    def __init__(self, sqs: Any, server: LiveServer, new_name: NewName, *, fifo: bool = False) -> None:
        self._sqs = sqs
        self._server = server
        suffix, kind = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        self.dead = sqs.create_queue(QueueName=new_name(suffix), Attributes=kind)["QueueUrl"]
        self.dead_arn = arn_of(sqs, self.dead)
        policy = json.dumps({"deadLetterTargetArn": self.dead_arn, "maxReceiveCount": 1})
        self.source = sqs.create_queue(QueueName=new_name(suffix), Attributes={**kind, "RedrivePolicy": policy})[
            "QueueUrl"
        ]

    def drop(self, *bodies: str, **parameters: Any) -> None:
        """Send these and receive them too often."""
        for body in bodies:
            unique = {"MessageDeduplicationId": body} if parameters else {}
            send(self._sqs, self.source, body, **parameters, **unique)
        self.fall(len(bodies))

    def fall(self, count: int) -> None:
        """Receive what is in the queue until so many messages have fallen."""
        eventually(lambda: not receive(self._sqs, self.source, VisibilityTimeout=0) and self.waiting() == count)

    def waiting(self) -> int:
        counts = attributes_of(self._sqs, self.dead, "ApproximateNumberOfMessages")
        return int(counts["ApproximateNumberOfMessages"])


def eventually(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + GIVE_UP_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def newest(sqs: Any, arn: str) -> dict[str, Any]:
    task: dict[str, Any] = sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]
    return task


def ended(sqs: Any, arn: str) -> dict[str, Any]:
    eventually(lambda: newest(sqs, arn)["Status"] not in ("RUNNING", "CANCELLING"))
    return newest(sqs, arn)


@pytest.fixture
def pipe(sqs: Any, server: LiveServer, new_name: NewName) -> Pipe:
    return Pipe(sqs, server, new_name)


@pytest.fixture
def slow(pipe: Pipe, sqs: Any, queue: str) -> tuple[str, str]:
    """A task that takes its time: its handle, and where it moves to."""
    pipe.drop(*(f"m{n}" for n in range(20)))
    started = sqs.start_message_move_task(
        SourceArn=pipe.dead_arn, DestinationArn=arn_of(sqs, queue), MaxNumberOfMessagesPerSecond=1
    )
    return started["TaskHandle"], queue


def test_messages_are_moved_to_the_queue_that_was_named(sqs: Any, server: LiveServer, pipe: Pipe, queue: str) -> None:
    attribute = {"k": {"DataType": "Number", "StringValue": "7"}}
    sent = send(sqs, pipe.source, "with attribute", MessageAttributes=attribute)
    for body in ("one", "two"):
        send(sqs, pipe.source, body)
    pipe.fall(3)
    before = server.clock()
    assert "Results" not in sqs.list_message_move_tasks(SourceArn=pipe.dead_arn)
    handle = sqs.start_message_move_task(SourceArn=pipe.dead_arn, DestinationArn=arn_of(sqs, queue))["TaskHandle"]
    named = json.loads(base64.b64decode(handle))
    assert named["sourceArn"] == pipe.dead_arn
    assert len(named["taskId"]) == 36
    task = ended(sqs, pipe.dead_arn)
    assert before <= task.pop("StartedTimestamp") <= server.clock()
    assert task == {
        "Status": "COMPLETED",
        "SourceArn": pipe.dead_arn,
        "DestinationArn": arn_of(sqs, queue),
        "ApproximateNumberOfMessagesMoved": 3,
        "ApproximateNumberOfMessagesToMove": 3,
    }
    found = []
    while len(found) < 3:
        found += receive(sqs, queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"])
    assert sorted(m["Body"] for m in found) == ["one", "two", "with attribute"]
    (first,) = (m for m in found if m["Body"] == "with attribute")
    assert first["MessageAttributes"] == attribute
    assert first["MessageId"] != sent["MessageId"]
    assert int(first["Attributes"]["SentTimestamp"]) >= before
    assert "DeadLetterQueueSourceArn" not in first["Attributes"]
    assert first["Attributes"]["ApproximateReceiveCount"] == "1"
    assert receive(sqs, pipe.dead) == []


def test_messages_go_back_to_where_each_came_from(sqs: Any, pipe: Pipe, new_name: NewName) -> None:
    policy = json.dumps({"deadLetterTargetArn": pipe.dead_arn, "maxReceiveCount": 1})
    other = sqs.create_queue(QueueName=new_name(), Attributes={"RedrivePolicy": policy})["QueueUrl"]
    for url, bodies in ((pipe.source, ["a", "b"]), (other, ["c"])):
        for body in bodies:
            send(sqs, url, body)
        for _ in bodies:
            receive(sqs, url, VisibilityTimeout=0)
        assert receive(sqs, url) == []
    eventually(lambda: pipe.waiting() == 3)
    sqs.start_message_move_task(SourceArn=pipe.dead_arn)
    task = ended(sqs, pipe.dead_arn)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    assert "DestinationArn" not in task
    assert sorted(drain(sqs, pipe.source)) == ["a", "b"]
    assert drain(sqs, other) == ["c"]


def test_a_moved_message_may_fall_and_be_moved_again(sqs: Any, server: LiveServer, new_name: NewName) -> None:
    pipe = Pipe(sqs, server, new_name, fifo=True)
    pipe.drop("x", MessageGroupId="g")
    for _ in range(2):
        sqs.start_message_move_task(SourceArn=pipe.dead_arn)
        assert ended(sqs, pipe.dead_arn)["ApproximateNumberOfMessagesMoved"] == 1
        pipe.fall(1)


def test_a_group_keeps_its_order(sqs: Any, server: LiveServer, new_name: NewName) -> None:
    pipe = Pipe(sqs, server, new_name, fifo=True)
    bodies = [f"{n:02}" for n in range(25)]
    for body in bodies:
        send(sqs, pipe.source, body, MessageGroupId="g", MessageDeduplicationId=body)
    pipe.fall(len(bodies))
    sqs.start_message_move_task(SourceArn=pipe.dead_arn)
    assert ended(sqs, pipe.dead_arn)["Status"] == "COMPLETED"
    assert drain(sqs, pipe.source) == bodies


def test_a_task_is_watched_and_cancelled(sqs: Any, pipe: Pipe, slow: tuple[str, str]) -> None:
    handle, queue = slow
    eventually(lambda: newest(sqs, pipe.dead_arn)["ApproximateNumberOfMessagesMoved"] > 0)
    running = newest(sqs, pipe.dead_arn)
    assert (running["Status"], running["TaskHandle"]) == ("RUNNING", handle)
    assert (running["MaxNumberOfMessagesPerSecond"], running["ApproximateNumberOfMessagesToMove"]) == (1, 20)
    second = error_of(sqs.start_message_move_task, SourceArn=pipe.dead_arn)
    assert second == (
        *INVALID,
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
    )
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] >= 1
    cancelled = ended(sqs, pipe.dead_arn)
    assert cancelled["Status"] == "CANCELLED"
    assert "TaskHandle" not in cancelled
    moved = drain(sqs, queue)
    assert len(moved) == cancelled["ApproximateNumberOfMessagesMoved"]
    assert len(drain(sqs, pipe.dead)) == 20 - len(moved)
    again = error_of(sqs.cancel_message_move_task, TaskHandle=handle)
    assert again == (*NOT_FOUND, "Task does not exist.")


def test_a_task_fails_when_its_destination_is_deleted(sqs: Any, pipe: Pipe, slow: tuple[str, str]) -> None:
    sqs.delete_queue(QueueUrl=slow[1])
    failed = ended(sqs, pipe.dead_arn)
    assert (failed["Status"], failed["FailureReason"]) == ("FAILED", "AWS.SimpleQueueService.NonExistentQueue")
    assert pipe.waiting() == 20 - failed["ApproximateNumberOfMessagesMoved"]


def test_a_task_ends_with_the_queue_it_moves_from(
    sqs: Any, pipe: Pipe, slow: tuple[str, str], new_name: NewName
) -> None:
    sqs.delete_queue(QueueUrl=pipe.dead)
    missing = "The resource that you specified for the SourceArn parameter doesn't exist."
    assert error_of(sqs.list_message_move_tasks, SourceArn=pipe.dead_arn) == (*NOT_FOUND, missing)
    assert error_of(sqs.cancel_message_move_task, TaskHandle=slow[0]) == (*NOT_FOUND, missing)
    sqs.create_queue(QueueName=pipe.dead.rpartition("/")[2])
    assert "Results" not in sqs.list_message_move_tasks(SourceArn=pipe.dead_arn)
    assert error_of(sqs.cancel_message_move_task, TaskHandle=slow[0]) == (*NOT_FOUND, "Task does not exist.")


def test_a_message_without_an_origin_fails_the_task(sqs: Any, pipe: Pipe) -> None:
    send(sqs, pipe.dead, "sent here directly")
    sqs.start_message_move_task(SourceArn=pipe.dead_arn)
    failed = ended(sqs, pipe.dead_arn)
    assert (failed["Status"], failed["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert drain(sqs, pipe.dead) == ["sent here directly"]


def test_the_last_ten_tasks_are_listed_newest_first(sqs: Any, server: LiveServer, pipe: Pipe) -> None:
    for _ in range(11):
        server.clock.advance(1)
        sqs.start_message_move_task(SourceArn=pipe.dead_arn)
        assert ended(sqs, pipe.dead_arn)["ApproximateNumberOfMessagesMoved"] == 0
    listed = sqs.list_message_move_tasks(SourceArn=pipe.dead_arn, MaxResults=10)["Results"]
    times = [task["StartedTimestamp"] for task in listed]
    assert len(times) == 10
    assert times == sorted(times, reverse=True)
    assert len(sqs.list_message_move_tasks(SourceArn=pipe.dead_arn)["Results"]) == 1
    for limit in (0, 11):
        assert error_of(sqs.list_message_move_tasks, SourceArn=pipe.dead_arn, MaxResults=limit) == (
            *INVALID,
            f"Value {limit} for parameter MaxResults is invalid. Reason: Must be between 1 and 10, if provided.",
        )


def test_tasks_that_cannot_be_started(sqs: Any, server: LiveServer, pipe: Pipe, queue: str, fifo: str) -> None:
    source = {"SourceArn": pipe.dead_arn}
    missing = "The resource that you specified for the {} parameter doesn't exist."
    form = "You must use this format to specify the {}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
    rate = "Value {} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and 500"
    rate += ", if provided."
    for given, expected in (
        ({"SourceArn": NOWHERE}, (*NOT_FOUND, missing.format("SourceArn"))),
        ({"SourceArn": pipe.dead_arn.replace(REGION, "us-east-1")}, (*NOT_FOUND, missing.format("SourceArn"))),
        ({"SourceArn": "junk"}, (*INVALID, form.format("SourceArn"))),
        (
            {"SourceArn": arn_of(sqs, queue)},
            (*INVALID, "Source queue must be configured as a Dead Letter Queue."),
        ),
        ({**source, "DestinationArn": NOWHERE}, (*NOT_FOUND, missing.format("DestinationArn"))),
        ({**source, "DestinationArn": "junk"}, (*INVALID, form.format("DestinationArn"))),
        (
            {**source, "DestinationArn": pipe.dead_arn},
            (*INVALID, "Source queue and destination queue must not be the same."),
        ),
        (
            {**source, "DestinationArn": arn_of(sqs, fifo)},
            (*INVALID, "Source queue and destination queue must be of the same type."),
        ),
        ({**source, "MaxNumberOfMessagesPerSecond": 0}, (*INVALID, rate.format(0))),
        ({**source, "MaxNumberOfMessagesPerSecond": 501}, (*INVALID, rate.format(501))),
    ):
        assert error_of(sqs.start_message_move_task, **given) == expected
    assert "Results" not in sqs.list_message_move_tasks(SourceArn=pipe.dead_arn)
    sqs.start_message_move_task(**source, MaxNumberOfMessagesPerSecond=500)


@pytest.mark.parametrize("handle", ["foobared", "", "é", base64.b64encode(b"{}").decode(), "W10="])
def test_what_is_no_task_handle(sqs: Any, handle: str) -> None:
    code, shape, message = error_of(sqs.cancel_message_move_task, TaskHandle=handle)
    assert (code, shape, message) == (*INVALID, "Value for parameter TaskHandle is invalid.")


def test_the_handle_of_a_task_that_never_was(sqs: Any, pipe: Pipe) -> None:
    def handle(arn: str) -> str:
        named = {"taskId": "10f57157-fc38-4da9-a113-4de7e12d05aa", "sourceArn": arn}
        return base64.b64encode(json.dumps(named).encode()).decode()

    cancel = sqs.cancel_message_move_task
    assert error_of(cancel, TaskHandle=handle(pipe.dead_arn)) == (*NOT_FOUND, "Task does not exist.")
    missing = "The resource that you specified for the SourceArn parameter doesn't exist."
    assert error_of(cancel, TaskHandle=handle(NOWHERE)) == (*NOT_FOUND, missing)


def test_tasks_of_another_account(sqs: Any, server: LiveServer, protocol: str, pipe: Pipe) -> None:
    other = server.keys.create_access_key("other", account="999999999999")
    theirs = server.client(protocol=protocol, aws_access_key_id=other.id, aws_secret_access_key=other.secret)
    assert error_of(theirs.start_message_move_task, SourceArn=pipe.dead_arn)[0] == "AccessDenied"
    for arn in (pipe.dead_arn, NOWHERE):
        assert error_of(theirs.list_message_move_tasks, SourceArn=arn)[0] == "AccessDenied"
    theirs.close()


def test_a_task_goes_on_after_a_restart(tmp_path: Path, new_name: NewName) -> None:
    first = LiveServer(tmp_path).start()
    sqs = first.client()
    pipe = Pipe(sqs, first, new_name)
    pipe.drop("a", "b", "c")
    sqs.start_message_move_task(SourceArn=pipe.dead_arn, MaxNumberOfMessagesPerSecond=1)
    eventually(lambda: newest(sqs, pipe.dead_arn)["ApproximateNumberOfMessagesMoved"] == 1)
    sqs.close()
    first.stop()
    second = LiveServer(tmp_path).start()
    sqs = second.client()
    done = ended(sqs, pipe.dead_arn)
    assert (done["Status"], done["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    source = sqs.get_queue_url(QueueName=pipe.source.rpartition("/")[2])["QueueUrl"]
    assert sorted(drain(sqs, source)) == ["a", "b", "c"]
    sqs.close()
    second.stop()
