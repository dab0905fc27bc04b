"""From an ASGI request to a call of an operation, and from what it gives or raises to an answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import structlog

from chappe.api.rest.answers import Answer
from chappe.api.rest.bodies import ClientLeft, arriving_body, check_list_type, check_media_type, read_body
from chappe.api.rest.call import Call, Server
from chappe.api.rest.errors import InvalidParameter
from chappe.api.rest.operation import Operation
from chappe.api.rest.problems import Problem, problem_answer, problem_of
from chappe.model.errors import ChappeError
from chappe.security.principal import ApiClient

_ANYONE = ApiClient(key_id="", name="anyone")
_BEARER = b"bearer "
_QUERY_FIELDS_MAX = 50
_CHUNK_BYTES = 256 * 1024
_log = structlog.get_logger("chappe.rest")


class Endpoint:
    """An ASGI application for one operation."""

    def __init__(self, operation: Operation, server: Server) -> None:
        self._operation = operation
        self._server = server
        self._parameters = frozenset(parameter.name for parameter in operation.parameters)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            answer = await self._operation.handler(await self._call(scope, receive))
        except ChappeError as error:
            answer = problem_answer(problem_of(error, instance=scope["path"]))
        except ClientLeft:
            return
        except Exception:  # noqa: BLE001 (a defect is logged and answered, and the server goes on)
            _log.exception("request_failed", method=scope["method"], path=scope["path"])
            answer = problem_answer(_defect(scope["path"]))
        await deliver(answer, send)

    async def _call(self, scope: Any, receive: Any) -> Call:
        operation = self._operation
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        client = _ANYONE if operation.public or self._is_local(headers) else self._client(headers)
        query = self._query(scope["query_string"]) if scope["query_string"] else {}
        body = b""
        if operation.upload:
            check_list_type(headers)
        elif operation.body_bytes_max:
            if operation.request is not None and not operation.body_optional:
                check_media_type(headers)
            body = await read_body(receive, headers, operation.body_bytes_max)
        return Call(self._server, client, headers, scope["path_params"], query, body, arriving_body(receive))

    def _client(self, headers: Mapping[bytes, bytes]) -> ApiClient:
        given = headers.get(b"authorization", b"")
        token = given[len(_BEARER) :].strip().decode("latin-1") if given[: len(_BEARER)].lower() == _BEARER else None
        return self._server.authenticator.authenticate_bearer(token)

    def _is_local(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether an operation that is open to this machine is asked for from here, and not through a proxy."""
        return (
            self._operation.public_locally
            and self._server.local
            and not any(name in headers for name in (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"))
        )

    def _query(self, query_string: bytes) -> dict[str, str]:
        if self._operation.public:
            return {}
        try:
            fields = parse_qsl(
                query_string.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=True,
                errors="strict",
                max_num_fields=_QUERY_FIELDS_MAX,
            )
        except ValueError as error:
            raise InvalidParameter(f"The query cannot be read: {error}.") from None
        query: dict[str, str] = {}
        for name, value in fields:
            if name not in self._parameters:
                known = ", ".join(sorted(self._parameters)) or "none"
                raise InvalidParameter(f"There is no parameter {name!r} here; there are: {known}.", parameter=name)
            if name in query:
                raise InvalidParameter(f"{name} is given twice.", parameter=name)
            query[name] = value
        return query


async def deliver(answer: Answer, send: Any) -> None:
    """Send an answer."""
    if answer.file is not None:
        await _deliver_file(answer, answer.file, send)
        return
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _deliver_file(answer: Answer, path: Path, send: Any) -> None:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        size_bytes = os.fstat(file.fileno()).st_size
        headers = [*answer.headers, (b"content-length", str(size_bytes).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        file.close()


def _defect(path: str) -> Problem:
    return problem_of(ChappeError("The server failed to answer; its log says more."), instance=path)
