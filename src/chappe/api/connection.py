"""Answering on one connection: in order, within bounds, and how it ends.

What arrives is the business of `http_protocol.ChappeProtocol`, which builds on this.
"""

from __future__ import annotations

import asyncio
import http
from collections import deque
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from chappe.api.aws_frontend import AwsFrontend
from chappe.api.aws_messages import AwsRequest, AwsResponse
from chappe.api.limits import HttpLimits
from chappe.api.refusals import Refusal, refusal_bytes

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in http.HTTPStatus}


class Shared:
    """What the connections of one server have in common."""

    def __init__(self, aws: AwsFrontend, limits: HttpLimits, *, open_mode: bool) -> None:
        self.aws = aws
        self.limits = limits
        self.open_mode = open_mode
        self.incomplete_bodies_bytes = 0
        self.date_line = b""
        self.connection_closed = asyncio.Event()


class Connection(HttpToolsProtocol):
    """Builds on uvicorn's protocol, which carries out the ASGI requests.

    Its `pipeline` holds what waits for its turn: ASGI cycles with their application, and AWS requests with
    None.
    """

    def __init__(self, config: Config, server_state: ServerState, shared: Shared) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        self.pipeline: deque[Any] = deque()
        self._shared = shared
        self._limits = shared.limits
        self._running: AwsRequest | None = None
        self._held_back = False
        self._owes_continue = False
        self._receiving = False
        self._uploading = False
        self._in_head = False
        self._refused = False
        self._last_words: bytes | None = None
        self._closing_soon = False
        self._request_since: float | None = None
        self._idle_since = self.loop.time()
        self._closing_since: float | None = None
        self._stalled_since: float | None = None

    def connection_lost(self, exc: Exception | None) -> None:
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

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled_since = None
        if self._held_back:
            self._held_back = False
            self._next()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled_since = self.loop.time()

    # --- answering in order -------------------------------------------------------------------------------

    def _busy(self) -> bool:
        """Whether an earlier request is not answered yet."""
        return self._running is not None or bool(self.pipeline) or self._asgi_running()

    def _asgi_running(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _take_turn(self, request: AwsRequest) -> None:
        """Start the request, or have it wait for its turn."""
        if self._busy():
            self.flow.pause_reading()
            self.pipeline.appendleft((request, None))
        else:
            self._start(request)

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
                self.transport.write(CONTINUE)
            self.flow.resume_reading()

    # --- refusing and closing -----------------------------------------------------------------------------

    def _refuse(self, why: Refusal | bytes) -> None:
        """Answer (after what was asked before) and read no further from this client."""
        if self._refused:
            return
        self._refused = True
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
                self._refuse(
                    Refusal(
                        408, "request_timeout", f"The request head took longer than {limits.head_seconds:g} seconds."
                    )
                )
            elif now - self._request_since > (limit := self._seconds_to_arrive()):
                self._refuse(Refusal(408, "request_timeout", f"The request took longer than {limit:g} seconds."))
        elif not self._busy() and now - self._idle_since > limits.idle_seconds:
            self.transport.close()

    def _seconds_to_arrive(self) -> float:
        # Who is refused an upload gets no longer than others to notice.
        return self._limits.upload_seconds if self._uploading and self._asgi_running() else self._limits.request_seconds


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
