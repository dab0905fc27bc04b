"""The frontend without a socket: failures inside, receivers that left, and how errors look."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.model.reference import ReferenceEngine

from chappe.api.aws_errors import aws_error
from chappe.api.aws_frontend import AwsFrontend
from chappe.api.aws_messages import AwsRequest, AwsResponse
from chappe.broker import errors as sqs_errors
from chappe.broker.error_codes import ERROR_NAMES
from chappe.broker.sqs import Sqs
from chappe.model.errors import ChappeError, Closed, StorageFailed, StorageFull
from chappe.security import errors as credential_errors
from chappe.security.authenticator import Authenticator
from chappe.security.keys import KeyStore


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Engine(ReferenceEngine):
    """The reference engine, with a failure to be raised by the next send."""

    failure: Exception | None = None

    async def send(self, *args: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        return await super().send(*args)


class Work:
    def __init__(self, folder: Path, public_url: str | None = "https://queues.example/") -> None:
        self.engine = Engine(now_ms)
        authenticator = Authenticator(KeyStore(folder), now_ms, open_mode=True)
        self.frontend = AwsFrontend(Sqs(self.engine, now_ms), authenticator, public_url=public_url)

    async def ask(
        self, operation: str, *, abandoned: bool = False, host: bytes = b"localhost", **members: object
    ) -> AwsResponse:
        fields = {b"x-amz-target": f"AmazonSQS.{operation}".encode(), b"host": host}
        request = AwsRequest(b"POST", b"/", b"", list(fields.items()), fields, json.dumps(members).encode())
        request.abandoned = abandoned
        return await self.frontend.answer(request)


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Work]:
    work = Work(tmp_path)
    response = await work.ask("CreateQueue", QueueName="q")
    assert json.loads(response.body) == {"QueueUrl": "https://queues.example/000000000000/q"}
    yield work
    await work.engine.close()


async def test_a_defect_is_an_internal_failure_that_tells_nothing_and_is_logged(work: Work) -> None:
    work.engine.failure = ZeroDivisionError("secret detail")
    with capture_logs() as logs:
        response = await work.ask("SendMessage", QueueUrl="q", MessageBody="x")
    assert response.status == 500
    assert json.loads(response.body)["__type"] == "com.amazon.coral.service#InternalFailure"
    assert b"secret detail" not in response.body
    assert response.query_error == b"InternalFailure;Receiver"
    assert [(log["event"], log["request_id"]) for log in logs] == [("aws_request_failed", response.request_id.decode())]
    work.engine.failure = None
    assert (await work.ask("SendMessage", QueueUrl="q", MessageBody="x")).status == 200


@pytest.mark.parametrize("failure", [StorageFull("no room"), StorageFailed("no commit"), Closed("stopping")])
async def test_what_may_succeed_later_is_a_503_that_sdks_try_again(work: Work, failure: ChappeError) -> None:
    work.engine.failure = failure
    response = await work.ask("SendMessage", QueueUrl="q", MessageBody="x")
    assert response.status == 503
    assert json.loads(response.body) == {
        "__type": "com.amazon.coral.service#ServiceUnavailable",
        "message": failure.message,
    }
    assert response.query_error == b"ServiceUnavailable;Receiver"


@pytest.mark.parametrize("host", [b"evil.example/path?", b"a b", b"<script>", b"\xff", b""])
async def test_a_strange_host_is_not_repeated(tmp_path: Path, host: bytes) -> None:
    work = Work(tmp_path, public_url=None)
    response = await work.ask("CreateQueue", host=host, QueueName="q")
    assert json.loads(response.body)["QueueUrl"] == "http://localhost/000000000000/q"
    await work.engine.close()


async def test_messages_for_a_receiver_who_has_left_are_given_back(work: Work) -> None:
    await work.ask("SendMessage", QueueUrl="q", MessageBody="x")
    lost = await work.ask("ReceiveMessage", QueueUrl="q", abandoned=True)
    assert b'"Messages"' in lost.body
    found = await work.ask("ReceiveMessage", QueueUrl="q")
    assert json.loads(found.body)["Messages"][0]["Body"] == "x"


async def test_after_stopping_nobody_waits(work: Work) -> None:
    work.frontend.stop_waiting()
    response = await work.ask("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=20)
    assert (response.status, response.body) == (200, b"{}")


def subclasses(cls: type[ChappeError]) -> set[type[ChappeError]]:
    return {cls}.union(*(subclasses(each) for each in cls.__subclasses__()))


def test_no_error_of_the_broker_or_of_credentials_is_an_internal_failure() -> None:
    for module in (sqs_errors, credential_errors):
        for error in vars(module).values():
            if isinstance(error, type) and error.__module__ == module.__name__:
                described = aws_error(error("text"))
                assert described.status in (400, 403, 404), error
                assert described.message == "text"
                assert described.query_code


def test_every_error_has_a_code_of_its_own() -> None:
    codes: dict[str, type[ChappeError]] = {}
    for error in subclasses(ChappeError):
        if error.__module__.startswith("chappe.") and "code" in vars(error):
            assert codes.setdefault(error.code, error) is error


def test_the_names_of_errors_are_those_of_the_service_model() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("sqs")
    known = {shape for shape in model.shape_names if getattr(model.shape_for(shape), "metadata", {}).get("exception")}
    beyond_the_model = {
        "InvalidParameterValueException",
        "MissingRequiredParameterException",
        "AccessDeniedException",
        "ServiceUnavailable",
    }
    assert {name.shape for name in ERROR_NAMES.values()} - beyond_the_model <= known
