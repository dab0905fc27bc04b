"""A bare HTTP/1.1 client over a socket, for what no SDK would send."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.wire.live import GIVE_UP_SECONDS, REGION, LiveServer

JSON = "application/x-amz-json-1.0"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The name of an AWS error, without its namespace."""
        return str(json.loads(self.body)["__type"]).rpartition("#")[2]

    @property
    def message(self) -> str:
        return str(json.loads(self.body)["message"])


class RawClient:
    """One connection."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.socket = socket.create_connection(server.address, timeout=GIVE_UP_SECONDS)
        self._unread = b""

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.socket.sendall(part)

    def receive(self) -> Answer:
        """The next answer; interim answers (1xx) are answers too."""
        while b"\r\n\r\n" not in self._unread:
            self._fill()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        status_line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._unread) < length:
            self._fill()
        body, self._unread = self._unread[:length], self._unread[length:]
        return Answer(int(status_line.split(" ")[1]), headers, body)

    def closed(self) -> bool:
        """Wait until the server closes the connection; False if it says something instead."""
        if self._unread:
            return False
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def ask(self, body: bytes, target: str = "SendMessage", **changes: Any) -> Answer:
        self.send(signed(self.server, body, target, **changes))
        return self.receive()

    def _fill(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(f"the server closed the connection after {self._unread!r}")
        self._unread += data


def signed(
    server: LiveServer,
    body: bytes,
    target: str | None = "SendMessage",
    *,
    path: str = "/",
    method: str = "POST",
    content_type: str = JSON,
    extra: Iterable[tuple[str, str]] = (),
    secret: str | None = None,
    key_id: str | None = None,
    at: datetime | None = None,
) -> bytes:
    """The bytes of a request, signed with the server's key unless told otherwise."""
    headers = {"Content-Type": content_type}
    if target is not None:
        headers["X-Amz-Target"] = target if "." in target else f"AmazonSQS.{target}"
    host = f"127.0.0.1:{server.server.port}"
    request = AWSRequest(method, f"http://{host}{path}", data=body, headers=headers)
    credentials = Credentials(key_id or server.access_key.id, secret or server.access_key.secret)
    sign(SigV4Auth(credentials, "sqs", REGION), request, at)
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in (*request.headers.items(), *extra)]
    return "\r\n".join([*head, "", ""]).encode() + body


def sign(signer: SigV4Auth, request: AWSRequest, at: datetime | None) -> None:
    from unittest import mock

    when = (at or datetime.now(UTC)).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=when):
        signer.add_auth(request)


def message(url: str, body: object = "hello", **more: object) -> bytes:
    """The JSON of a SendMessage."""
    return json.dumps({"QueueUrl": url, "MessageBody": body, **more}).encode()
