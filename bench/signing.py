"""Requests to the SQS API, signed with Signature Version 4.

Signing takes several times as long as sending, so requests that are known beforehand are signed by botocore
and replayed (a signature is good for 15 minutes). The receipt handles that a delete needs are known only when
the receive was answered, so those requests are signed as they are made, by a signer for this one shape of
request that is checked against botocore's.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
from typing import Any

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"
_CONTENT_TYPE = "application/x-amz-json-1.0"
_SIGNED = "content-type;host;x-amz-date;x-amz-target"


class Signer:
    """Makes whole HTTP requests for one endpoint and access key."""

    def __init__(self, address: tuple[str, int], access_key_id: str, secret_access_key: str) -> None:
        self._host = f"{address[0]}:{address[1]}"
        self._credentials = Credentials(access_key_id, secret_access_key)
        now = datetime.datetime.now(datetime.UTC)
        self._timestamp = now.strftime("%Y%m%dT%H%M%SZ")
        day = self._timestamp[:8]
        self._scope = f"{day}/{REGION}/sqs/aws4_request"
        self._key = b"AWS4" + secret_access_key.encode()
        for part in (day, REGION, "sqs", "aws4_request"):
            self._key = hmac.digest(self._key, part.encode(), "sha256")
        self._credential = f"{access_key_id}/{self._scope}"
        self._check()

    def by_botocore(self, operation: str, parameters: dict[str, Any]) -> bytes:
        """A request as an AWS SDK signs it."""
        body = msgspec.json.encode(parameters)
        headers = {"Content-Type": _CONTENT_TYPE, "X-Amz-Target": f"AmazonSQS.{operation}"}
        request = AWSRequest("POST", f"http://{self._host}/", headers=headers, data=body)
        SigV4Auth(self._credentials, "sqs", REGION).add_auth(request)
        lines = [f"POST / HTTP/1.1\r\nHost: {self._host}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def sign(self, operation: str, body: bytes) -> bytes:
        """The same, quickly."""
        target = f"AmazonSQS.{operation}"
        canonical = (
            f"POST\n/\n\ncontent-type:{_CONTENT_TYPE}\nhost:{self._host}\nx-amz-date:{self._timestamp}\n"
            f"x-amz-target:{target}\n\n{_SIGNED}\n{hashlib.sha256(body).hexdigest()}"
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self._timestamp}\n{self._scope}\n{digest}"
        signature = hmac.digest(self._key, text.encode(), "sha256").hex()
        return (
            f"POST / HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: {_CONTENT_TYPE}\r\nX-Amz-Target: {target}\r\n"
            f"X-Amz-Date: {self._timestamp}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={self._credential}, "
            f"SignedHeaders={_SIGNED}, Signature={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def _check(self) -> None:
        """Sign one request both ways, at the same second, and compare the signatures."""
        parameters = {"QueueName": "check"}
        reference = self.by_botocore("CreateQueue", parameters)
        headers = reference.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        stated = dict(line.split(": ", 1) for line in headers)
        kept, self._timestamp = self._timestamp, stated["X-Amz-Date"]
        ours = self.sign("CreateQueue", msgspec.json.encode(parameters))
        self._timestamp = kept
        if stated["Authorization"].encode() not in ours:
            raise AssertionError("the quick signer disagrees with botocore")
