"""A server without credentials serves programs of its machine, and no web page from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.wire.live import LiveServer
from tests.wire.raw import RawClient

BODY = b"Action=CreateQueue&QueueName=q"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
ELSEWHERE = ["http://evil.example", "https://127.0.0.1.evil.example", "null", "", "http://[", "http://10.0.0.7:9324"]


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("data"), open_mode=True).start()
    yield live
    live.stop()


def ask(server: LiveServer, *lines: str, request: str = "POST /") -> int:
    end = FORM if request.startswith("POST") else b"\r\n"
    with RawClient(server) as client:
        client.send("\r\n".join([f"{request} HTTP/1.1", *lines, ""]).encode("latin-1") + end)
        answer = client.receive()
    if answer.status == 403:
        assert b'"code":"web_page_refused"' in answer.body
    return answer.status


@pytest.mark.parametrize("host", ["localhost", "localhost:9324", "127.0.0.1:1", "[::1]:9324", "sqs.localhost"])
def test_programs_of_this_machine_are_served(open_server: LiveServer, host: str) -> None:
    assert ask(open_server, f"Host: {host}") == 200
    assert ask(open_server, f"Host: {host}", request="GET /v1/queues") == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9324", "127.0.0.1.evil.example", "10.0.0.7", "", "\xff"]
)
@pytest.mark.parametrize("request_line", ["POST /", "GET /v1/queues"])
def test_a_name_from_elsewhere_that_leads_here_is_not(open_server: LiveServer, host: str, request_line: str) -> None:
    assert ask(open_server, f"Host: {host}", request=request_line) == 403


@pytest.mark.parametrize("origin", ELSEWHERE)
@pytest.mark.parametrize("request_line", ["POST /", "POST /v1/messages"])
def test_no_page_from_elsewhere_is_served(open_server: LiveServer, origin: str, request_line: str) -> None:
    assert ask(open_server, "Host: localhost:9324", f"Origin: {origin}", request=request_line) == 403


def test_pages_of_this_machine_are_served(open_server: LiveServer) -> None:
    assert ask(open_server, "Host: 127.0.0.1:9324", "Origin: http://localhost:3000") == 200


def test_an_image_of_another_site_creates_no_queue(open_server: LiveServer) -> None:
    request = "GET /?Action=CreateQueue&QueueName=q"
    assert ask(open_server, "Host: localhost:9324", "Sec-Fetch-Site: cross-site", request=request) == 403
    assert ask(open_server, "Host: localhost:9324", "Sec-Fetch-Site: none", request=request) == 200


def test_a_link_in_somebody_s_web_mail_can_be_followed(open_server: LiveServer) -> None:
    assert ask(open_server, "Host: localhost:9324", "Sec-Fetch-Site: cross-site", request="GET /u/token") == 200


def test_with_credentials_any_name_and_origin_may_ask(server: LiveServer) -> None:
    assert ask(server, "Host: queues.example", "Origin: https://shop.example", request="GET /v1/queues") == 200
