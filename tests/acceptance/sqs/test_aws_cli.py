"""The AWS command line, as a user would type it.

Version 1 has an address of its own for SQS and reads AWS_ENDPOINT_URL only for other services, so that it must be told
with `--endpoint-url`. Version 2 needs no telling.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.wire.live import ACCOUNT, LiveServer

if find_spec("awscli") is None:
    pytest.skip("the AWS command line is not installed", allow_module_level=True)

Aws = Callable[..., Any]


@pytest.fixture
def aws(environment: dict[str, str]) -> Aws:
    command = Path(sys.executable).parent / "aws"

    def run(*arguments: str, fails: bool = False) -> Any:
        done = subprocess.run(
            [sys.executable, str(command), "--endpoint-url", environment["AWS_ENDPOINT_URL"], *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else json.loads(done.stdout or "null")

    return run


def test_the_life_of_a_message(aws: Aws, server: LiveServer) -> None:
    assert aws("sts", "get-caller-identity")["Account"] == ACCOUNT
    attributes = json.dumps({"VisibilityTimeout": "45"})
    url = aws("sqs", "create-queue", "--queue-name", "cli", "--attributes", attributes, "--tags", "team=a")["QueueUrl"]
    assert aws("sqs", "list-queue-tags", "--queue-url", url)["Tags"] == {"team": "a"}
    sent = aws("sqs", "send-message", "--queue-url", url, "--message-body", "from the shell")
    (found,) = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "5")["Messages"]
    assert (found["Body"], found["MessageId"]) == ("from the shell", sent["MessageId"])
    assert aws("sqs", "delete-message", "--queue-url", url, "--receipt-handle", found["ReceiptHandle"]) is None
    told = aws("sqs", "get-queue-url", "--queue-name", "nowhere", fails=True)
    assert "(AWS.SimpleQueueService.NonExistentQueue)" in told
    assert "The specified queue does not exist." in told
