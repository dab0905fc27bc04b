"""From an AWS request to its answer: find the operation, establish the caller, decode, run, encode.

Knows requests and answers, not sockets (see `http_protocol`), and no wire format (see `aws_json` and `aws_query`).
"""

from __future__ import annotations

import asyncio
import itertools
import re
import uuid
from typing import Any

import structlog

from chappe.api import sqs as sqs_table
from chappe.api import sts
from chappe.api.aws_errors import RequestTooLarge, aws_error, internal_failure
from chappe.api.aws_json import JsonCodec
from chappe.api.aws_messages import AwsRequest, AwsResponse
from chappe.api.aws_query import FORM, QueryCodec, QueryService
from chappe.api.operations import Codec, Operation
from chappe.broker.directory import Call
from chappe.broker.shapes import QueueInput, Shape
from chappe.broker.sqs import Sqs
from chappe.model.errors import ChappeError
from chappe.security.authenticator import Authenticator

_log = structlog.get_logger("chappe.api")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_QUEUE_PATH = re.compile(rb"/[0-9]{12}/[A-Za-z0-9_.-]{1,80}")
_HOSTS_REMEMBERED = 1024


class AwsFrontend:
    """Speaks the AWS APIs for one server.

    Queue URLs are told under `public_url` if it is given, else under the host the client used.
    """

    def __init__(self, sqs: Sqs, authenticator: Authenticator, *, public_url: str | None = None) -> None:
        self._authenticator = authenticator
        self._public_url = None if public_url is None else public_url.rstrip("/")
        operations = sqs_table.sqs_operations(sqs)
        self._json: Codec = JsonCodec({sqs_table.TARGET_PREFIX: operations.values()})
        self._query: Codec = QueryCodec(
            {
                sqs_table.SERVICE: QueryService(sqs_table.NAMESPACE, operations),
                sts.SERVICE: QueryService(sts.NAMESPACE, sts.sts_operations()),
            }
        )
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
            and content_type.startswith(FORM)
            and (path == b"/" or _QUEUE_PATH.fullmatch(path) is not None)
        )

    async def answer(self, request: AwsRequest) -> AwsResponse:
        """Carry out a request. Never raises but when it is cancelled because the client has gone."""
        request_id = next(self._request_ids)
        codec = self._codec(request.fields)
        operation = None
        try:
            operation = codec.operation(request)
            output = await self._carry_out(request, codec, operation)
            return codec.answer(operation, output, request_id)
        except ChappeError as error:
            described = aws_error(error)
            if described.status == 500:
                _log.error("aws_request_failed", request_id=request_id.decode(), exc_info=error)
        except Exception as error:  # noqa: BLE001 - the edge of the server: a defect must not close the connection
            _log.error("aws_request_failed", request_id=request_id.decode(), exc_info=error)
            described = internal_failure()
        return codec.refusal(operation, described, request_id)

    def too_large(self, fields: dict[bytes, bytes], limit_bytes: int) -> AwsResponse:
        """The answer to a request whose body exceeds the limit."""
        error = aws_error(RequestTooLarge(f"HTTP content length exceeded {limit_bytes} bytes."))
        return self._codec(fields).refusal(None, error, next(self._request_ids))

    def abandon(self, request: AwsRequest) -> None:
        """The client has gone: a receive that waits is ended, anything else is carried through."""
        if request.task in self._waiting:
            request.task.cancel()

    def stop_waiting(self) -> None:
        """Let every waiting receive return empty, now and from here on."""
        self._stopping = True
        for task in self._waiting:
            task.cancel()

    def _codec(self, fields: dict[bytes, bytes]) -> Codec:
        json = b"x-amz-target" in fields or fields.get(b"content-type", b"").startswith(b"application/x-amz-json")
        return self._json if json else self._query

    async def _carry_out(self, request: AwsRequest, codec: Codec, operation: Operation) -> Shape | None:
        principal = self._authenticator.authenticate_aws(
            request.method,
            request.path,
            request.query,
            request.headers,
            request.fields,
            request.body,
            operation.service,
        )
        given = codec.decode(request, operation)
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


def _request_ids() -> Any:
    """Ids in the form of a UUID: the first parts are this process's own, the last part counts."""
    start = str(uuid.uuid4())[:24]
    return (f"{start}{number:012x}".encode() for number in itertools.count(1))
