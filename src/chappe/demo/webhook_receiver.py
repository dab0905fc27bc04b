"""A real HTTP server on loopback that verifies webhooks and keeps them, and is troublesome on request.

`/fail+once` answers 503 to the first attempt of each message, `/gone` answers 410.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import httptools
import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

_MAX_BODY_BYTES = 32 * 1024 * 1024
_ANSWERS = {
    200: b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nkept",
    400: b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    401: b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 17\r\n\r\nsignature invalid",
    410: b"HTTP/1.1 410 Gone\r\ncontent-length: 4\r\n\r\ngone",
    503: b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 7\r\n\r\nnot now",
}


class WebhookReceiver:
    """Takes every message whose signature is right; appends each to `file`."""

    def __init__(self, file: Path, secret: str) -> None:
        self.received = 0
        self.file = file
        self._webhook = Webhook(secret)
        self._refused_once: set[str] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on loopback; `port` 0 takes a free one. Answers the port. Raises `OSError`."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """The status to answer with."""
        try:
            self._webhook.verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            return 401
        if path.startswith("/gone"):
            return 410
        message_id = headers["webhook-id"]
        if path.startswith("/fail+once") and message_id not in self._refused_once:
            self._refused_once.add(message_id)
            return 503
        with self.file.open("ab") as stream:
            stream.write(msgspec.json.encode({"path": path, "headers": headers, "body": msgspec.Raw(body)}) + b"\n")
        self.received += 1
        return 200


class _Connection(asyncio.Protocol):
    """One connection; httptools calls the `on_` methods."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        self._receiver = receiver
        self._parser = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(_ANSWERS[400])
            self._transport.close()

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > _MAX_BODY_BYTES:
            self._transport.abort()

    def on_message_complete(self) -> None:
        path = self._url.decode("latin-1").partition("?")[0]
        self._transport.write(_ANSWERS[self._receiver.take(path, self._headers, bytes(self._body))])
