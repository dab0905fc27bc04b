"""Wrong credentials get AWS's own errors; nothing is done for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.wire.live import LiveServer
from tests.wire.raw import RawClient, message, signed


def failure(client: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        client.create_queue(QueueName="never")
    client.close()
    response: dict[str, Any] = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    error: dict[str, Any] = response["Error"]
    return error


def test_a_wrong_secret(server: LiveServer, sqs: Any) -> None:
    error = failure(server.client(aws_secret_access_key="x" * 40))
    assert (error["Code"], error["QueryErrorCode"]) == ("SignatureDoesNotMatch", "InvalidSignatureException")
    assert error["Message"].startswith("The request signature we calculated does not match")
    assert sqs.list_queues(QueueNamePrefix="never").get("QueueUrls") is None


def test_an_unknown_key(server: LiveServer) -> None:
    error = failure(server.client(aws_access_key_id="AKIAUNKNOWN000000000"))
    assert (error["Code"], error["QueryErrorCode"]) == ("InvalidClientTokenId", "UnrecognizedClientException")
    assert error["Message"] == "The security token included in the request is invalid."


def test_a_session_token(server: LiveServer) -> None:
    error = failure(server.client(aws_session_token="left over from elsewhere"))
    assert error["QueryErrorCode"] == "UnrecognizedClientException"
    assert "unset AWS_SESSION_TOKEN" in error["Message"]


def test_no_signature(server: LiveServer) -> None:
    error = failure(server.client(config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})))
    assert (error["Code"], error["QueryErrorCode"]) == (
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
    )


@pytest.mark.parametrize(("minutes", "begins"), [(-16, "Signature expired: "), (16, "Signature not yet current: ")])
def test_a_date_out_of_the_window(server: LiveServer, queue: str, minutes: int, begins: str) -> None:
    with RawClient(server) as client:
        answer = client.ask(message(queue), at=datetime.now(UTC) + timedelta(minutes=minutes))
        assert (answer.status, answer.error) == (403, "InvalidSignatureException")
        assert answer.message.startswith(begins)
        assert answer.headers["x-amzn-query-error"] == "SignatureDoesNotMatch;Sender"
        assert client.ask(message(queue)).status == 200


def test_a_body_that_was_changed_on_the_way(server: LiveServer, queue: str) -> None:
    with RawClient(server) as client:
        client.send(signed(server, message(queue, "hello")).replace(b"hello", b"jello"))
        assert client.receive().error == "InvalidSignatureException"


def test_a_broken_authorization_header(server: LiveServer, queue: str) -> None:
    with RawClient(server) as client:
        client.send(signed(server, message(queue)).replace(b", Signature=", b", Sig="))
        answer = client.receive()
        assert (answer.status, answer.error) == (403, "IncompleteSignatureException")
        assert answer.headers["x-amzn-query-error"] == "IncompleteSignature;Sender"


def test_a_revoked_key_stops_working_while_the_server_runs(server: LiveServer) -> None:
    key = server.keys.create_access_key("for a while")
    client = server.client(aws_access_key_id=key.id, aws_secret_access_key=key.secret)
    client.list_queues()
    server.keys.revoke(key.id)
    assert failure(client)["Code"] == "InvalidClientTokenId"


def test_open_mode_accepts_any_credentials_and_takes_the_account_from_them(
    fresh_server: Callable[..., LiveServer],
) -> None:
    live = fresh_server(open_mode=True)
    made_up = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    one = boto3.client("sqs", endpoint_url=live.url, region_name="us-east-1", **made_up)
    assert one.create_queue(QueueName="q")["QueueUrl"] == f"{live.url}/000000000000/q"
    other = live.client(aws_access_key_id="111122223333", aws_secret_access_key="x")
    assert "QueueUrls" not in other.list_queues()
    url = other.create_queue(QueueName="q")["QueueUrl"]
    assert url == f"{live.url}/111122223333/q"
    unsigned = live.client(region_name="eu-west-1", config=Config(signature_version=UNSIGNED))
    assert "QueueUrls" not in unsigned.list_queues(QueueNamePrefix="z")
    assert unsigned.list_queues()["QueueUrls"] == one.list_queues()["QueueUrls"]
    for client in (one, other, unsigned):
        client.close()
