"""One connection: parses HTTP/1.1, answers AWS requests itself and hands all others to the ASGI application.

Going through ASGI costs more than the work of most AWS requests, so they do not. Requests are answered in the
order in which they came, whichever way they go. Everything a client can make the server hold is bounded
(`HttpLimits`); the times are watched by `server.Watchman`, so that a request which arrives in one piece sets
no timer.
"""

from __future__ import annotations

import asyncio
import http
from collections import deque
from typing import Any

import httptools
import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from chappe.api.aws_frontend import AwsFrontend, AwsRequest, AwsResponse
from chappe.api.limits import HttpLimits
from chappe.api.refusals import TOO_MANY_CONNECTIONS, Refusal, refusal_bytes

_log = structlog.get_logger("chappe.http")
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in http.HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_DISCARD_BYTES = 64 * 1_048_576


class Shared:
    """What the connections of one server have in common."""

    def __init__(self, aws: AwsFrontend, limits: HttpLimits) -> None:
        self.aws = aws
        self.limits = limits
        self.incomplete_bodies_bytes = 0
        self.date_line = b""
        self.connection_closed = asyncio.Event()


class ChappeProtocol(HttpToolsProtocol):
    """Builds on uvicorn's protocol, which does the ASGI side.

    Its `pipeline` holds what waits for its turn: ASGI cycles with their application, and AWS requests with
    None.
    """

    def __init__(self, config: Config, server_state: ServerState, shared: Shared) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        self.pipeline: deque[Any] = deque()
        self._shared = shared
        self._limits = shared.limits
        self._fields: dict[bytes, bytes] = {}
        self._body: bytes | bytearray = b""
        self._body_bytes = 0
        self._for_aws = False
        self._declined_upgrade = False
        self._receiving = False
        self._in_head = False
        self._head_bytes = 0
        self._owes_continue = False
        self._running: AwsRequest | None = None
        self._held_back = False
        self._last_words: bytes | None = None
        self._refused = False
        self._discarded_bytes = 0
        self._closing_soon = False
        self._request_since: float | None = None
        self._idle_since = self.loop.time()
        self._closing_since: float | None = None
        self._stalled_since: float | None = None

    # --- the transport ------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._account_body(0)
        self.pipeline.clear()
        running, self._running = self._running, None
        if running is not None:
            running.abandoned = True
            task = running.task
            if task is not None:
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
                self._shared.aws.abandon(running)
        super().connection_lost(exc)
        self._shared.connection_closed.set()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > _DISCARD_BYTES:
                self.transport.abort()
            return
        was_in_head = self._in_head
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, httptools.HttpParserError):
                _log.error("connection_failed", exc_info=cause)
            self._refuse(Refusal(400, "The request could not be understood."))
        except httptools.HttpParserError as error:
            self._refuse(Refusal(400, f"This is not HTTP: {error}."))
        if self._receiving and self._request_since is None:
            self._request_since = self.loop.time()
        if was_in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                self._refuse(Refusal(431, f"The request head exceeds {self._limits.head_bytes} bytes."))

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if not self._declined_upgrade:
                    self.handle_websocket_upgrade()
                    return
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """The head of this request again, without the offer we decline.

        The parser takes what follows an `Upgrade` for another protocol. Some clients (that of the JDK by default)
        offer h2c with every request and send its body as usual, so it is read again as if there had been no offer.
        """
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join((*lines, b"", b""))

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled_since = None
        if self._held_back:
            self._held_back = False
            self._next()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled_since = self.loop.time()

    # --- the parser ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._for_aws = False
        self._declined_upgrade = False
        self._body = b""
        self._body_bytes = 0
        self._receiving = self._in_head = True
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._refused:
            return
        if self.parser.should_upgrade() and not self._should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._refuse(Refusal(405, "This is no proxy."))
            self._declined_upgrade = True
            return
        if len(self.headers) > self._limits.headers:
            self._refuse(Refusal(431, f"The request has more than {self._limits.headers} header fields."))
            return
        fields = self._fields = dict(self.headers)
        if b"x-amz-target" in fields or self._shared.aws.speaks(
            self.parser.get_method(), *self._path_and_query(), fields
        ):
            self._for_aws = True
            self._begin_aws(fields)
        else:
            self._begin_asgi(fields)

    def on_body(self, body: bytes) -> None:
        if self._refused:
            return
        if not self._for_aws:
            self._body_bytes += len(body)
            if self._body_bytes > self._limits.rest_body_bytes:
                self._refuse(Refusal(413, f"The body exceeds {self._limits.rest_body_bytes} bytes."))
                return
            super().on_body(body)
            return
        self._account_body(self._body_bytes + len(body))
        if self._body_bytes > self._limits.aws_body_bytes:
            self._refuse_too_large()
        elif self._shared.incomplete_bodies_bytes > self._limits.incomplete_bodies_bytes:
            self._refuse(Refusal(503, "The server is receiving too much at once. Try again."))
        elif not self._body:
            self._body = body
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += body

    def on_message_complete(self) -> None:
        self._receiving = False
        self._request_since = None
        if self._refused or self._declined_upgrade:
            return
        if not self._for_aws:
            super().on_message_complete()
            return
        self._account_body(0)
        path, query = self._path_and_query()
        request = AwsRequest(
            self.parser.get_method(),
            path,
            query,
            self.headers,
            self._fields,
            bytes(self._body),
            keep_alive=self.parser.should_keep_alive() and self.parser.get_http_version() == "1.1",
        )
        self._body = b""
        if self._busy():
            self.flow.pause_reading()
            self.pipeline.appendleft((request, None))
        else:
            self._start(request)

    def _path_and_query(self) -> tuple[bytes, bytes]:
        if self.url == b"/":
            return b"/", b""
        url = httptools.parse_url(self.url)
        return url.path or b"/", url.query or b""

    def _begin_aws(self, fields: dict[bytes, bytes]) -> None:
        stated = fields.get(b"content-length")
        if stated is not None and int(stated) > self._limits.aws_body_bytes:
            self._refuse_too_large()
        elif fields.get(b"expect", b"").lower() == b"100-continue":
            if self._busy():
                self._owes_continue = True
            else:
                self.transport.write(_CONTINUE)

    def _begin_asgi(self, fields: dict[bytes, bytes]) -> None:
        """Let uvicorn begin the request as if it had seen the head itself."""
        stated = fields.get(b"content-length")
        if stated is not None and int(stated) > self._limits.rest_body_bytes:
            self._refuse(Refusal(413, f"The body exceeds {self._limits.rest_body_bytes} bytes."))
            return
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = fields.get(b"expect", b"").lower() == b"100-continue"
        super().on_headers_complete()

    def _account_body(self, body_bytes: int) -> None:
        if self._for_aws:
            self._shared.incomplete_bodies_bytes += body_bytes - self._body_bytes
            self._body_bytes = body_bytes

    # --- answering in order -------------------------------------------------------------------------------

    def _busy(self) -> bool:
        """Whether an earlier request is not answered yet."""
        return self._running is not None or bool(self.pipeline) or self._asgi_running()

    def _asgi_running(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _start(self, request: AwsRequest) -> None:
        self._running = request
        request.task = self.loop.create_task(self._run(request))

    async def _run(self, request: AwsRequest) -> None:
        response = await self._shared.aws.answer(request)
        if self._running is request:
            self._running = None
            self._write(response, keep_alive=request.keep_alive and not self._closing_soon)

    def _write(self, response: AwsResponse, *, keep_alive: bool) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(response_bytes(response, self._shared.date_line, keep_alive=keep_alive))
        self.server_state.total_requests += 1
        if not keep_alive:
            self.transport.close()
        else:
            self._next()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._running is not None or self.pipeline:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, app))
        else:
            super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self._next()

    def _next(self) -> None:
        """Start the request whose turn it is, unless the client leaves our answers unread."""
        if self.flow.write_paused:
            self._held_back = True
        elif self.pipeline:
            request, app = self.pipeline.pop()
            if isinstance(request, AwsRequest):
                self._start(request)
            else:
                super()._start_asgi_task(request, app)
        elif self._last_words is not None:
            self._say_last_words()
        elif self._closing_soon and not self._receiving:
            self.transport.close()
        else:
            self._idle_since = self.loop.time()
            if self._owes_continue:
                self._owes_continue = False
                self.transport.write(_CONTINUE)
            self.flow.resume_reading()

    # --- refusing and closing -----------------------------------------------------------------------------

    def _refuse_too_large(self) -> None:
        response = self._shared.aws.too_large(self._fields, self._limits.aws_body_bytes)
        self._refuse(response_bytes(response, self._shared.date_line, keep_alive=False))

    def _refuse(self, why: Refusal | bytes) -> None:
        """Answer (after what was asked before) and read no further from this client."""
        if self._refused:
            return
        self._refused = True
        self._account_body(0)
        self._body = b""
        self._last_words = why if isinstance(why, bytes) else refusal_bytes(why, self._shared.date_line)
        if self._running is not None or self.pipeline:
            return
        if self._asgi_running():
            if self.cycle.response_started or not self._receiving:
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._say_last_words()

    def _say_last_words(self) -> None:
        """Write the refusal and close our side; the client gets a moment to read it before the line is cut."""
        words, self._last_words = self._last_words, None
        if words is None or self.transport.is_closing():
            return
        self.transport.write(words)
        self._closing_since = self.loop.time()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()

    def shutdown(self) -> None:
        """Close when the requests under way are answered."""
        self._closing_soon = True
        if self._asgi_running():
            self.cycle.keep_alive = False
        elif self._running is None and not self.pipeline and not self._receiving:
            self.transport.close()

    def check_times(self, now: float) -> None:
        """Close what has taken too long; called about once a second."""
        limits = self._limits
        if self.transport.is_closing() or self._closing_since is not None:
            if self._closing_since is None:
                self._closing_since = now
            elif now - self._closing_since > limits.linger_seconds:
                self.transport.abort()
        elif self._stalled_since is not None:
            if now - self._stalled_since > limits.stalled_seconds:
                self.transport.abort()
        elif self._request_since is not None:
            if self.flow.read_paused:
                self._request_since = now
            elif self._in_head and now - self._request_since > limits.head_seconds:
                self._refuse(Refusal(408, f"The request head took longer than {limits.head_seconds:g} seconds."))
            elif now - self._request_since > limits.request_seconds:
                self._refuse(Refusal(408, f"The request took longer than {limits.request_seconds:g} seconds."))
        elif not self._busy() and now - self._idle_since > limits.idle_seconds:
            self.transport.close()


def response_bytes(response: AwsResponse, date_line: bytes, *, keep_alive: bool) -> bytes:
    parts = [
        _STATUS_LINES[response.status],
        b"x-amzn-RequestId: ",
        response.request_id,
        b"\r\nContent-Type: ",
        response.content_type,
        b"\r\nContent-Length: %d\r\n" % len(response.body),
        date_line,
    ]
    if response.query_error:
        parts += (b"x-amzn-query-error: ", response.query_error, b"\r\n")
    if not keep_alive:
        parts.append(b"Connection: close\r\n")
    parts += (b"\r\n", response.body)
    return b"".join(parts)
