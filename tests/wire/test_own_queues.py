"""Queues of the server itself: seen, measured and redriven by SQS calls, and not to be broken by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.wire.asking import attributes_of, error_of, receive, send
from tests.wire.live import ACCOUNT, REGION, LiveServer

from chappe.engine.base import DeadLetterPolicy, QueueSettings

PREFIX = f"{REGION}:{ACCOUNT}:chappe-"
SETTINGS = QueueSettings(retention_ms=None, dead_letter=DeadLetterPolicy(f"{PREFIX}lane-dlq", 1000))
DENIED = ("AccessDenied", "AccessDeniedException")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("data"), own_prefix=PREFIX).start()
    live.run(live.engine.create_queue(f"{PREFIX}lane-dlq", QueueSettings()))
    live.run(live.engine.create_queue(f"{PREFIX}lane", SETTINGS))
    yield live
    live.stop()


@pytest.fixture
def lane(sqs: Any) -> str:
    url: str = sqs.get_queue_url(QueueName="chappe-lane")["QueueUrl"]
    return url


CHANGES: dict[str, dict[str, Any]] = {
    "delete_queue": {},
    "purge_queue": {},
    "set_queue_attributes": {"Attributes": {"VisibilityTimeout": "1"}},
    "tag_queue": {"Tags": {"team": "x"}},
    "untag_queue": {"TagKeys": ["team"]},
    "add_permission": {"Label": "x", "AWSAccountIds": [ACCOUNT], "Actions": ["SendMessage"]},
    "remove_permission": {"Label": "x"},
}


@pytest.mark.parametrize("operation", CHANGES)
def test_what_would_break_it_is_refused(server: LiveServer, sqs: Any, lane: str, operation: str) -> None:
    send(sqs, lane, "kept")
    code, shape, message = error_of(getattr(sqs, operation), QueueUrl=lane, **CHANGES[operation])
    assert (code, shape) == DENIED
    assert f"arn:aws:sqs:{REGION}:{ACCOUNT}:chappe-lane " in message
    assert server.run(server.engine.get_queue(f"{PREFIX}lane")).settings == SETTINGS
    (found,) = receive(sqs, lane)
    sqs.delete_message(QueueUrl=lane, ReceiptHandle=found["ReceiptHandle"])


def test_no_other_is_created(sqs: Any, lane: str) -> None:
    assert error_of(sqs.create_queue, QueueName="chappe-another")[:2] == DENIED
    assert sqs.create_queue(QueueName="chappe-lane")["QueueUrl"] == lane
    assert (
        error_of(sqs.create_queue, QueueName="chappe-lane", Attributes={"DelaySeconds": "7"})[0] == "QueueAlreadyExists"
    )


def test_it_is_listed_by_its_prefix_and_not_among_those_a_caller_created(sqs: Any, lane: str) -> None:
    created = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("a", "chappe", "z-1", "z-2")]
    assert sqs.list_queues()["QueueUrls"] == created
    assert sqs.list_queues(QueueNamePrefix="chappe")["QueueUrls"] == created[1:2]
    assert sqs.list_queues(QueueNamePrefix="chappe-")["QueueUrls"] == [lane, lane + "-dlq"]
    pages = list(sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 2}))
    assert [page["QueueUrls"] for page in pages] == [created[:2], created[2:]]
    for url in created:
        sqs.delete_queue(QueueUrl=url)


def test_it_is_seen_and_redriven(sqs: Any, lane: str) -> None:
    assert lane in sqs.list_queues(QueueNamePrefix="chappe-")["QueueUrls"]
    assert attributes_of(sqs, lane)["ApproximateNumberOfMessages"] == "0"
    dead = sqs.get_queue_url(QueueName="chappe-lane-dlq")["QueueUrl"]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [lane]
    assert sqs.start_message_move_task(SourceArn=attributes_of(sqs, dead)["QueueArn"])["TaskHandle"]


def test_the_same_name_in_another_region_is_anybodys(server: LiveServer, protocol: str) -> None:
    there = server.client(protocol=protocol, region_name="us-west-2")
    url = there.create_queue(QueueName="chappe-lane")["QueueUrl"]
    there.delete_queue(QueueUrl=url)
    there.close()
