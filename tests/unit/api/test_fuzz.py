"""Whatever is asked in either protocol, the answer is no internal failure, and the next request is answered."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from botocore.model import ServiceModel
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.reference import ReferenceEngine, wall_clock_ms
from tests.wire.query_model import query_model

from chappe.api.aws_frontend import AwsFrontend
from chappe.api.aws_messages import AwsRequest, AwsResponse
from chappe.broker.sqs import Sqs
from chappe.security.authenticator import Authenticator
from chappe.security.keys import KeyStore

MODEL = ServiceModel(query_model(), "sqs")
SERIALIZER = create_serializer("query", include_validation=False)
FORM = b"application/x-www-form-urlencoded"
URL = "http://localhost/000000000000/"
ARN = "arn:aws:sqs:us-east-1:000000000000:"

PLAUSIBLE: dict[str, list[Any]] = {
    "QueueUrl": [URL + "q", URL + "f.fifo", URL + "gone", "q", "/", ""],
    "QueueName": ["q", "new", "f.fifo", "n.fifo", ""],
    "SourceArn": [ARN + "q", ARN + "d", ARN + "gone", "arn:::::", ""],
    "DestinationArn": [ARN + "q", ARN + "f.fifo", "arn:aws:sns:x:y:z"],
    "AttributeNames": [["All"], ["QueueArn"], ["x"]],
    "MessageAttributeNames": [["All"], ["*"], [".*"], ["a.*"], [""]],
    "Attributes": [
        {"DelaySeconds": "5"},
        {"Policy": '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]}'},
        {"Policy": '{"Statement": [{"Sid": 5}]}'},
        {"RedrivePolicy": json.dumps({"deadLetterTargetArn": ARN + "d", "maxReceiveCount": 1})},
        {"RedrivePolicy": '{"deadLetterTargetArn": 5, "maxReceiveCount": []}'},
        {"RedriveAllowPolicy": '{"redrivePermission": "byQueue", "sourceQueueArns": [5]}'},
        {"FifoQueue": "true"},
    ],
    "Actions": [["SendMessage"], ["*"], [""]],
    "AWSAccountIds": [["000000000000"], [""]],
    "MessageGroupId": ["g", "", "x" * 129],
    "WaitTimeSeconds": [0, -1, 21],
    "NextToken": ["", "eA==", base64.b64encode(b"us-east-1:000000000000:q").decode()],
    "TaskHandle": [base64.b64encode(json.dumps({"taskId": "x", "sourceArn": ARN + "q"}).encode()).decode(), "e30="],
}
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["", "0", "true", "a" * 1025, "\ufffe"])
INT = st.sampled_from([-1, 0, 1, 10, 11, 900, 43_200, 2**31 - 1, -(2**31)])


def values(shape: Any, name: str = "") -> st.SearchStrategy[Any]:
    kind = shape.type_name
    if kind == "structure":
        members = {each: values(member, each) for each, member in shape.members.items()}
        found: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=members)
    elif kind == "list":
        found = st.lists(values(shape.member), max_size=12)
    elif kind == "map":
        found = st.dictionaries(TEXT, values(shape.value), max_size=3)
    elif kind == "blob":
        found = st.binary(max_size=8)
    else:
        found = INT if kind in ("integer", "long") else TEXT
    if name == "WaitTimeSeconds":
        return st.sampled_from(PLAUSIBLE[name])
    return st.sampled_from(PLAUSIBLE[name]) | found if name in PLAUSIBLE else found


REQUESTS = st.sampled_from(MODEL.operation_names).flatmap(
    lambda name: st.tuples(st.just(name), values(MODEL.operation_model(name).input_shape))
)


class Server:
    """A frontend over the reference engine, with a few queues and messages."""

    def __init__(self, folder: Path) -> None:
        self.engine = ReferenceEngine(wall_clock_ms)
        self.sqs = Sqs(self.engine, wall_clock_ms)
        authenticator = Authenticator(KeyStore(folder), wall_clock_ms, open_mode=True)
        self.frontend = AwsFrontend(self.sqs, authenticator, public_url="http://localhost")

    async def prepare(self) -> None:
        await self.json("CreateQueue", {"QueueName": "d"})
        policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": ARN + "d", "maxReceiveCount": 2})}
        await self.json("CreateQueue", {"QueueName": "q", "Attributes": policy})
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        await self.json("CreateQueue", {"QueueName": "f.fifo", "Attributes": fifo})
        attributes = {"a.b": {"DataType": "Binary", "BinaryValue": "AAE="}}
        for queue in ("q", "d"):
            await self.json("SendMessage", {"QueueUrl": queue, "MessageBody": "x", "MessageAttributes": attributes})
        await self.json("SendMessage", {"QueueUrl": "f.fifo", "MessageBody": "x", "MessageGroupId": "g"})

    async def json(self, operation: str, given_in: dict[str, Any]) -> AwsResponse:
        fields = {b"x-amz-target": f"AmazonSQS.{operation}".encode()}
        body = json.dumps(given_in, default=lambda value: base64.b64encode(value).decode()).encode()
        return await self.ask(fields, body)

    async def query(self, operation: str, given_in: dict[str, Any]) -> AwsResponse:
        request = SERIALIZER.serialize_to_request(given_in, MODEL.operation_model(operation))
        return await self.ask({b"content-type": FORM}, urlencode(request["body"]).encode())

    async def ask(self, fields: dict[bytes, bytes], body: bytes, path: bytes = b"/") -> AwsResponse:
        return await self.frontend.answer(AwsRequest(b"POST", path, b"", list(fields.items()), fields, body))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@settings(max_examples=300, deadline=None)
@given(requests=st.lists(REQUESTS, min_size=1, max_size=8), by_query=st.booleans())
def test_any_sequence_of_requests(
    runner: asyncio.Runner, tmp_path_factory: Any, requests: list[tuple[str, Any]], by_query: bool
) -> None:
    async def story() -> None:
        server = Server(tmp_path_factory.getbasetemp())
        await server.prepare()
        for operation, given_in in requests:
            response = await (server.query if by_query else server.json)(operation, given_in)
            assert response.status < 500, (operation, given_in, response.body)
            if by_query:
                ElementTree.fromstring(response.body)
            elif response.body:
                json.loads(response.body)
        assert (await server.json("ListQueues", {})).status == 200
        await server.sqs.stop()
        await server.engine.close()

    runner.run(story())


HEADERS = st.sampled_from(
    [
        {b"x-amz-target": b"AmazonSQS.SendMessage"},
        {b"x-amz-target": b"AmazonSQS.SendMessageBatch"},
        {b"x-amz-target": b"\xff"},
        {b"content-type": b"application/x-amz-json-1.0"},
        {b"content-type": FORM},
        {b"content-type": FORM, b"authorization": b"AWS4-HMAC-SHA256 Credential=a/b/c/sts/aws4_request"},
        {},
    ]
)
BODIES = st.binary(max_size=300) | st.text(
    st.sampled_from(list('{}[]":,ee1.\\u0 QueueUrlMessageBody&=%.123')), max_size=200
).map(str.encode)


@settings(max_examples=300, deadline=None)
@given(fields=HEADERS, body=BODIES | BODIES.map(lambda body: b"Action=SendMessage&" + body), path=st.sampled_from("/q"))
def test_any_bytes(runner: asyncio.Runner, tmp_path_factory: Any, fields: Any, body: bytes, path: str) -> None:
    async def story() -> None:
        server = Server(tmp_path_factory.getbasetemp())
        response = await server.ask(fields, body, path.encode())
        assert response.status < 500, response.body
        await server.engine.close()

    runner.run(story())
