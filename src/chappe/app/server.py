"""A server as one thing that is run: made, started in order, and stopped in the opposite one."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import structlog

from chappe.api.aws_frontend import AwsFrontend
from chappe.api.rest.application import build_app
from chappe.api.server import RunningServer, serve
from chappe.app.parts import content_check, derived_key, load_rules, regions, routes, unsubscribe_links
from chappe.broker.sqs import Sqs
from chappe.channels import webhook_secret
from chappe.channels.base import Provider
from chappe.channels.factory import build_providers
from chappe.channels.sandbox import SandboxProvider
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.sender.senders import Senders
from chappe.config import Config
from chappe.engine.base import Engine
from chappe.engine.embedded import EmbeddedEngine
from chappe.engine.embedded.core import now_ms
from chappe.model.errors import InvalidConfiguration
from chappe.observe.audit.log import AuditLog
from chappe.observe.audit.recording import Recorder
from chappe.pipeline.names import QueueNames
from chappe.pipeline.retention import Retention
from chappe.pipeline.rights.service import Rights
from chappe.pipeline.service import Pipeline
from chappe.records.store import FILE_NAME as RECORDS_FILE
from chappe.records.store import Records
from chappe.security import audit_key, server_secret
from chappe.security.authenticator import Authenticator
from chappe.security.first_credentials import FirstCredentials, ensure_first
from chappe.security.keys import KeyStore

_log = structlog.get_logger("chappe")

SWITCH_INTERVAL_SECONDS = 0.0005
"""How long the event loop may keep the interpreter from a commit thread that is ready.

Python's default, 5 ms, is longer than most commits.
"""
GC_THRESHOLDS = (50_000, 20, 50)
"""Collections are rare: messages in memory are reference-counted structures without cycles."""


class Running(msgspec.Struct, frozen=True):
    """A server that accepts requests. `credentials` is set on the first start of a data folder."""

    config: Config
    host: str
    port: int
    credentials: FirstCredentials | None
    engine: Engine
    pipeline: Pipeline

    @property
    def url(self) -> str:
        """Where this machine reaches the server."""
        return local_url(self.host, self.port)


@contextlib.asynccontextmanager
async def running(config: Config, *, clock: Callable[[], int] = now_ms) -> AsyncIterator[Running]:
    """Run a server inside an `async with`. `clock` gives ms since the epoch.

    Nothing listens before everything else stands. On leaving, the port closes first, then the pipeline stops taking
    messages from its queues, and the storage closes last. Raises `InvalidConfiguration`, `DataFolderInUse`,
    `DataDamaged`, `StorageFailed` and `StorageFull`.
    """
    rules = load_rules(config)
    folder = config.server.data
    async with contextlib.AsyncExitStack() as stack:
        engine = await EmbeddedEngine.open(folder, clock=clock, reserve_bytes=config.storage.reserve_bytes)
        stack.push_async_callback(engine.close)
        _warn_of(folder)
        # The server's secret is made after the records on a first start: where it is, they must be.
        records = await Records.open(folder, now_ms=clock, make=not server_secret.exists(folder))
        stack.push_async_callback(records.close)
        records.erased.use_key(derived_key(folder, b"erased addresses"))
        providers = build_providers(config.providers, webhook_secret=webhook_secret.load_or_create(folder))
        for provider in providers.values():
            stack.push_async_callback(provider.aclose)
        audit_log = _audit_log(config, records, clock)
        await audit_log.start()
        stack.push_async_callback(audit_log.stop)
        names = QueueNames(config.aws.region, config.aws.account)
        pipeline = _pipeline(config, engine, records, audit_log.recorder, providers, names, rules, clock)
        await pipeline.start()
        stack.push_async_callback(pipeline.stop)
        keys = KeyStore(folder)
        rights = Rights(pipeline.context, audit_log, folder, audit_key.load_or_create(folder))
        await rights.start()
        stack.push_async_callback(rights.stop)
        retention = Retention(pipeline.context, audit_log, config.retention.for_pipeline())
        await retention.start()
        stack.push_async_callback(retention.stop)
        authenticator = Authenticator(keys, clock, open_mode=config.server.open, account=config.aws.account)
        sqs = Sqs(
            engine,
            clock,
            recreate_after_ms=config.aws.recreate_after_seconds * 1000,
            handle_key=derived_key(folder, b"receipt-handles"),
            own_prefix=names.prefix,
        )
        await sqs.start()
        stack.push_async_callback(sqs.stop)
        sandboxes = [provider for provider in providers.values() if isinstance(provider, SandboxProvider)]
        first: list[FirstCredentials | None] = []
        server = await _listen(
            config,
            build_app(
                pipeline=pipeline,
                records=records,
                audit=audit_log,
                rights=rights,
                authenticator=authenticator,
                sandboxes=sandboxes,
                local=config.server.is_local,
            ),
            AwsFrontend(sqs, authenticator, public_url=config.server.public_url),
            before_listening=lambda host, port: first.append(
                ensure_first(keys, local_url(host, port), account=config.aws.account, region=config.aws.region)
            ),
        )
        stack.push_async_callback(server.close, grace_seconds=config.server.shutdown_seconds)
        yield Running(config, server.host, server.port, first[0], engine, pipeline)


async def run(config: Config, *, on_start: Callable[[Running], None] = lambda server: None) -> None:
    """Run a server until the process is asked to stop (SIGINT, SIGTERM)."""
    tune_interpreter()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(config) as server:
        on_start(server)
        gc.freeze()
        await stop.wait()
        _log.info("stopping")


def _audit_log(config: Config, records: Records, clock: Callable[[], int]) -> AuditLog:
    folder = config.server.data
    return AuditLog(
        records,
        folder,
        recorder=Recorder(records, derived_key(folder, b"audit persons")),
        key=audit_key.load_or_create(folder),
        now_ms=clock,
        settings=config.audit.log_settings,
    )


def _pipeline(
    config: Config,
    engine: Engine,
    records: Records,
    audit: Recorder,
    providers: dict[str, Provider],
    names: QueueNames,
    rules: RuleSet,
    clock: Callable[[], int],
) -> Pipeline:
    links = unsubscribe_links(config)
    senders = Senders(config.senders, unsubscribe_links=links.url(0) is not None, handled_in=config.regions_handled_in)
    return Pipeline(
        engine=engine,
        records=records,
        audit=audit,
        rules=rules,
        routes=routes(config, providers),
        names=names,
        links=links,
        senders=senders,
        content=content_check(config, senders),
        now_ms=clock,
        settings=config.pipeline_settings,
        regions=regions(config, providers),
    )


def _warn_of(folder: Path) -> None:
    """Log what is wrong with a data folder that can be used nevertheless."""
    if folder.stat().st_mode & 0o077:
        _log.warning("data_folder_open_to_others", folder=str(folder), advice=f"chmod 700 {folder}")
    if not server_secret.exists(folder) and (folder / RECORDS_FILE).exists():
        _log.warning(
            "server_secret_missing", folder=str(folder), advice="Restore it, or links that were sent stop working."
        )
    if not (folder / audit_key.KEY_FILE).exists() and (folder / RECORDS_FILE).exists():
        _log.warning(
            "audit_key_missing",
            folder=str(folder),
            advice="Restore it: what it has signed of the audit log cannot be checked with the new one.",
        )


def tune_interpreter() -> None:
    """Settings of the whole process; for programs whose main job is to be this server."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)


def local_url(host: str, port: int) -> str:
    """Where this machine reaches a server that listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what is asked for, not bound here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _listen(
    config: Config, asgi_app: object, aws: AwsFrontend, *, before_listening: Callable[[str, int], None]
) -> RunningServer:
    settings = config.server
    try:
        return await serve(
            asgi_app,
            aws,
            host=settings.host,
            port=settings.port,
            limits=config.limits.http,
            open_mode=settings.open,
            before_listening=before_listening,
        )
    except OSError as error:
        raise InvalidConfiguration(
            f"Cannot listen on {settings.host}:{settings.port}: {_reason(error)}. Choose another address"
            " with --host and --port, or stop what uses it.",
            host=settings.host,
            port=settings.port,
        ) from error


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):  # a name that is no address; its numbers are not those of the system
        return str(error.strerror)
    return os.strerror(error.errno or 0)
