"""The pipeline's queues through boto3: seen, measured, and redriven."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx
from tests.acceptance.pipeline.serving import PATIENCE_SECONDS, Server

LANE = "chappe-transactional-email"
DEAD = LANE + "-dlq"


def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds; what it gave."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_a_dead_letter_is_seen_and_moved_back_with_sqs_calls(server: Server) -> None:
    server.start()
    keys = server.credentials
    sqs = boto3.client(
        "sqs",
        endpoint_url=server.url,
        region_name=keys["AWS_DEFAULT_REGION"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )
    urls = sqs.list_queues(QueueNamePrefix="chappe-")["QueueUrls"]
    assert {"chappe-intake-promotional", LANE, DEAD} <= {url.rpartition("/")[2] for url in urls}

    message = {
        "to": {"email": "fail+temporary@example.com"},
        "purpose": "transactional",
        "content": {"text": "hello"},
    }
    http = httpx.Client(base_url=server.url, headers=server.headers, timeout=60)
    taken = http.post("/v1/messages", json=message).raise_for_status().json()

    def attempts() -> int:
        return int(http.get(f"/v1/messages/{taken['id']}").raise_for_status().json()["attempts"])

    def status() -> str:
        return str(http.get(f"/v1/messages/{taken['id']}").raise_for_status().json()["status"])

    eventually(lambda: status() == "failed")
    dead, lane = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in (DEAD, LANE))

    def arn_and_count(url: str) -> tuple[str, str]:
        names = ["QueueArn", "ApproximateNumberOfMessages"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return attributes["QueueArn"], attributes["ApproximateNumberOfMessages"]

    dead_arn, count = arn_and_count(dead)
    assert count == "1"
    (letter,) = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0)["Messages"]
    assert json.loads(letter["Body"])["message"]["id"] == taken["id"]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [lane]

    before = attempts()
    sqs.start_message_move_task(SourceArn=dead_arn)
    eventually(lambda: attempts() > before)
    eventually(lambda: status() == "failed")
    eventually(lambda: arn_and_count(dead)[1] == "1")
    http.close()
    assert server.end(signal.SIGTERM) == 0
