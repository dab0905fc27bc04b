"""Whatever arrives, the answer says what was wrong, it is never a 500, and the server stays up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.wire.live import LiveServer
from tests.wire.raw import JSON, Answer, RawClient, message

MIB = 1_048_576


@pytest.fixture(scope="module")
def protocol() -> str:
    """The requests here are written by hand, in JSON."""
    return "json"


@pytest.fixture
def client(server: LiveServer, sqs: Any, queue: str) -> Iterator[RawClient]:
    """A connection that must still work after the test, and a queue that must still be empty."""
    with RawClient(server) as connection:
        yield connection
        assert connection.ask(message(queue)).status == 200
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "hello"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not valid JSON"),
        (b'{"QueueUrl": "x"', "not valid JSON"),
        (b"nonsense", "not valid JSON"),
        (b'{"MessageBody": "\xff\xfe"}', "not valid UTF-8"),
        (b'{"MessageBody": "\xed\xa0\x80"}', "not valid UTF-8"),
        (b"\xff\xfe{\x00}\x00", "not valid JSON"),
        (b'{"MessageBody": "a\x01b"}', "not valid JSON"),
        (b'{"MessageBody": "\\ud800"}', "not valid JSON"),
        (b"[]", "Start of list found where not expected"),
        (b"null", "expected an object"),
        (b'"text"', "expected an object"),
        (b'{"DelaySeconds": ' + b"1" * 1_000_000 + b"}", "out of range"),
        (b'{"Anything": [' + b"1" * 1_000_000 + b'], "DelaySeconds": ""}', "out of range"),
        (b'{"DelaySeconds": 1e999}', "out of range"),
        (b'{"DelaySeconds": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"x": ' + b'{"x": ' * 100_000 + b"1" + b"}" * 100_001, "nested too deeply"),
    ],
)
def test_bodies_that_are_no_json_object(client: RawClient, body: bytes, says: str) -> None:
    answer = client.ask(body)
    assert (answer.status, answer.error) == (400, "SerializationException")
    assert says in answer.message
    assert len(answer.body) < 500


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"DelaySeconds": "5"}, "STRING_VALUE can not be converted to an Integer (at DelaySeconds)"),
        ({"DelaySeconds": True}, "TRUE_VALUE can not be converted to an Integer (at DelaySeconds)"),
        ({"DelaySeconds": 1.5}, "NUMBER_VALUE can not be converted to an Integer (at DelaySeconds)"),
        ({"DelaySeconds": 10**30, "MessageBody": 1}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"DelaySeconds": {}}, "Start of structure or map found where not expected. (at DelaySeconds)"),
        ({"DelaySeconds": []}, "Start of list found where not expected (at DelaySeconds)"),
        ({"MessageBody": {}}, "Start of structure or map found where not expected. (at MessageBody)"),
        ({"MessageBody": ["x"]}, "Unrecognized collection type class java.lang.String (at MessageBody)"),
        ({"QueueUrl": []}, "Unrecognized collection type class java.lang.String (at QueueUrl)"),
        ({"MessageAttributes": []}, "Start of list found where not expected (at MessageAttributes)"),
        ({"MessageAttributes": "x"}, "Unexpected value type in payload: STRING_VALUE (at MessageAttributes)"),
        ({"MessageAttributes": {"a": 5}}, "Unexpected value type in payload: NUMBER_VALUE (at MessageAttributes.a)"),
        (
            {"MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "!"}}},
            "The value is not valid Base64 (at MessageAttributes.a.BinaryValue)",
        ),
    ],
)
def test_members_of_a_wrong_type(client: RawClient, queue: str, members: dict[str, Any], says: str) -> None:
    answer = client.ask(json.dumps({"QueueUrl": queue, "MessageBody": "x", **members}).encode())
    assert (answer.status, answer.error) == (400, "SerializationException")
    assert says in answer.message


def test_batch_entries_of_a_wrong_type(client: RawClient, queue: str) -> None:
    def answer(entries: object) -> Answer:
        return client.ask(json.dumps({"QueueUrl": queue, "Entries": entries}).encode(), "SendMessageBatch")

    assert answer({"Id": "x"}).error == "SerializationException"
    assert "(at Entries[1])" in answer([{"Id": "a", "MessageBody": "b"}, 5]).message
    assert "(at Entries[0].Id)" in answer([{"Id": {}}]).message


def test_numbers_and_booleans_pass_for_text_as_in_aws(server: LiveServer, sqs: Any, queue: str) -> None:
    attributes = {"n": {"DataType": "String", "StringValue": 2345}, "b": {"DataType": "String", "StringValue": True}}
    with RawClient(server) as client:
        sent = client.ask(message(queue, 0, MessageAttributes=attributes, DelaySeconds=None, Unknown={"x": [1]}))
    assert sent.status == 200
    (found,) = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert found["Body"] == "0"
    assert {n: v["StringValue"] for n, v in found["MessageAttributes"].items()} == {"n": "2345", "b": "true"}


def test_a_message_of_two_mebibytes(client: RawClient, queue: str) -> None:
    answer = client.ask(message(queue, "x" * 2 * MIB))
    assert (answer.status, answer.error) == (400, "InvalidParameterValueException")
    assert answer.message == "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."


def test_the_largest_message_with_every_character_escaped(server: LiveServer, sqs: Any, queue: str) -> None:
    body = b'{"QueueUrl": "%b", "MessageBody": "%b"}' % (queue.encode(), b"\\u0061" * MIB)
    with RawClient(server) as client:
        assert client.ask(body).status == 200
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "a" * MIB


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_larger_than_any_request_is_refused_before_it_is_held(
    server: LiveServer, queue: str, chunked: bool
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Type: %b\r\n" % JSON.encode()
    with RawClient(server) as client:
        if chunked:
            client.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
            client.send(*[b"100000\r\n" + b"x" * MIB + b"\r\n"] * 7)
        else:
            client.send(head + b"Content-Length: 99999999999\r\n\r\n" + b"x" * MIB)
        answer = client.receive()
        assert (answer.status, answer.error) == (413, "RequestEntityTooLargeException")
        assert answer.message == "HTTP content length exceeded 6553600 bytes."
        assert answer.headers["connection"] == "close"
        assert client.closed()
    with RawClient(server) as client:
        assert client.ask(message(queue)).status == 200


def test_an_unknown_queue(client: RawClient, queue: str) -> None:
    for url in (queue + "x", "http://h/123456789012/", "/", "::", "http://h/123456789012/a:b:c", "\u0000"):
        answer = client.ask(message(url))
        assert (answer.status, answer.error) == (400, "QueueDoesNotExist"), url
        assert answer.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"


def test_no_queue_at_all_and_a_queue_in_the_path(client: RawClient, server: LiveServer, sqs: Any, queue: str) -> None:
    body = b'{"MessageBody": "by path"}'
    answer = client.ask(body)
    assert (answer.error, answer.message) == (
        "MissingRequiredParameterException",
        "The request must contain the parameter QueueUrl.",
    )
    path = queue.removeprefix(server.url)
    assert client.ask(body, path=path).status == 200
    (found,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert found["Body"] == "by path"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=found["ReceiptHandle"])


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("AmazonSQS.Nothing", "UnknownOperationException"),
        ("AmazonSQS.", "UnknownOperationException"),
        ("DynamoDB_20120810.ListTables", "UnknownOperationException"),
        (".", "UnknownOperationException"),
        ("AmazonSQS." + "x" * 5000, "UnknownOperationException"),
    ],
)
def test_an_unknown_operation(client: RawClient, target: str, error: str) -> None:
    answer = client.ask(b"{}", target)
    assert (answer.status, answer.error) == (400, error)
    assert len(answer.body) < 1000


def test_a_missing_operation(client: RawClient) -> None:
    answer = client.ask(b"{}", None)
    assert (answer.status, answer.error) == (400, "UnknownOperationException")
    assert "X-Amz-Target" in answer.message


def test_another_method_than_post(client: RawClient) -> None:
    answer = client.ask(b"", "ListQueues", method="GET")
    assert (answer.status, answer.error) == (400, "UnknownOperationException")


def test_a_batch_with_one_bad_entry(client: RawClient, sqs: Any, queue: str) -> None:
    entries = [{"Id": "good", "MessageBody": "kept"}, {"Id": "bad"}]
    answer = client.ask(json.dumps({"QueueUrl": queue, "Entries": entries}).encode(), "SendMessageBatch")
    assert answer.status == 200
    outcome = json.loads(answer.body)
    assert [entry["Id"] for entry in outcome["Successful"]] == ["good"]
    assert outcome["Failed"] == [
        {
            "Id": "bad",
            "SenderFault": True,
            "Code": "MissingParameter",
            "Message": "The request must contain the parameter SendMessageBatchRequestEntry.2.MessageBody.",
        }
    ]
    (found,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=found["ReceiptHandle"])


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_an_empty_body_means_no_parameters(server: LiveServer, body: bytes) -> None:
    with RawClient(server) as client:
        assert client.ask(body, "ListQueues").status == 200


def test_an_error_names_its_request(client: RawClient) -> None:
    first, second = client.ask(b"{"), client.ask(b"{")
    assert first.headers["x-amzn-requestid"] != second.headers["x-amzn-requestid"]
    assert first.headers["content-type"] == JSON


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX-Amz-Target: AmazonSQS.X\r\n\r\nzz\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(server: LiveServer, junk: bytes) -> None:
    with RawClient(server) as client:
        client.send(junk)
        answer = client.receive()
        assert answer.status == 400
        assert json.loads(answer.body)["status"] == 400
        assert client.closed()
    with RawClient(server) as client:
        assert client.ask(b"{}", "ListQueues").status == 200
