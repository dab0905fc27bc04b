"""A whole server on a free loopback port, in a thread of its own, with its clock in the test's hand."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import boto3
import uvloop
from botocore.config import Config
from tests.conformance.engines import KINDS
from tests.wire.answers import check_json, check_xml
from tests.wire.query_model import query_session

from chappe.api.aws_frontend import AwsFrontend
from chappe.api.limits import HttpLimits
from chappe.api.server import RunningServer, serve
from chappe.broker.sqs import Sqs
from chappe.engine.base import Engine
from chappe.security.authenticator import Authenticator
from chappe.security.keys import AccessKey, KeyStore

T = TypeVar("T")
ENGINE = os.environ.get("CHAPPE_WIRE_ENGINE", "embedded")
ACCOUNT = "123456789012"
REGION = "eu-west-1"
GIVE_UP_SECONDS = 30.0


class ShiftedClock:
    """The real time, moved ahead by `advance`."""

    def __init__(self) -> None:
        self._ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def advance(self, seconds: float) -> None:
        self._ahead_ms += int(seconds * 1000)


class LiveServer:
    """`clock` is the engine's and the broker's; signatures are checked against the real time."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: HttpLimits | None = None,
        open_mode: bool = False,
        recreate_after_ms: int = 0,
        own_prefix: str | None = None,
    ) -> None:
        self.clock = ShiftedClock()
        self.keys = KeyStore(folder)
        self.access_key: AccessKey = self.keys.create_access_key("test", account=ACCOUNT)
        self._folder = folder
        self._limits = limits
        self._open_mode = open_mode
        self._recreate_after_ms = recreate_after_ms
        self._own_prefix = own_prefix
        self._ready = threading.Event()
        self._stop: Callable[[], None] = lambda: None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.loop: asyncio.AbstractEventLoop
        self.server: RunningServer
        self.engine: Engine
        self.frontend: AwsFrontend

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.server.port

    def start(self) -> LiveServer:
        self._thread.start()
        assert self._ready.wait(GIVE_UP_SECONDS)
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._stop()
        self._thread.join(GIVE_UP_SECONDS)
        assert not self._thread.is_alive()
        if self._failure is not None:
            raise self._failure

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(GIVE_UP_SECONDS)

    def client(self, *, protocol: str = "json", **settings: Any) -> Any:
        """An SQS client as a user would make it, without retries so that a test sees each answer.

        `protocol` is "json" or "query", what older SDKs speak. Each answer is held to the service model.
        """
        credentials = {"aws_access_key_id": self.access_key.id, "aws_secret_access_key": self.access_key.secret}
        config = settings.pop("config", Config(retries={"total_max_attempts": 1}, read_timeout=60))
        session = query_session(self._folder) if protocol == "query" else boto3.Session()
        client = session.client(
            "sqs", **{"endpoint_url": self.url, "region_name": REGION, **credentials, **settings}, config=config
        )
        client.meta.events.register("after-call.sqs", {"json": check_json, "query": check_xml}[protocol])
        return client

    def _run(self) -> None:
        try:
            uvloop.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        self._stop = lambda: self.loop.call_soon_threadsafe(stopped.set)
        kind = next(kind for kind in KINDS if kind.name == ENGINE)
        self.engine = await kind.open(self._folder / "engine", self.clock)
        authenticator = Authenticator(
            self.keys, lambda: time.time_ns() // 1_000_000, open_mode=self._open_mode, recheck_seconds=0
        )
        sqs = Sqs(self.engine, self.clock, recreate_after_ms=self._recreate_after_ms, own_prefix=self._own_prefix)
        await sqs.start()
        self.frontend = AwsFrontend(sqs, authenticator)
        self.server = await serve(greeting, self.frontend, port=0, limits=self._limits, open_mode=self._open_mode)
        self._ready.set()
        await stopped.wait()
        await self.server.close()
        await sqs.stop()
        await self.engine.close()


async def greeting(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of these tests: tells what it was sent."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    text = f"{scope['method']} {scope['path']} {len(body)}".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})
