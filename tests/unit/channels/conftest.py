"""Peers for the channels: real servers on loopback, in the test's own event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from chappe.channels.base import Outbound
from chappe.model.customer import Channel, Content, Purpose, Recipient


@pytest.fixture(scope="session")
def certificate_authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(certificate_authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    certificate_authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def server_tls(certificate_authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate_authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server from a stream handler or a protocol factory; answers its port. Closed after the test."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(
        handler: Handler | None = None,
        *,
        protocol: Callable[[], asyncio.Protocol] | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> int:
        if protocol is not None:
            server = await asyncio.get_running_loop().create_server(protocol, host, 0, ssl=tls)
        else:
            assert handler is not None

            async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    await handler(reader, writer)
                except (ConnectionError, asyncio.IncompleteReadError):
                    pass
                finally:
                    writer.close()

            def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.ensure_future(run(reader, writer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            server = await asyncio.start_server(begin, host, 0, ssl=tls)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def outbound() -> Callable[..., Outbound]:
    """Make an outbound message; by default a transactional e-mail."""

    def make(**changes: object) -> Outbound:
        fields: dict[str, object] = {
            "message_id": "01jb2w4xq8",
            "to": Recipient(email="ada@example.com"),
            "channel": Channel.EMAIL,
            "purpose": Purpose.TRANSACTIONAL,
            "content": Content(subject="Your code", text="It is 123456.\n"),
            "attempt": 1,
            "created_at_ms": 1_760_000_000_123,
        }
        return Outbound(**{**fields, **changes})  # type: ignore[arg-type]

    return make
