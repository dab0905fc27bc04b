"""From an AWS request to its answer: find the operation, establish the caller, decode, run, encode.

Knows requests and answers, not sockets; see `http_protocol` for those.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import uuid
from typing import Any

import msgspec
import structlog

from chappe.api import aws_json
from chappe.api.aws_errors import (
    AwsError,
    RequestTooLarge,
    UnknownOperation,
    UnsupportedOperation,
    aws_error,
    internal_failure,
)
from chappe.api.aws_query import NAMESPACE, encode_error
from chappe.api.sqs import NOT_YET, SERVICE, TARGET_PREFIX, Operation, sqs_operations
from chappe.broker.directory import Call
from chappe.broker.shapes import QueueInput, Shape
from chappe.broker.sqs import Sqs
from chappe.model.errors import ChappeError
from chappe.security.authenticator import Authenticator

_log = structlog.get_logger("chappe.api")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_QUEUE_PATH = re.compile(rb"/[0-9]{12}/[A-Za-z0-9_.-]{1,80}")
_HOSTS_REMEMBERED = 1024


class AwsRequest:
    """A request as it came. `headers` in order, names in lower case; `fields` the same as a mapping.

    `abandoned` is set when the client has gone away before the answer was there.
    """

    __slots__ = ("abandoned", "body", "fields", "headers", "keep_alive", "method", "path", "query", "target", "task")

    def __init__(
        self,
        method: bytes,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        fields: dict[bytes, bytes],
        body: bytes,
        *,
        keep_alive: bool = True,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.fields = fields
        self.target = fields.get(b"x-amz-target")
        self.body = body
        self.keep_alive = keep_alive
        self.abandoned = False
        self.task: asyncio.Task[None] | None = None


class AwsResponse(msgspec.Struct, frozen=True):
    """`query_error` is the value of the header `x-amzn-query-error`, empty for none."""

    status: int
    content_type: bytes
    request_id: bytes
    body: bytes
    query_error: bytes = b""


class _Row(msgspec.Struct, frozen=True):
    operation: Operation
    decoder: msgspec.json.Decoder[Any]


class AwsFrontend:
    """Speaks the AWS APIs for one server.

    Queue URLs are told under `public_url` if it is given, else under the host the client used.
    """

    def __init__(self, sqs: Sqs, authenticator: Authenticator, *, public_url: str | None = None) -> None:
        self._authenticator = authenticator
        self._public_url = None if public_url is None else public_url.rstrip("/")
        self._rows = {
            f"{TARGET_PREFIX}.{name}".encode(): _Row(operation, msgspec.json.Decoder(operation.shape))
            for name, operation in sqs_operations(sqs).items()
        }
        self._endpoints: dict[bytes, str] = {}
        self._waiting: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._request_ids = _request_ids()

    def speaks(self, method: bytes, path: bytes, query: bytes, fields: dict[bytes, bytes]) -> bool:
        """Whether a request without `X-Amz-Target` is nevertheless meant for an AWS API."""
        content_type = fields.get(b"content-type", b"")
        if content_type.startswith(b"application/x-amz-json"):
            return True
        if fields.get(b"authorization", b"").startswith(b"AWS4-HMAC-SHA256"):
            return True
        if b"Action=" in query or b"X-Amz-Algorithm=" in query:
            return path == b"/" or _QUEUE_PATH.fullmatch(path) is not None
        return (
            method == b"POST"
            and content_type.startswith(b"application/x-www-form-urlencoded")
            and (path == b"/" or _QUEUE_PATH.fullmatch(path) is not None)
        )

    async def answer(self, request: AwsRequest) -> AwsResponse:
        """Carry out a request. Never raises but when it is cancelled because the client has gone."""
        request_id = next(self._request_ids)
        try:
            output = await self._carry_out(request)
            return AwsResponse(200, aws_json.CONTENT_TYPE, request_id, aws_json.encode(output))
        except ChappeError as error:
            described = aws_error(error)
            if described.status == 500:
                _log.error("aws_request_failed", request_id=request_id.decode(), exc_info=error)
        except Exception as error:  # noqa: BLE001 - the edge of the server: a defect must not close the connection
            _log.error("aws_request_failed", request_id=request_id.decode(), exc_info=error)
            described = internal_failure()
        return self._refusal(request.target is not None or _is_json(request.fields), described, request_id)

    def too_large(self, fields: dict[bytes, bytes], limit_bytes: int) -> AwsResponse:
        """The answer to a request whose body exceeds the limit."""
        error = aws_error(RequestTooLarge(f"HTTP content length exceeded {limit_bytes} bytes."))
        json = b"x-amz-target" in fields or _is_json(fields)
        return self._refusal(json, error, next(self._request_ids))

    def abandon(self, request: AwsRequest) -> None:
        """The client has gone: a receive that waits is ended, anything else is carried through."""
        if request.task in self._waiting:
            request.task.cancel()

    def stop_waiting(self) -> None:
        """Let every waiting receive return empty, now and from here on."""
        self._stopping = True
        for task in self._waiting:
            task.cancel()

    async def _carry_out(self, request: AwsRequest) -> Shape | None:
        row = self._rows.get(request.target or b"")
        if row is None or request.method != b"POST":
            raise self._unknown(request)
        operation = row.operation
        principal = self._authenticator.authenticate_aws(
            request.method, request.path, request.query, request.headers, request.body, operation.service
        )
        try:
            given = row.decoder.decode(request.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            given = aws_json.decode_patiently(request.body, operation.shape)
        if isinstance(given, QueueInput) and given.queue_url is None and request.path != b"/":
            given.queue_url = request.path.decode("ascii", "replace")
        call = Call(principal, self._endpoint(request.fields))
        if operation.give_back is None:
            return await operation.run(call, given)
        return await self._wait(request, operation, call, given)

    async def _wait(self, request: AwsRequest, operation: Operation, call: Call, given: Any) -> Shape | None:
        """Run an operation that may take long: it ends when the client leaves or the server stops."""
        if self._stopping:
            return operation.empty
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            output = await operation.run(call, given)
        except asyncio.CancelledError:
            if not self._stops(request):
                raise
            task.uncancel()
            return operation.empty
        finally:
            self._waiting.discard(task)
        if request.abandoned and operation.give_back is not None:
            await operation.give_back(call, given, output)
        return output

    def _stops(self, request: AwsRequest) -> bool:
        """Whether the request was cancelled because the server stops, with the client still there."""
        return self._stopping and not request.abandoned

    def _unknown(self, request: AwsRequest) -> ChappeError:
        if request.target is None:
            if _is_json(request.fields):
                return UnknownOperation(
                    "The request names no operation: the header X-Amz-Target is missing "
                    f"(for example `X-Amz-Target: {TARGET_PREFIX}.SendMessage`)."
                )
            return UnsupportedOperation(
                "This server speaks the AWS JSON protocol, not the Query protocol: use an SDK of 2024 or later "
                "(boto3 1.34 or later), which sends X-Amz-Target instead of Action."
            )
        target = request.target[:200].decode("ascii", "replace")
        prefix, _, name = target.partition(".")
        if prefix == TARGET_PREFIX and name in NOT_YET:
            return UnsupportedOperation(f"{name} is not supported by this version of Chappe.")
        if request.target in self._rows:
            return UnknownOperation(f"{target} must be sent with POST, not {request.method.decode('ascii')[:20]}.")
        return UnknownOperation(f"There is no operation {target} here.")

    def _endpoint(self, fields: dict[bytes, bytes]) -> str:
        if self._public_url is not None:
            return self._public_url
        host = fields.get(b"host", b"")
        endpoint = self._endpoints.get(host)
        if endpoint is None:
            text = host.decode("ascii", "replace")
            endpoint = f"http://{text if _HOST.fullmatch(text) else 'localhost'}"
            if len(self._endpoints) >= _HOSTS_REMEMBERED:
                self._endpoints.clear()
            self._endpoints[host] = endpoint
        return endpoint

    def _refusal(self, json: bool, error: AwsError, request_id: bytes) -> AwsResponse:
        if not json:
            return AwsResponse(
                error.status, b"text/xml", request_id, encode_error(error, request_id, NAMESPACE[SERVICE])
            )
        fault = "Sender" if error.sender_fault else "Receiver"
        query_error = b"" if error.query_code is None else f"{error.query_code};{fault}".encode()
        return AwsResponse(error.status, aws_json.CONTENT_TYPE, request_id, aws_json.encode_error(error), query_error)


def _is_json(fields: dict[bytes, bytes]) -> bool:
    return fields.get(b"content-type", b"").startswith(b"application/x-amz-json")


def _request_ids() -> Any:
    """Ids in the form of a UUID: the first parts are this process's own, the last part counts."""
    start = str(uuid.uuid4())[:24]
    return (f"{start}{number:012x}".encode() for number in itertools.count(1))
