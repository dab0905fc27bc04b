"""The API over a running pipeline, called through ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conformance.clocks import RunningClock
from tests.unit.classify.tiny import content_check
from tests.unit.pipeline.house import SIGNING_KEY, House, house

from chappe.api.rest.application import build_app
from chappe.channels.sandbox import SandboxProvider
from chappe.channels.settings import SandboxSettings
from chappe.model.customer import Channel
from chappe.pipeline.content.checking import ContentCheck
from chappe.pipeline.rights.service import Rights
from chappe.security.authenticator import Authenticator
from chappe.security.keys import KeyStore


@dataclass
class Api:
    """A client with credentials, and what it talks to."""

    http: httpx.AsyncClient
    house: House
    sandbox: SandboxProvider
    token: str

    async def post(self, path: str, document: object = None, **options: Any) -> httpx.Response:
        return await self.http.post(path, json=document, **options)

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        return await self.http.get(path, params=parameters)

    async def send(self, **fields: Any) -> dict[str, Any]:
        """The answer to a message that is taken."""
        response = await self.post("/v1/messages", message(**fields))
        assert response.status_code == 202, response.text
        answer: dict[str, Any] = response.json()
        return answer


def message(**fields: Any) -> dict[str, Any]:
    """A transactional message to the sandbox, unless told otherwise; None leaves a field out."""
    document = {
        "to": {"email": "ana@example.com"},
        "channel": "sandbox",
        "content": {"subject": "Hello", "text": "Hello, Ana"},
        "purpose": "transactional",
    }
    return {name: value for name, value in (document | fields).items() if value is not None}


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock()


@pytest.fixture
def content() -> ContentCheck:
    """What the API judges contents by. A module that wants another check has a fixture of this name."""
    return content_check()


@pytest.fixture
async def api(tmp_path: Path, clock: RunningClock, content: ContentCheck) -> AsyncIterator[Api]:
    sandbox = SandboxProvider("sandbox", SandboxSettings())
    routes = {channel: [sandbox] for channel in (Channel.SANDBOX, Channel.EMAIL, Channel.WEBHOOK)}
    async with house(tmp_path, clock=clock, routes=routes, content=content) as h:
        keys = KeyStore(tmp_path)
        _, token = keys.create_api_key("tests")
        rights = Rights(h.pipeline.context, h.audit, tmp_path, SIGNING_KEY)
        await rights.start()
        app = build_app(
            pipeline=h.pipeline,
            records=h.records,
            audit=h.audit,
            rights=rights,
            authenticator=Authenticator(keys, clock),
            sandboxes=[sandbox],
        )
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://chappe.test",
            headers={"authorization": f"Bearer {token}"},
        ) as http:
            yield Api(http, h, sandbox, token)
        await rights.stop()
