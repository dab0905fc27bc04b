"""The extended client for large payloads: bodies in S3, pointers to them in messages."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.wire.live import GIVE_UP_SECONDS

if find_spec("sqs_extended_client") is None:  # not imported: it would replace boto3's session for every other test
    pytest.skip("amazon-sqs-extended-client is not installed", allow_module_level=True)
if find_spec("moto") is None or find_spec("flask") is None:
    pytest.skip("moto's server, which stands for S3, is not installed", allow_module_level=True)

PROGRAM = """
import boto3
import sqs_extended_client
from moto.server import ThreadedMotoServer

bucket_server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
bucket_server.start()
host, port = bucket_server.get_host_and_port()
s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
s3.create_bucket(Bucket="payloads", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
sqs = boto3.client("sqs")
sqs.large_payload_support = "payloads"
sqs.s3_client = s3
url = sqs.create_queue(QueueName="large")["QueueUrl"]

large = "x" * 2_000_000
sqs.send_message(QueueUrl=url, MessageBody=large)
(found,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=5)["Messages"]
assert found["Body"] == large
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"], VisibilityTimeout=60)
assert s3.list_objects_v2(Bucket="payloads")["KeyCount"] == 1
sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])

entries = [{"Id": "a", "MessageBody": large}, {"Id": "b", "MessageBody": "small"}]
assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 2
bodies = set()
while len(bodies) < 2:
    for message in sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=5)["Messages"]:
        bodies.add(message["Body"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
assert bodies == {large, "small"}
bucket_server.stop()
print("done")
"""


def test_large_bodies_go_through_s3(tmp_path: Path, environment: dict[str, str]) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * GIVE_UP_SECONDS,
    )
    assert done.stdout.endswith("done\n"), done.stderr[-3000:]
