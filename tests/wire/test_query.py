"""The Query protocol as it is on the wire: requests and answers by hand, where an SDK would hide them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.wire.live import ACCOUNT, REGION, LiveServer
from tests.wire.raw import Answer, RawClient, signed

FORM = "application/x-www-form-urlencoded; charset=utf-8"
SPACE = 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"'
MIB = 1_048_576


@pytest.fixture(scope="module")
def protocol() -> str:
    """The client beside the hand-written requests speaks JSON, so that the two protocols meet in each test."""
    return "json"


class Asking:
    """Asks by form or in the URL, at the root or at a path."""

    def __init__(self, client: RawClient) -> None:
        self._client = client

    def post(self, path: str = "/", **parameters: object) -> Answer:
        return self._client.ask(
            urlencode({"Version": "2012-11-05", **parameters}).encode(), None, path=path, content_type=FORM
        )

    def get(self, path: str = "/", **parameters: object) -> Answer:
        query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        return self.by("GET", path + query)

    def by(self, method: str, target: str) -> Answer:
        return self._client.ask(b"", None, path=target, method=method, content_type=FORM)

    def form(self, body: bytes) -> Answer:
        return self._client.ask(body, None, content_type=FORM)


@pytest.fixture
def ask(server: LiveServer) -> Iterator[Asking]:
    with RawClient(server) as client:
        yield Asking(client)


@pytest.fixture
def path(server: LiveServer, queue: str) -> str:
    return queue.removeprefix(server.url)


def error(answer: Answer) -> tuple[int, str, str]:
    """Status, code and message, from the only form an error has."""
    found = re.fullmatch(
        rf'<\?xml version="1.0"\?><ErrorResponse {SPACE}><Error><Type>Sender</Type><Code>(.*)</Code>'
        r"<Message>(.*)</Message><Detail/></Error><RequestId>(.*)</RequestId></ErrorResponse>",
        answer.body.decode(),
    )
    assert found, answer.body
    assert answer.headers["content-type"] == "text/xml"
    assert answer.headers["x-amzn-requestid"] == found[3]
    return answer.status, found[1], found[2]


def test_an_answer_byte_for_byte(ask: Asking, queue: str) -> None:
    answer = ask.post(Action="SendMessage", QueueUrl=queue, MessageBody="hello")
    request_id = answer.headers["x-amzn-requestid"]
    found = re.fullmatch(
        f'<\\?xml version="1.0"\\?><SendMessageResponse {SPACE}><SendMessageResult>'
        "<MessageId>([0-9a-f-]{36})</MessageId>"
        "<MD5OfMessageBody>5d41402abc4b2a76b9719d911017c592</MD5OfMessageBody></SendMessageResult>"
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></SendMessageResponse>",
        answer.body.decode(),
    )
    assert found, answer.body


def test_an_operation_without_an_output_and_one_with_nothing_to_say(ask: Asking, queue: str) -> None:
    attribute = {"Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0"}
    done = ask.post(Action="SetQueueAttributes", QueueUrl=queue, **attribute)
    assert re.fullmatch(
        f'<\\?xml version="1.0"\\?><SetQueueAttributesResponse {SPACE}><ResponseMetadata><RequestId>.{{36}}</RequestId>'
        "</ResponseMetadata></SetQueueAttributesResponse>",
        done.body.decode(),
    )
    nothing = ask.post(Action="ReceiveMessage", QueueUrl=queue)
    assert f"<ReceiveMessageResponse {SPACE}><ReceiveMessageResult/><ResponseMetadata>" in nothing.body.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_whole_life_at_the_path_of_the_queue(ask: Asking, server: LiveServer, path: str, method: str) -> None:
    at = getattr(ask, method)
    attribute = {
        "MessageAttribute.1.Name": "k",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "v",
    }
    assert at(path, Action="SendMessage", MessageBody="a+b %26 c", **attribute).status == 200
    received = at(path, Action="ReceiveMessage", **{"MessageAttributeName.1": "All", "AttributeName.1": "All"})
    text = received.body.decode()
    assert "<Body>a+b %26 c</Body>" in text
    assert (
        "<MessageAttribute><Name>k</Name><Value><StringValue>v</StringValue><DataType>String</DataType></Value>"
        "</MessageAttribute>" in text
    )
    assert f"<Attribute><Name>SenderId</Name><Value>{server.access_key.id}</Value></Attribute>" in text
    handle = re.findall("<ReceiptHandle>(.*)</ReceiptHandle>", text)[0]
    assert at(path, Action="DeleteMessage", ReceiptHandle=handle).status == 200
    counts = at(path, Action="GetQueueAttributes", **{"AttributeName.1": "ApproximateNumberOfMessagesNotVisible"})
    assert "<Value>0</Value>" in counts.body.decode()


def test_a_parameter_in_the_url_and_the_others_in_the_form(server: LiveServer, path: str) -> None:
    with RawClient(server) as client:
        answer = client.ask(b"MessageBody=x", None, path=path + "?Action=SendMessage", content_type=FORM)
    assert answer.status == 200


def test_a_queue_url_outweighs_the_path(ask: Asking, sqs: Any, queue: str, path: str, new_name: Any) -> None:
    other = new_name()
    url = sqs.create_queue(QueueName=other)["QueueUrl"]
    answer = ask.get(path, Action="GetQueueAttributes", QueueUrl=url, **{"AttributeName.1": "QueueArn"})
    assert f"<Value>arn:aws:sqs:{REGION}:{ACCOUNT}:{other}</Value>" in answer.body.decode()
    assert f"<QueueUrl>{url}</QueueUrl>" in ask.get(path, Action="GetQueueUrl", QueueName=other).body.decode()


@pytest.mark.parametrize("body", ["say \"&<>' \r\n\t", "\r", "é ☃ 𝄞", " leading and trailing "])
def test_text_survives_the_way_through_xml(ask: Asking, sqs: Any, queue: str, body: str) -> None:
    assert ask.post(Action="SendMessage", QueueUrl=queue, MessageBody=body).status == 200
    text = ask.post(Action="ReceiveMessage", QueueUrl=queue, VisibilityTimeout=0).body.decode()
    escaped = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = escaped.replace('"', "&quot;").replace("\r", "&#xD;")
    assert f"<Body>{escaped}</Body>" in text
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == body


def test_the_largest_message_with_every_byte_escaped(ask: Asking, sqs: Any, queue: str) -> None:
    body = f"Action=SendMessage&QueueUrl={quote_plus(queue)}&MessageBody=" + "%61" * MIB
    assert ask.form(body.encode()).status == 200
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "a" * MIB


def test_the_examples_of_aws_number_no_single_item(ask: Asking, sqs: Any, queue: str) -> None:
    given = {"Attribute.Name": "VisibilityTimeout", "Attribute.Value": "35"}
    assert ask.get(Action="SetQueueAttributes", QueueUrl=queue, **given).status == 200
    answer = ask.get(Action="GetQueueAttributes", QueueUrl=queue, AttributeName="VisibilityTimeout")
    assert "<Attribute><Name>VisibilityTimeout</Name><Value>35</Value></Attribute>" in answer.body.decode()


def test_items_go_by_their_numbers(ask: Asking, queue: str) -> None:
    entries = {}
    for number in (10, 9, 700):
        prefix = f"SendMessageBatchRequestEntry.{number}"
        entries |= {f"{prefix}.Id": f"id-{number}", f"{prefix}.MessageBody": "x"}
    text = ask.post(Action="SendMessageBatch", QueueUrl=queue, **entries).body.decode()
    assert re.findall("<SendMessageBatchResultEntry><Id>(.*?)</Id>", text) == ["id-9", "id-10", "id-700"]


def test_what_is_no_operation(ask: Asking, path: str) -> None:
    assert error(ask.get(Action="FooBar")) == (
        400,
        "InvalidAction",
        "The action FooBar is not valid for this endpoint.",
    )
    for action in ("CreateQueue", "ListQueues"):
        assert error(ask.get(path, Action=action, QueueName="x"))[1:] == (
            "InvalidAction",
            f"The action {action} is not valid for this endpoint.",
        )
    assert error(ask.by("PUT", "/?Action=ListQueues"))[1] == "InvalidAction"
    for answer in (ask.get(path), ask.post(), ask.form(b"")):
        assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>")


def test_errors_that_the_service_was_seen_to_give(ask: Asking, path: str) -> None:
    missing = "The request must contain the parameter MessageBody."
    assert error(ask.get(path, Action="SendMessage")) == (400, "MissingParameter", missing)
    unknown = "Unknown Attribute Foobar."
    given = {"AttributeName.1": "Foobar"}
    assert error(ask.get(path, Action="GetQueueAttributes", **given)) == (400, "InvalidAttributeName", unknown)
    assert error(ask.get(path + "x", Action="ReceiveMessage")) == (
        400,
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist for this wsdl version.",
    )
    assert error(ask.post(Action="SendMessage", MessageBody="x"))[1] == "MissingParameter"


def test_what_an_error_repeats_cannot_break_the_xml(ask: Asking, path: str) -> None:
    given = {"AttributeName.1": '<&">\x00\x0b\ufffe'}
    assert error(ask.get(path, Action="GetQueueAttributes", **given))[2] == (
        "Unknown Attribute &lt;&amp;&quot;&gt;\ufffd\ufffd\ufffd."
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"&MessageBody=%", "percent sign"),
        (b"&MessageBody=%zz", "percent sign"),
        (b"&MessageBody=%ff", "not valid UTF-8"),
        (b"&MessageBody=\xff", "not valid UTF-8"),
        (b"&MessageBody=%ed%a0%80", "not valid UTF-8"),
        (b"&MessageBody=x&DelaySeconds=five", "STRING_VALUE can not be converted to an Integer (at DelaySeconds)"),
        (b"&MessageBody=x&DelaySeconds=" + b"1" * 100_000, "STRING_VALUE can not be converted to an Integer"),
        (b"&MessageBody=x&DelaySeconds.1=5", "The parameter DelaySeconds has members"),
        (b"&MessageBody.1=x", "The parameter MessageBody has members"),
        (b"&MessageBody=x&MessageBody.1=y", "has both a value and members"),
        (b"&MessageBody.1=x&MessageBody=y", "has both a value and members"),
        (b"&MessageAttribute=x", "An entry of MessageAttribute has no Name."),
        (b"&MessageAttribute.1.Value.DataType=String", "An entry of MessageAttribute has no Name."),
        (b"&MessageAttribute.1.Name=a&MessageAttribute.x.Name=b", "must be numbered, such as MessageAttribute.1."),
        (b"&MessageAttribute.1.Name=a&MessageAttribute.1.Value=b", "has a value, members were expected"),
        (b"&MessageAttribute" + b".1" * 20 + b"=a", "nested too deeply"),
        (b"&MessageAttribute.1.Name=a&MessageAttribute.1.Value.BinaryValue=%21", "not valid Base64"),
        (b"".join(b"&x.%d=1" % n for n in range(2000)), "more than 2000 parameters"),
        (b"&" + b"x" * 513 + b"=1", "longer than 512 bytes"),
    ],
)
def test_parameters_that_cannot_be_read(ask: Asking, sqs: Any, queue: str, body: bytes, says: str) -> None:
    answer = ask.form(b"Action=SendMessage&QueueUrl=" + quote_plus(queue).encode() + body)
    status, code, message = error(answer)
    assert (status, code) == (400, "MalformedInput")
    assert says in message
    assert len(answer.body) < 2000
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_a_body_larger_than_any_request(server: LiveServer) -> None:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 99999999999\r\n\r\n"
    with RawClient(server) as client:
        client.send(head.encode())
        assert error(client.receive())[:2] == (413, "RequestEntityTooLarge")
        assert client.closed()


def test_a_wrong_signature_is_told_in_xml(server: LiveServer, queue: str) -> None:
    with RawClient(server) as client:
        body = urlencode({"Action": "SendMessage", "QueueUrl": queue, "MessageBody": "x"}).encode()
        assert error(client.ask(body, None, content_type=FORM, secret="x" * 40))[:2] == (403, "SignatureDoesNotMatch")
        unknown = client.ask(body, None, content_type=FORM, key_id="AKIAUNKNOWN000000000")
        assert error(unknown)[:2] == (403, "InvalidClientTokenId")
        client.send(b"GET /?Action=ListQueues HTTP/1.1\r\nHost: x\r\n\r\n")
        assert error(client.receive())[:2] == (403, "MissingAuthenticationToken")


def test_a_presigned_url(server: LiveServer, sqs: Any, queue: str, path: str) -> None:
    url = f"{server.url}{path}?{urlencode({'Action': 'SendMessage', 'MessageBody': 'by URL'})}"
    request = AWSRequest("GET", url)
    SigV4QueryAuth(Credentials(server.access_key.id, server.access_key.secret), "sqs", REGION).add_auth(request)
    target = str(request.url).removeprefix(server.url)
    with RawClient(server) as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: {server.url.removeprefix('http://')}\r\n\r\n".encode())
        assert client.receive().status == 200
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "by URL"


def test_a_long_poll_ends_when_a_message_comes(server: LiveServer, sqs: Any, queue: str, path: str) -> None:
    with RawClient(server) as waiting:
        body = urlencode({"Action": "ReceiveMessage", "QueueUrl": queue, "WaitTimeSeconds": 20}).encode()
        waiting.send(signed(server, body, None, content_type=FORM))
        sqs.send_message(QueueUrl=queue, MessageBody="now")
        assert b"<Body>now</Body>" in waiting.receive().body


def test_without_credentials_in_open_mode(fresh_server: Callable[..., LiveServer]) -> None:
    live = fresh_server(open_mode=True)
    with RawClient(live) as client:
        client.send(b"GET /?Action=CreateQueue&QueueName=q HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"<QueueUrl>http://localhost/000000000000/q</QueueUrl>" in client.receive().body
        client.send(
            b"POST /000000000000/q HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 32\r\n\r\nAction=SendMessage&MessageBody=x"
        )
        assert b"<MD5OfMessageBody>" in client.receive().body
