"""A whole server in the test's event loop, and what a client of its REST API does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from chappe.app import Running, running
from chappe.channels.settings import ProviderSettings
from chappe.compliance.sender.profile import SenderProfile
from chappe.compliance.sender.senders import DEFAULT
from chappe.config import Config, PipelineSettings, RouteSettings, ServerSettings, StorageSettings

PATIENCE_SECONDS = 60
AT_REST = {"sent", "delivered", "blocked", "deferred", "undelivered", "failed", "expired", "cancelled"}


class Client:
    """Speaks to the REST API of a running server."""

    def __init__(self, server: Running, http: httpx.AsyncClient) -> None:
        self.server = server
        self.http = http

    async def post(self, path: str, document: object) -> Any:
        answer = await self.http.post(path, json=document)
        assert answer.is_success, answer.text
        return answer.json()

    async def send(self, **message: object) -> str:
        return str((await self.post("/v1/messages", {"purpose": "transactional", **message}))["id"])

    async def consent(self, email: str) -> None:
        await self.post(
            "/v1/consents", {"person": {"email": email}, "purpose": "promotional", "granted": True, "proof": "form"}
        )

    async def settled(self, message_id: str) -> list[dict[str, Any]]:
        """Wait until the message is at rest; its timeline."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                timeline = (await self.http.get(f"/v1/messages/{message_id}/timeline")).json()
                if timeline["status"] in AT_REST:
                    return list(timeline["events"])
                await asyncio.sleep(0.01)


Serve = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def chappe(tmp_path: Path) -> Serve:
    """`async with chappe({"mail": SmtpSettings(...)}) as client`."""

    @contextlib.asynccontextmanager
    async def serve(
        providers: dict[str, ProviderSettings],
        *,
        routes: RouteSettings | None = None,
        public_url: str | None = "https://messages.acme.example",
        sender: SenderProfile | None = None,
    ) -> AsyncIterator[Client]:
        config = Config(
            server=ServerSettings(port=0, data=tmp_path / "data", public_url=public_url),
            storage=StorageSettings(reserve_bytes=4096),
            pipeline=PipelineSettings(first_backoff_ms=1, min_backoff_ms=0, max_backoff_ms=5, max_attempts=4),
            providers=providers,
            routes=routes or RouteSettings(),
            senders={DEFAULT: sender} if sender else {},
        )
        async with running(config) as server:
            assert server.credentials is not None
            headers = {"authorization": f"Bearer {server.credentials.api_token}"}
            async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=PATIENCE_SECONDS) as http:
                yield Client(server, http)

    return serve
