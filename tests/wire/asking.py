"""What the tests ask of a queue through boto3, and how they read refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.wire.query_model import ERRORS, SHAPE_OF_CODE

NewName = Callable[..., str]
STATUS = {shape: status for shape, (_, status) in ERRORS.items()} | {"AccessDeniedException": 403}


def error_of(call: Callable[..., Any], **parameters: Any) -> tuple[str, str, str]:
    """The code, the shape and the message of the error a call gives, as they are in the JSON protocol."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    error = response["Error"]
    code, message = error["Code"], error["Message"]
    assert error["Type"] == "Sender"
    if "QueryErrorCode" in error:
        shape = error["QueryErrorCode"]
    else:
        shape = SHAPE_OF_CODE.get(code, code)
        if shape == "QueueDoesNotExist":
            assert message == "The specified queue does not exist for this wsdl version."
            message = "The specified queue does not exist."
    assert response["ResponseMetadata"]["HTTPStatusCode"] == STATUS.get(shape, 400)
    return code, shape, message


def attributes_of(sqs: Any, url: str, *names: str) -> dict[str, str]:
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names or ("All",)))["Attributes"]
    return found


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
