"""A request signed by botocore, and keys to verify it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY_ID = "AKIAQYLPMN5HHHFPZAM2"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@dataclass
class FixedKeys:
    """A key source with one key, which can be changed."""

    keys: dict[str, tuple[str, str]] = field(default_factory=lambda: {KEY_ID: (SECRET, "123456789012")})
    generation: int = 0

    def signing_secret(self, access_key_id: str) -> tuple[str, str] | None:
        return self.keys.get(access_key_id)


@dataclass
class SignedRequest:
    method: bytes
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def replaced(self, name: bytes, value: bytes) -> SignedRequest:
        headers = [(n, value if n == name else v) for n, v in self.headers]
        return SignedRequest(self.method, self.path, self.query, headers, self.body)


def sign(
    body: bytes = b"{}",
    *,
    url: str = "http://127.0.0.1:9324/",
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    key_id: str = KEY_ID,
    secret: str = SECRET,
    region: str = "eu-west-1",
    service: str = "sqs",
    at: datetime = NOW,
    presigned_seconds: int | None = None,
) -> SignedRequest:
    """Sign with botocore's own signer, as of `at`, and give the request as the server's parser sees it."""
    request = AWSRequest(method, url, data=body, headers=dict(headers or {"X-Amz-Target": "AmazonSQS.ListQueues"}))
    credentials = Credentials(key_id, secret)
    signer = (
        SigV4Auth(credentials, service, region)
        if presigned_seconds is None
        else SigV4QueryAuth(credentials, service, region, expires=presigned_seconds)
    )
    with mock.patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        signer.add_auth(request)
    parts = urlsplit(request.url)
    sent = [(b"host", parts.netloc.encode())]
    sent += [(name.lower().encode(), str(value).encode()) for name, value in request.headers.items()]
    sent.append((b"content-length", str(len(body)).encode()))
    return SignedRequest(method.encode(), parts.path.encode() or b"/", parts.query.encode(), sent, body)
