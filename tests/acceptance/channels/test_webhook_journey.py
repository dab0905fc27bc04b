"""From POST /v1/messages to a real HTTP server that verifies the signature."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from standardwebhooks import Webhook

from chappe.channels.settings import Secret, WebhookSettings
from chappe.channels.webhook_signing import generate_secret

from .conftest import Serve

SECRET = generate_secret()


class Receiver:
    """Answers with the statuses it is given, the last one again and again."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses) or [200]
        self.verified: list[dict[str, object]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                fields = (line.partition(": ") for line in head.split("\r\n")[1:] if line)
                headers = {name.lower(): value for name, _, value in fields}
                body = await reader.readexactly(int(headers["content-length"]))
                self.verified.append(Webhook(SECRET).verify(body, headers))
                status = self.statuses[0] if len(self.statuses) == 1 else self.statuses.pop(0)
                writer.write(f"HTTP/1.1 {status} X\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[Receiver], object]]:
    servers: list[asyncio.Server] = []

    async def start(receiver: Receiver) -> str:
        server = await asyncio.start_server(receiver, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


HOOKS = WebhookSettings(secret=Secret(SECRET), allow_http=True, allowed_networks=("127.0.0.0/8",))


async def test_a_webhook_arrives_signed(chappe: Serve, listen: Callable[..., object]) -> None:
    receiver = Receiver()
    url = f"{await listen(receiver)}/orders?shop=7"
    async with chappe({"webhook": HOOKS}) as client:
        message_id = await client.send(to={"url": url}, content={"data": {"order": 7}}, metadata={"a": "b"})
        assert (await client.settled(message_id))[-1]["status"] == "sent"
    (received,) = receiver.verified
    assert received["id"] == message_id
    assert received["to"] == {"url": url}
    assert received["content"] == {"data": {"order": 7}}
    assert received["metadata"] == {"a": "b"}


async def test_a_receiver_in_trouble_is_tried_again(chappe: Serve, listen: Callable[..., object]) -> None:
    receiver = Receiver(503, 429, 200)
    async with chappe({"webhook": HOOKS}) as client:
        url = str(await listen(receiver))
        events = await client.settled(await client.send(to={"url": url}, content={"data": {}}))
    assert events[-1]["status"] == "sent"
    assert events[-1]["attempt"] == 3
    assert [event["code"] for event in events if event.get("code")] == ["http_503", "http_429"]
    assert len({entry["id"] for entry in receiver.verified}) == 1, "the same id each time"


async def test_a_receiver_that_is_gone_is_tried_once(chappe: Serve, listen: Callable[..., object]) -> None:
    receiver = Receiver(410)
    async with chappe({"webhook": HOOKS}) as client:
        url = str(await listen(receiver))
        events = await client.settled(await client.send(to={"url": url}, content={"data": {}}))
    assert (events[-1]["status"], events[-1]["code"]) == ("undelivered", "http_410")
    assert len(receiver.verified) == 1


async def test_the_server_itself_cannot_be_called(chappe: Serve, listen: Callable[..., object]) -> None:
    receiver = Receiver()
    url = str(await listen(receiver))
    async with chappe({"webhook": WebhookSettings(allow_http=True)}) as client:
        events = await client.settled(await client.send(to={"url": url}, content={"data": {}}))
    assert (events[-1]["status"], events[-1]["code"]) == ("undelivered", "address_refused")
    assert receiver.verified == []
