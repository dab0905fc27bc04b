"""The HTTP front: order, patience and bounds. Nothing here depends on which engine is behind it."""

from __future__ import annotations

import hashlib
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.wire.live import GIVE_UP_SECONDS, LiveServer
from tests.wire.raw import JSON, RawClient, message, signed

from chappe.api.limits import HttpLimits

FreshServer = Callable[..., LiveServer]
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ListQueues\r\n"
ONE_CLICK = (
    b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 26\r\n\r\nList-Unsubscribe=One-Click"
)
IMPATIENT = HttpLimits(
    head_seconds=0.2, request_seconds=0.4, idle_seconds=1.0, linger_seconds=0.1, stalled_seconds=0.4, watch_seconds=0.05
)


def md5(body: str) -> str:
    return hashlib.md5(body.encode()).hexdigest()


def receive(url: str, **more: object) -> bytes:
    return json.dumps({"QueueUrl": url, **more}).encode()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def waiting(server: LiveServer) -> int:
    """How many receives wait in the server."""
    return len(server.frontend._waiting)


# --- answering ----------------------------------------------------------------------------------------------


def test_other_requests_go_to_the_asgi_application(server: LiveServer) -> None:
    with RawClient(server) as client:
        for request, answer in (
            (b"GET /v1/messages HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1/messages 0"),
            (b"POST /a%20b?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", b"POST /a b 5"),
            (ONE_CLICK, b"POST /u/x 26"),
            (b"GET /?q=Action HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / 0"),
            (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * 0"),
            (b"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / 0"),
            (b"GET http://x/y?z HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /y 0"),
        ):
            client.send(request)
            found = client.receive()
            assert (found.status, found.body) == (200, answer)


def test_pipelined_requests_are_answered_in_order(server: LiveServer, queue: str) -> None:
    bodies = [f"message {n}" for n in range(200)]
    with RawClient(server) as client:
        client.send(b"".join(signed(server, message(queue, body)) for body in bodies))
        answers = [client.receive() for _ in bodies]
    assert [json.loads(answer.body)["MD5OfMessageBody"] for answer in answers] == [md5(body) for body in bodies]


def test_both_kinds_of_request_keep_their_order_on_one_connection(server: LiveServer, sqs: Any, queue: str) -> None:
    rest = b"POST /rest HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    with RawClient(server) as client:
        waits = signed(server, receive(queue, WaitTimeSeconds=20), "ReceiveMessage")
        client.send(waits + rest + signed(server, b"{}", "ListQueues") + rest)
        until(lambda: waiting(server) == 1)
        sqs.send_message(QueueUrl=queue, MessageBody="wake up")
        assert json.loads(client.receive().body)["Messages"][0]["Body"] == "wake up"
        assert client.receive().body == b"POST /rest 3"
        assert "QueueUrls" in json.loads(client.receive().body)
        assert client.receive().body == b"POST /rest 3"


def test_a_request_may_arrive_byte_by_byte(server: LiveServer, queue: str) -> None:
    with RawClient(server) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in signed(server, message(queue)):
            client.send(bytes([byte]))
        assert client.receive().status == 200


def test_a_chunked_body(server: LiveServer, queue: str) -> None:
    whole = signed(server, message(queue, "chunked"))
    head, _, body = whole.partition(b"\r\n\r\n")
    head = head.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked")
    with RawClient(server) as client:
        chunks = b"".join(b"5\r\n%b\r\n" % body[i : i + 5] for i in range(0, len(body) - len(body) % 5, 5))
        rest = body[len(body) - len(body) % 5 :]
        chunks += b"%x\r\n%b\r\n" % (len(rest), rest) if rest else b""
        client.send(head + b"\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert json.loads(client.receive().body)["MD5OfMessageBody"] == md5("chunked")


def test_a_client_that_asks_before_it_sends_the_body(server: LiveServer, queue: str) -> None:
    with RawClient(server) as client:
        for _ in range(2):
            request = signed(server, message(queue), extra=[("Expect", "100-continue")])
            head, _, body = request.partition(b"\r\n\r\n")
            client.send(head + b"\r\n\r\n")
            assert client.receive().status == 100
            client.send(body)
            assert client.receive().status == 200
        client.send(HEAD + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
        assert client.receive().status == 413


def test_the_go_ahead_for_a_body_waits_for_earlier_answers(server: LiveServer, sqs: Any, queue: str) -> None:
    request = signed(server, message(queue, "second"), extra=[("Expect", "100-continue")])
    head, _, body = request.partition(b"\r\n\r\n")
    with RawClient(server) as client:
        client.send(signed(server, receive(queue, WaitTimeSeconds=20), "ReceiveMessage") + head + b"\r\n\r\n")
        until(lambda: waiting(server) == 1)
        sqs.send_message(QueueUrl=queue, MessageBody="first")
        assert b"first" in client.receive().body
        assert client.receive().status == 100
        client.send(body)
        assert client.receive().status == 200


def test_connections_stay_open_unless_told_otherwise(server: LiveServer) -> None:
    with RawClient(server) as client:
        assert "connection" not in client.ask(b"{}", "ListQueues").headers
        client.send(signed(server, b"{}", "ListQueues", extra=[("Connection", "close")]))
        assert client.receive().headers["connection"] == "close"
        assert client.closed()
    with RawClient(server) as client:
        client.send(signed(server, b"{}", "ListQueues").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert client.receive().status == 200
        assert client.closed()


def test_an_offer_to_speak_http_2_is_passed_over(server: LiveServer) -> None:
    offer = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")]
    with RawClient(server) as client:
        client.send(signed(server, b"{}", "ListQueues", extra=offer) * 2)
        assert [client.receive().status, client.receive().status] == [200, 200]
        client.send(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        assert client.receive().body == b"GET /x 0"
        client.send(b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.receive().status == 405


def test_answers_carry_a_date(server: LiveServer) -> None:
    with RawClient(server) as client:
        assert client.ask(b"{}", "ListQueues").headers["date"].endswith(" GMT")


def test_a_client_that_reads_late_gets_everything_in_order(server: LiveServer, sqs: Any, queue: str) -> None:
    """Far more answers than the socket buffers hold: the server must wait, not gather them."""
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1_000_000)
    request = signed(server, receive(queue), "ReceiveMessage")
    with RawClient(server) as client:
        client.send(request * 60)
        for _ in range(60):
            assert len(json.loads(client.receive().body)["Messages"][0]["Body"]) == 1_000_000


# --- waiting ------------------------------------------------------------------------------------------------


def test_a_waiting_receive_is_woken_by_a_message(server: LiveServer, sqs: Any, queue: str) -> None:
    with RawClient(server) as client:
        client.send(signed(server, receive(queue, WaitTimeSeconds=20), "ReceiveMessage"))
        until(lambda: waiting(server) == 1)
        sqs.send_message(QueueUrl=queue, MessageBody="at last")
        assert b"at last" in client.receive().body


def test_the_wait_of_the_queue_counts_if_the_request_has_none(server: LiveServer, sqs: Any, queue: str) -> None:
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"ReceiveMessageWaitTimeSeconds": "20"})
    with RawClient(server) as client:
        assert client.ask(receive(queue, WaitTimeSeconds=0), "ReceiveMessage").body == b"{}"
        client.send(signed(server, receive(queue), "ReceiveMessage"))
        until(lambda: waiting(server) == 1)
        sqs.send_message(QueueUrl=queue, MessageBody="at last")
        assert b"at last" in client.receive().body


def test_a_wait_that_ends_without_a_message(server: LiveServer, queue: str) -> None:
    with RawClient(server) as client:
        assert client.ask(receive(queue, WaitTimeSeconds=1), "ReceiveMessage").body == b"{}"


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_leaves_takes_no_message_with_it(
    server: LiveServer, sqs: Any, queue: str, *, reset: bool
) -> None:
    for _ in range(5):
        client = RawClient(server)
        client.send(signed(server, receive(queue, WaitTimeSeconds=20), "ReceiveMessage"))
        until(lambda: waiting(server) == 1)
        if reset:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
        until(lambda: waiting(server) == 0)
    sqs.send_message(QueueUrl=queue, MessageBody="for who stays")
    (found,) = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"]
    assert found["Attributes"]["ApproximateReceiveCount"] == "1"


def test_many_wait_at_once_and_each_message_goes_to_one(server: LiveServer, sqs: Any, queue: str) -> None:
    clients = [RawClient(server) for _ in range(50)]
    for client in clients:
        client.send(signed(server, receive(queue, WaitTimeSeconds=20), "ReceiveMessage"))
    until(lambda: waiting(server) == 50)
    for start in range(0, 50, 10):
        entries = [{"Id": str(n), "MessageBody": f"body {n}"} for n in range(start, start + 10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    bodies = [m["Body"] for client in clients for m in json.loads(client.receive().body)["Messages"]]
    assert sorted(bodies) == sorted(f"body {n}" for n in range(50))
    for client in clients:
        client.socket.close()


# --- bounds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        b"POST / HTTP/1.1\r\nX: ",
        HEAD,
        HEAD + b"Content-Length: 999\r\n\r\n",
        b"POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n",
    ],
)
def test_a_slow_loris_is_told_and_cut_off(fresh_server: FreshServer, start: bytes) -> None:
    live = fresh_server(limits=IMPATIENT)
    stop = threading.Event()
    with RawClient(live) as client:
        client.send(start)

        def trickle() -> None:
            while not stop.wait(0.01):
                try:
                    client.send(b"a")
                except OSError:
                    return

        trickling = threading.Thread(target=trickle)
        trickling.start()
        answer = client.receive()
        stop.set()
        trickling.join()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert "took longer than" in json.loads(answer.body)["detail"]
        assert client.closed()


def test_a_client_that_says_nothing_is_cut_off(fresh_server: FreshServer) -> None:
    live = fresh_server(limits=IMPATIENT)
    request = signed(live, b"{}", "ListQueues")
    with RawClient(live) as silent, RawClient(live) as idle:
        idle.send(request)
        assert idle.receive().status == 200
        assert silent.closed()
        assert idle.closed()


def test_a_client_that_never_reads_is_cut_off(fresh_server: FreshServer) -> None:
    live = fresh_server(limits=HttpLimits(stalled_seconds=0.4, watch_seconds=0.05))
    sqs = live.client()
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x" * 1_000_000)
    sqs.close()
    with RawClient(live) as client:
        client.send(signed(live, receive(url), "ReceiveMessage") * 40)
        until(lambda: not live.server._state.connections)


def test_a_wait_is_no_idleness(fresh_server: FreshServer) -> None:
    live = fresh_server(limits=IMPATIENT)
    sqs = live.client()
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.close()
    request = signed(live, receive(url, WaitTimeSeconds=2), "ReceiveMessage")
    with RawClient(live) as client:
        client.send(request)
        assert client.receive().body == b"{}"


def test_a_head_that_is_too_large(server: LiveServer) -> None:
    with RawClient(server) as client:
        client.send(b"GET / HTTP/1.1\r\nX: ", *[b"x" * 65_536] * 6)
        assert client.receive().status == 431
    with RawClient(server) as client:
        client.send(b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(101)) + b"\r\n")
        answer = client.receive()
        assert answer.status == 431
        assert (
            json.loads(answer.body).items()
            >= {"code": "head_too_large", "type": "urn:chappe:problem:head_too_large"}.items()
        )
        assert client.closed()


@pytest.mark.parametrize("earlier", [0, 1])
def test_the_head_is_bounded_however_it_arrives(server: LiveServer, earlier: int) -> None:
    limit = HttpLimits().head_bytes
    for size, status in ((limit - 100, 200), (limit + 100, 431)):
        with RawClient(server) as client:
            for _ in range(earlier):
                client.send(b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.receive().status == 200
            client.send(b"GET /v1 HTTP/1.1\r\nHost: x\r\nX: " + b"x" * size + b"\r\n\r\n")
            assert client.receive().status == status


@pytest.mark.parametrize(
    "head", [b"GET /v1 HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ListQueues\r\n"]
)
def test_a_request_without_a_host_is_refused(server: LiveServer, head: bytes) -> None:
    with RawClient(server) as client:
        client.send(head + b"\r\n")
        answer = client.receive()
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_request")
        assert client.closed()


def test_http_1_0_knows_no_host(server: LiveServer) -> None:
    with RawClient(server) as client:
        client.send(b"GET /v1 HTTP/1.0\r\n\r\n")
        assert client.receive().status == 200


@pytest.mark.parametrize("path", [b"/", b"/v1"])
def test_what_comes_beside_a_chunked_body_is_bounded(server: LiveServer, path: bytes) -> None:
    target = b"X-Amz-Target: AmazonSQS.ListQueues\r\n" if path == b"/" else b""
    head = b"POST %b HTTP/1.1\r\nHost: x\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (path, target)
    for endless in (b"1;" + b"x" * 65_536, b"0\r\nX: " + b"x" * 65_536):
        with RawClient(server) as client:
            client.send(head + endless, *[b"x" * 65_536] * 8)
            assert client.receive().status == 400


def test_trailers_do_not_count_as_headers(server: LiveServer, queue: str) -> None:
    head, _, body = signed(server, message(queue, "with trailer")).partition(b"\r\n\r\n")
    head = head.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked")
    trailer = b"X-Amz-Extra: unsigned\r\nHost: elsewhere\r\n"
    with RawClient(server) as client:
        client.send(head + b"\r\n\r\n%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailer))
        assert client.receive().status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_rest_body_that_is_too_large(fresh_server: FreshServer, *, chunked: bool) -> None:
    live = fresh_server(limits=HttpLimits(rest_body_bytes=1000))
    with RawClient(live) as client:
        if chunked:
            client.send(
                b"POST /v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001 + b"\r\n"
            )
        else:
            client.send(b"POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
        answer = client.receive()
        assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
        assert client.closed()
    with RawClient(live) as client:
        client.send(b"POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)
        assert client.receive().body == b"POST /v1 1000"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_list_to_import_has_a_bound_of_its_own(fresh_server: FreshServer, *, chunked: bool) -> None:
    live = fresh_server(limits=HttpLimits(rest_body_bytes=1000, upload_body_bytes=3000))
    head = b"POST /v1/registries/a/import?mode=full HTTP/1.1\r\nHost: x\r\n"
    for size_bytes, status in ((3000, 200), (3001, 413)):
        body = b"x" * size_bytes
        with RawClient(live) as client:
            if chunked:
                client.send(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size_bytes, body))
            else:
                client.send(head + b"Content-Length: %d\r\n\r\n" % size_bytes + body)
            assert client.receive().status == status


def test_there_are_only_so_many_connections(fresh_server: FreshServer) -> None:
    live = fresh_server(limits=HttpLimits(connections=2, linger_seconds=0.05, watch_seconds=0.05))
    with RawClient(live) as one, RawClient(live) as two:
        assert [client.ask(b"{}", "ListQueues").status for client in (one, two)] == [200, 200]
        with RawClient(live) as three:
            assert three.receive().status == 503
            assert three.closed()
        assert one.ask(b"{}", "ListQueues").status == 200
    until(lambda: not live.server._state.connections)
    with RawClient(live) as four:
        assert four.ask(b"{}", "ListQueues").status == 200


def test_bodies_that_never_end_are_bounded_together(fresh_server: FreshServer) -> None:
    live = fresh_server(limits=HttpLimits(incomplete_bodies_bytes=1_000_000))
    clients = [RawClient(live) for _ in range(3)]
    for client in clients:
        client.send(HEAD + b"Content-Type: %b\r\nContent-Length: 2000000\r\n\r\n" % JSON.encode() + b" " * 400_000)
    (answered,) = select.select([client.socket for client in clients], [], [], GIVE_UP_SECONDS)[0]
    refused = next(client for client in clients if client.socket is answered)
    assert refused.receive().status == 503
    for client in clients:
        client.socket.close()
    until(lambda: live.server._shared.incomplete_bodies_bytes == 0)
    with RawClient(live) as client:
        assert client.ask(b"{}", "ListQueues").status == 200


# --- stopping -----------------------------------------------------------------------------------------------


def test_stopping_lets_waiting_receives_return_empty(fresh_server: FreshServer) -> None:
    live = fresh_server()
    sqs = live.client()
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.close()
    clients = [RawClient(live) for _ in range(3)]
    for client in clients:
        client.send(signed(live, receive(url, WaitTimeSeconds=20), "ReceiveMessage"))
    until(lambda: waiting(live) == 3)
    stopping = threading.Thread(target=live.stop)
    stopping.start()
    for client in clients:
        answer = client.receive()
        assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"{}", "close")
        assert client.closed()
        client.socket.close()
    stopping.join(GIVE_UP_SECONDS)
    assert not stopping.is_alive()


def test_stopping_closes_idle_connections_and_refuses_new_ones(fresh_server: FreshServer) -> None:
    live = fresh_server()
    with RawClient(live) as idle:
        assert idle.ask(b"{}", "ListQueues").status == 200
        address = live.address
        live.stop()
        assert idle.closed()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(address, timeout=5)
