"""A client that knows of each request whether it was answered: one connection, no retries, signed requests."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

CONTENT_TYPE = "application/x-amz-json-1.0"
SIGNED = "content-type;host;x-amz-date;x-amz-target"
ANSWER_SECONDS = 60.0


class Unanswered(Exception):
    """The connection broke before the answer was complete: what was asked for may have happened or not."""


class Refused(Exception):
    """The server answered with an error: nothing of it happened."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Signer:
    """Signature Version 4 for requests of this one shape."""

    def __init__(self, access_key: str, secret: str, region: str) -> None:
        self._access_key, self._secret, self.region = access_key, secret, region
        self._day, self._key = "", b""

    def sign(self, host: str, operation: str, body: bytes, at: datetime) -> bytes:
        """The whole request, ready to be sent."""
        timestamp = at.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{timestamp[:8]}/{self.region}/sqs/aws4_request"
        target = f"AmazonSQS.{operation}"
        canonical = (
            f"POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\nx-amz-date:{timestamp}\nx-amz-target:{target}\n\n"
            f"{SIGNED}\n{hashlib.sha256(body).hexdigest()}"
        )
        text = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(timestamp[:8]), text.encode(), "sha256").hex()
        return (
            f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: {CONTENT_TYPE}\r\nX-Amz-Target: {target}\r\n"
            f"X-Amz-Date: {timestamp}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={self._access_key}/{scope}, "
            f"SignedHeaders={SIGNED}, Signature={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def _key_of(self, day: str) -> bytes:
        if day != self._day:
            self._day, self._key = day, b"AWS4" + self._secret.encode()
            for part in (day, self.region, "sqs", "aws4_request"):
                self._key = hmac.digest(self._key, part.encode(), "sha256")
        return self._key


class Connection:
    """`on_sent` is told of each request, and of how many bytes it has, the moment it has been handed to the kernel."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        host: str,
        signer: Signer,
        on_sent: Callable[[str, int], None],
    ) -> None:
        self._reader, self._writer, self._host, self._signer = reader, writer, host, signer
        self._on_sent = on_sent

    @classmethod
    async def open(
        cls, port: int, signer: Signer, on_sent: Callable[[str, int], None] = lambda operation, request_bytes: None
    ) -> Connection:
        """Raises `Unanswered` if nobody listens."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        except OSError as error:
            raise Unanswered("not connected") from error
        return cls(reader, writer, f"127.0.0.1:{port}", signer, on_sent)

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer. Raises `Refused`, and `Unanswered` if the server was gone before it."""
        body = msgspec.json.encode(parameters)
        request = self._signer.sign(self._host, operation, body, datetime.now(UTC))
        try:
            self._writer.write(request)
            self._on_sent(operation, len(request))
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._writer.drain()
                status, answer = await self._read()
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise Unanswered(operation) from error
        if status == 200:
            return dict(json.loads(answer)) if answer else {}
        assert 400 <= status < 500, f"{operation} was answered with {status}: {answer[:500]!r}"
        named = json.loads(answer)
        raise Refused(named["__type"].rpartition("#")[2], named.get("message", ""))

    async def _read(self) -> tuple[int, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        length = next(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
        return int(lines[0].split(" ")[1]), await self._reader.readexactly(length)

    async def pause(self, seconds: float) -> None:
        """Sleep. Raises `Unanswered` if the server is gone afterwards."""
        await asyncio.sleep(seconds)
        if self._reader.at_eof() or self._reader.exception() is not None:
            raise Unanswered("nothing was asked")

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
