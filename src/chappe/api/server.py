"""The server: one port for the AWS APIs and for the ASGI application (REST)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import structlog
from uvicorn.config import Config
from uvicorn.server import ServerState

from chappe.api.aws_frontend import AwsFrontend
from chappe.api.connection import Shared
from chappe.api.http_protocol import ChappeProtocol
from chappe.api.limits import HttpLimits

_log = structlog.get_logger("chappe.http")
BACKLOG = 2048
GRACE_SECONDS = 10.0


class RunningServer:
    """A server that accepts connections until `close` is called."""

    def __init__(self, listener: asyncio.Server, state: ServerState, shared: Shared, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._listener = listener
        self._state = state
        self._shared = shared
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def close(self, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """Stop accepting, let waiting receives return empty, answer what is under way, then close.

        Connections that are still busy after `grace_seconds` are cut. Close the engine after this, not
        before.
        """
        self._listener.close()
        self._shared.aws.stop_waiting()
        for connection in list(self._connections()):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._drained()
        for connection in list(self._connections()):
            connection.transport.abort()
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        self._watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watching
        await self._listener.wait_closed()

    async def _drained(self) -> None:
        while self._state.connections:
            self._shared.connection_closed.clear()
            await self._shared.connection_closed.wait()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """Keep the Date header current and close connections that take too long."""
        loop = asyncio.get_running_loop()
        while True:
            self._shared.date_line = date_line()
            now = loop.time()
            for connection in list(self._connections()):
                connection.check_times(now)
            await asyncio.sleep(self._shared.limits.watch_seconds)

    def _connections(self) -> set[ChappeProtocol]:
        connections: set[Any] = self._state.connections
        return connections


async def serve(
    asgi_app: Any,
    aws: AwsFrontend,
    *,
    host: str = "127.0.0.1",
    port: int = 9324,
    limits: HttpLimits | None = None,
    open_mode: bool = False,
    before_listening: Callable[[str, int], None] = lambda host, port: None,
) -> RunningServer:
    """Listen on `host` and `port` (0 picks a free one, told in `RunningServer.port`).

    AWS requests go to `aws`, all others to `asgi_app`, whose lifespan is the caller's business: no lifespan
    events are sent. `open_mode` says that no credentials are asked for, so that web pages must be kept out (see
    `api.open_mode`). `before_listening` is called with the bound address while it still refuses connections.
    Raises `OSError` if the address cannot be bound.
    """
    config = Config(
        asgi_app,
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
        proxy_headers=False,
    )
    config.load()
    state = ServerState()
    shared = Shared(aws, limits or HttpLimits(), open_mode=open_mode)
    shared.date_line = date_line()
    listener = await asyncio.get_running_loop().create_server(
        lambda: ChappeProtocol(config, state, shared),
        host,
        port,
        backlog=BACKLOG,
        family=_family(host),
        start_serving=False,
    )
    bound = listener.sockets[0].getsockname()
    before_listening(host, bound[1])
    await listener.start_serving()
    return RunningServer(listener, state, shared, host, bound[1])


def date_line() -> bytes:
    return f"Date: {formatdate(time.time(), usegmt=True)}\r\n".encode()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_UNSPEC
