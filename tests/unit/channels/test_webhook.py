from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chappe.channels.base import DeliveryFailure, Outbound, PermanentFailure, TemporaryFailure
from chappe.channels.settings import Secret, WebhookEndpoint, WebhookSettings
from chappe.channels.webhook import WebhookProvider, parse_retry_after
from chappe.channels.webhook_signing import decode_secret, generate_secret
from chappe.model.customer import Channel, Content, Purpose, Recipient

from .conftest import Serve

Make = Callable[..., Outbound]
SECRET = generate_secret()
LOOPBACK = ("127.0.0.0/8", "::1/128")


class Request(msgspec.Struct):
    line: str
    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int]


class Receiver:
    """An HTTP server that keeps what it is sent and answers with the bytes it is told to."""

    def __init__(self, answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        self.answer = answer
        self.requests: list[Request] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            line, *fields = head.decode("latin-1").rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append(Request(line, headers, body, writer.get_extra_info("peername")))
            writer.write(self.answer)
            await writer.drain()


def response(status: str, body: bytes = b"", **headers: str) -> bytes:
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{fields}content-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
async def provider() -> AsyncIterator[Callable[..., WebhookProvider]]:
    made: list[WebhookProvider] = []

    def make(**changes: object) -> WebhookProvider:
        fields: dict[str, object] = {
            "allow_http": True,
            "allowed_networks": LOOPBACK,
            "timeout_seconds": 30.0,
            **changes,
        }
        settings = WebhookSettings(**fields)  # type: ignore[arg-type]
        made.append(WebhookProvider("webhook", settings, fallback_secret=Secret(SECRET)))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


Provide = Callable[..., WebhookProvider]


@pytest.fixture
def to(outbound: Make) -> Callable[..., Outbound]:
    def make(url: str, **changes: object) -> Outbound:
        fields = {"content": Content(text="Paid", data={"order": 7}), **changes}
        return outbound(to=Recipient(url=url), channel=Channel.WEBHOOK, **fields)

    return make


async def test_the_receiver_can_verify_and_read_the_message(serve: Serve, provider: Provide, to: Make) -> None:
    receiver = Receiver(response("200 OK", b"thanks"))
    port = await serve(receiver)
    reply = await provider().send(
        to(f"http://127.0.0.1:{port}/hooks?a=1", metadata={"tenant": "t1"}, sender="Acme <a@acme.example>")
    )

    assert reply.text == "200 thanks"
    (request,) = receiver.requests
    assert request.line == "POST /hooks?a=1 HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{port}"
    assert request.headers["webhook-id"] == "01jb2w4xq8"
    assert Webhook(SECRET).verify(request.body, request.headers) == {
        "id": "01jb2w4xq8",
        "type": "message",
        "created_at": "2025-10-09T08:53:20.123Z",
        "to": {"url": f"http://127.0.0.1:{port}/hooks?a=1"},
        "purpose": "transactional",
        "content": {"text": "Paid", "data": {"order": 7}},
        "from": "Acme <a@acme.example>",
        "metadata": {"tenant": "t1"},
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body.replace(b"Paid", b"Void"), request.headers)


async def test_every_attempt_has_the_same_id_and_body(serve: Serve, provider: Provide, to: Make) -> None:
    receiver = Receiver()
    url = f"http://127.0.0.1:{await serve(receiver)}/"
    hooks = provider()
    await hooks.send(to(url, attempt=1))
    await hooks.send(to(url, attempt=2))
    first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.peer == second.peer, "the connection is used again"


async def test_a_secret_can_be_changed_over(serve: Serve, provider: Provide, to: Make) -> None:
    receiver = Receiver()
    url = f"http://127.0.0.1:{await serve(receiver)}/"
    old, new = generate_secret(), generate_secret()
    await provider(secret=Secret(new), previous_secret=Secret(old)).send(to(url))
    (request,) = receiver.requests
    assert len(request.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        Webhook(secret).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body, request.headers)


async def test_the_longest_matching_prefix_decides_the_secret(serve: Serve, provider: Provide, to: Make) -> None:
    receiver = Receiver()
    port = await serve(receiver)
    base = f"http://127.0.0.1:{port}"
    broad, narrow = generate_secret(), generate_secret()
    hooks = provider(
        endpoints=(
            WebhookEndpoint(url_prefix=f"{base}/shop", secret=Secret(broad)),
            WebhookEndpoint(url_prefix=f"{base}/shop/orders/", secret=Secret(narrow)),
            WebhookEndpoint(url_prefix="http://127.0.0.1/", secret=Secret(generate_secret())),
        )
    )
    expected = {
        "/shop": broad,
        "/shop/cart?x=1": broad,
        "/shop/orders": narrow,
        "/shop/orders/7": narrow,
        "/shop/orders7": broad,
        "/shop/orders/../cart": broad,
        "/shopping": SECRET,
        "/": SECRET,
    }
    for path in expected:
        await hooks.send(to(base + path))
    for request, secret in zip(receiver.requests, expected.values(), strict=True):
        Webhook(secret).verify(request.body, request.headers)


@pytest.mark.parametrize(
    ("status", "failure", "retry_after_ms"),
    [
        ("400 Bad Request", PermanentFailure, None),
        ("404 Not Found", PermanentFailure, None),
        ("410 Gone", PermanentFailure, None),
        ("301 Moved Permanently", PermanentFailure, None),
        ("307 Temporary Redirect", PermanentFailure, None),
        ("408 Request Timeout", TemporaryFailure, 7000),
        ("425 Too Early", TemporaryFailure, 7000),
        ("429 Too Many Requests", TemporaryFailure, 7000),
        ("500 Internal Server Error", TemporaryFailure, 7000),
        ("503 Service Unavailable", TemporaryFailure, 7000),
        ("599 Whatever", TemporaryFailure, 7000),
    ],
)
async def test_what_a_status_means(
    serve: Serve,
    provider: Provide,
    to: Make,
    status: str,
    failure: type[DeliveryFailure],
    retry_after_ms: int | None,
) -> None:
    receiver = Receiver(response(status, b"why", retry_after="7", location="/elsewhere"))
    with pytest.raises(failure) as caught:
        await provider().send(to(f"http://127.0.0.1:{await serve(receiver)}/"))
    assert caught.value.code == f"http_{status[:3]}"
    assert caught.value.reply.startswith(status[:3])
    assert getattr(caught.value, "retry_after_ms", None) == retry_after_ms
    assert len(receiver.requests) == 1, "no redirect is followed"


async def test_https_verifies_the_receiver_by_name(
    serve: Serve, provider: Provide, to: Make, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    receiver = Receiver()
    port = await serve(receiver, tls=server_tls)
    await provider(allow_http=False, ca_file=ca_file).send(to(f"https://localhost:{port}/"))
    assert receiver.requests[0].headers["host"] == f"localhost:{port}"

    with pytest.raises(TemporaryFailure, match="CERTIFICATE_VERIFY_FAILED"):
        await provider(allow_http=False).send(to(f"https://localhost:{port}/"))
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_refused_for_what_it_is(provider: Provide, to: Make, host: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        await provider(allowed_networks=()).send(to(f"http://{host}:1/"))
    assert caught.value.code == "address_refused"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "localhost.",
    ],
)
async def test_the_server_cannot_be_made_to_call_itself(serve: Serve, provider: Provide, to: Make, host: str) -> None:
    receiver = Receiver()
    port = await serve(receiver)
    with pytest.raises(DeliveryFailure) as caught:
        await provider(allowed_networks=()).send(to(f"http://{host}:{port}/"))
    # Which spellings of an address are understood is the system's affair; none may lead here.
    assert caught.value.code in ("address_refused", "host_not_found", "url_invalid")
    assert receiver.requests == []
    reply = caught.value.reply.replace(host, "").replace(host.strip("[]"), "")
    assert "127.0.0.1" not in reply, "the answer of the name server stays inside"


async def test_the_address_that_was_checked_is_the_address_that_is_called(
    serve: Serve, provider: Provide, to: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changes its answer between check and connection (DNS rebinding) is asked only once."""
    receiver = Receiver()
    port = await serve(receiver)
    answers = [[("127.0.0.2", port), ("127.0.0.1", port)], [("10.0.0.1", port)]]
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in answers.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    await provider(allowed_networks=("127.0.0.1/32",)).send(to(f"http://rebind.example:{port}/"))
    assert asked == ["rebind.example"]
    assert receiver.requests[0].peer[0] == "127.0.0.1"
    assert receiver.requests[0].headers["host"] == f"rebind.example:{port}"

    with pytest.raises(PermanentFailure) as caught:
        await provider(allowed_networks=()).send(to(f"http://rebind.example:{port}/"))
    assert caught.value.code == "address_refused"


async def test_an_address_that_does_not_answer_is_passed_over(
    serve: Serve, provider: Provide, to: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    port = await serve(receiver)

    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("127.0.0.9", "127.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    await provider().send(to(f"http://two.example:{port}/"))
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/", "https_required"),
        ("ftp://example.com/", "url_invalid"),
        ("https://", "url_invalid"),
        ("https:///path", "url_invalid"),
        ("not a url", "url_invalid"),
        ("", "url_invalid"),
        ("https://user:pass@example.com/", "url_invalid"),
        ("https://example.com:99999/", "url_invalid"),
        ("https://exa\nmple.com/", "url_invalid"),
    ],
)
async def test_urls_that_are_not_called(provider: Provide, to: Make, url: str, code: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        await provider(allow_http=False).send(to(url))
    assert caught.value.code == code
    assert "pass@" not in caught.value.reply


async def test_an_endless_response_is_left(serve: Serve, provider: Provide, to: Make) -> None:
    closed = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        finally:
            closed.set()

    reply = await provider().send(to(f"http://127.0.0.1:{await serve(endless)}/"))
    assert reply.text == "200 " + "x" * 196
    async with asyncio.timeout(30):
        await closed.wait()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"])
async def test_a_silent_receiver_is_a_temporary_failure(serve: Serve, provider: Provide, to: Make, said: bytes) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await asyncio.sleep(3600)

    with pytest.raises(TemporaryFailure) as caught:
        await provider(timeout_seconds=0.1).send(to(f"http://127.0.0.1:{await serve(silent)}/"))
    assert caught.value.code == "webhook_timeout"


@pytest.mark.parametrize("said", [b"", b"220 smtp.example.com\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000])
async def test_a_receiver_that_speaks_no_http_is_a_temporary_failure(
    serve: Serve, provider: Provide, to: Make, said: bytes
) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()

    with pytest.raises(TemporaryFailure) as caught:
        await provider().send(to(f"http://127.0.0.1:{await serve(nonsense)}/"))
    assert caught.value.code == "webhook_unreachable"


async def test_nobody_listening_is_a_temporary_failure(provider: Provide, to: Make) -> None:
    with pytest.raises(TemporaryFailure) as caught:
        await provider().send(to("http://127.0.0.1:1/"))
    assert caught.value.code == "webhook_unreachable"


async def test_a_host_without_an_address_is_a_temporary_failure(provider: Provide, to: Make) -> None:
    with pytest.raises(TemporaryFailure) as caught:
        await provider().send(to("http://nowhere.invalid/"))
    assert caught.value.code == "host_not_found"


async def test_the_environment_cannot_route_around_the_guard(
    serve: Serve, provider: Provide, to: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, receiver = Receiver(), Receiver()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{await serve(proxy)}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{await serve(proxy)}")
    await provider().send(to(f"http://127.0.0.1:{await serve(receiver)}/"))
    assert (len(proxy.requests), len(receiver.requests)) == (0, 1)


async def test_secrets_and_signatures_are_not_logged(
    serve: Serve, provider: Provide, to: Make, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Receiver()
    with caplog.at_level(logging.INFO):
        await provider().send(to(f"http://127.0.0.1:{await serve(receiver)}/"))
    assert SECRET not in caplog.text
    assert receiver.requests[0].headers["webhook-signature"] not in caplog.text


async def test_an_unsubscribe_link_travels_with_promotional_messages(serve: Serve, provider: Provide, to: Make) -> None:
    receiver = Receiver()
    url = f"http://127.0.0.1:{await serve(receiver)}/"
    await provider().send(to(url, purpose=Purpose.PROMOTIONAL, unsubscribe_url="https://c.example/u/1"))
    assert json.loads(receiver.requests[0].body)["unsubscribe_url"] == "https://c.example/u/1"


NOW_MS = 1_760_000_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (b"0", 0),
        (b"120", 120_000),
        (b" 3 ", 3_000),
        (format_datetime(datetime.fromtimestamp(1_760_000_030, UTC), usegmt=True).encode(), 30_000),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 0),
        (b"999999999999999999999999999999", 86_400_000),
        (b"soon", None),
        (b"-5", None),
        (b"\xff", None),
        (b"Thu, 99 Foo 2025 00:00:00 GMT", None),
    ],
)
def test_retry_after(value: bytes | None, expected: int | None) -> None:
    assert parse_retry_after(value, NOW_MS) == expected


def test_a_new_secret_is_valid_and_never_the_same() -> None:
    assert len(decode_secret(generate_secret())) == 32
    assert generate_secret() != generate_secret()


@pytest.mark.parametrize(
    "secret", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_" + "A" * 100]
)
def test_a_bad_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|bytes") as caught:
        WebhookSettings(secret=Secret(secret))
    assert len(secret) < 8 or secret not in str(caught.value)
