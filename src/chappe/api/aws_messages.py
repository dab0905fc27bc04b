"""An AWS request as it came from the wire and the answer that goes back; neither knows a socket."""

from __future__ import annotations

import asyncio

import msgspec


class AwsRequest:
    """A request as it came. `headers` in order, names in lower case; `fields` the same as a mapping.

    `parameters` are those of the Query protocol, once they were read. `abandoned` is set when the client has gone
    away before the answer was there.
    """

    __slots__ = (
        "abandoned",
        "body",
        "fields",
        "headers",
        "keep_alive",
        "method",
        "parameters",
        "path",
        "query",
        "target",
        "task",
    )

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
        self.parameters: dict[str, str] = {}
        self.abandoned = False
        self.task: asyncio.Task[None] | None = None


class AwsResponse(msgspec.Struct, frozen=True):
    """`query_error` is the value of the header `x-amzn-query-error`, empty for none."""

    status: int
    content_type: bytes
    request_id: bytes
    body: bytes
    query_error: bytes = b""
