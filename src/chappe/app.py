"""The wiring: which parts a server is made of, in what order they start, and in what order they stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import hmac
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import structlog

from chappe.api.aws_frontend import AwsFrontend
from chappe.api.rest.application import build_app
from chappe.api.server import RunningServer, serve
from chappe.broker.sqs import Sqs
from chappe.channels import webhook_secret
from chappe.channels.base import Provider
from chappe.channels.factory import build_providers
from chappe.channels.sandbox import SandboxProvider
from chappe.classify.artefact import packaged_model
from chappe.classify.moderation import load_moderator
from chappe.classify.second.consulting import consultant
from chappe.classify.serving import Serving
from chappe.compliance.ruleset import RuleSet, load_rule_set
from chappe.compliance.senders import Senders
from chappe.compliance.unmet import leniently
from chappe.config import Config
from chappe.engine.base import Engine
from chappe.engine.embedded import EmbeddedEngine
from chappe.engine.embedded.core import now_ms
from chappe.engine.embedded.doctor import Finding, Level, Progress, Report, examine
from chappe.model.customer import Channel
from chappe.model.errors import ChappeError, InvalidConfiguration
from chappe.observe.audit.checking import verify_quickly
from chappe.observe.audit.log import AuditLog
from chappe.observe.audit.recording import Recorder
from chappe.observe.audit.storage import AUDIT_FOLDER, AuditStorage
from chappe.pipeline.classify import ContentCheck
from chappe.pipeline.names import QueueNames
from chappe.pipeline.regions import Region
from chappe.pipeline.retention import Retention
from chappe.pipeline.rights.service import Rights
from chappe.pipeline.service import Pipeline
from chappe.pipeline.unsubscribe import UnsubscribeLinks
from chappe.records.database import check as check_records
from chappe.records.registries.checking import broken_files
from chappe.records.registries.store import FOLDER_NAME as REGISTRIES_FOLDER
from chappe.records.store import FILE_NAME as RECORDS_FILE
from chappe.records.store import Records
from chappe.security import audit_key, server_secret
from chappe.security.authenticator import Authenticator
from chappe.security.first_credentials import FirstCredentials, ensure_first
from chappe.security.keys import KEYS_FILE, KeyStore

_log = structlog.get_logger("chappe")

SWITCH_INTERVAL_SECONDS = 0.0005
"""How long the event loop may keep the interpreter from a commit thread that is ready.

Python's default, 5 ms, is longer than most commits.
"""
GC_THRESHOLDS = (50_000, 20, 50)
"""Collections are rare: messages in memory are reference-counted structures without cycles."""


_RESTORE = "Restore a backup."


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
    rules = _load_rules(config)
    folder = config.server.data
    async with contextlib.AsyncExitStack() as stack:
        engine = await EmbeddedEngine.open(folder, clock=clock, reserve_bytes=config.storage.reserve_bytes)
        stack.push_async_callback(engine.close)
        _warn_of(folder)
        # The server's secret is made after the records on a first start: where it is, they must be.
        records = await Records.open(folder, now_ms=clock, make=not server_secret.exists(folder))
        stack.push_async_callback(records.close)
        records.erased.use_key(_derived_key(folder, b"erased addresses"))
        providers = build_providers(config.providers, webhook_secret=webhook_secret.load_or_create(folder))
        for provider in providers.values():
            stack.push_async_callback(provider.aclose)
        audit_log = AuditLog(
            records,
            folder,
            recorder=Recorder(records, _derived_key(folder, b"audit persons")),
            key=audit_key.load_or_create(folder),
            now_ms=clock,
            settings=config.audit.log_settings,
        )
        await audit_log.start()
        stack.push_async_callback(audit_log.stop)
        names = QueueNames(config.aws.region, config.aws.account)
        links = _unsubscribe_links(config)
        senders = Senders(
            config.senders, unsubscribe_links=links.url(0) is not None, handled_in=config.regions_handled_in
        )
        pipeline = Pipeline(
            engine=engine,
            records=records,
            audit=audit_log.recorder,
            rules=rules,
            routes=_routes(config, providers),
            names=names,
            links=links,
            senders=senders,
            content=_content_check(config, senders),
            now_ms=clock,
            settings=config.pipeline_settings,
            regions=_regions(config, providers),
        )
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
            handle_key=_derived_key(folder, b"receipt-handles"),
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


def examine_folder(folder: Path, progress: Progress = lambda what, done, total: None) -> Report:
    """Check everything a data folder holds, without changing it.

    A server may be running on it, but should not be started meanwhile.
    """
    report = examine(folder, progress)
    records = folder / RECORDS_FILE
    if records.exists() or server_secret.exists(folder):  # made in this order: where the secret is, records must be
        progress("records", 0, 1)
        report.findings += (_damage(RECORDS_FILE, problem, _RESTORE) for problem in check_records(records))
        progress("records", 1, 1)
        report.findings += _examine_private_files(folder)
        report.findings += _examine_audit_log(folder)
        report.findings += _examine_registries(folder)
    return report


def _examine_private_files(folder: Path) -> Iterator[Finding]:
    keys, secret = folder / KEYS_FILE, folder / server_secret.SECRET_FILE
    for path, read in (
        (keys, KeyStore),
        (secret, server_secret.load),
        (folder / webhook_secret.SECRET_FILE, webhook_secret.load),
    ):
        try:
            read(folder)
        except InvalidConfiguration as error:
            yield _damage(path.name, error.message)
    if not secret.exists() and keys.exists():
        yield _damage(secret.name, "is missing: unsubscribe links that were sent do not work without it", _RESTORE)
    if not keys.exists() and secret.exists():
        advice = "Restore a backup; otherwise the next start makes new ones."
        yield Finding(Level.WARNING, keys.name, "is missing: no credentials in use are accepted", advice)


def _examine_audit_log(folder: Path) -> Iterator[Finding]:
    """The newest records, and that no older ones are missing; `chappe audit verify` checks them all."""
    if not (folder / RECORDS_FILE).exists():
        return
    advice = "`chappe audit verify` tells more; compare with a backup."
    try:
        key = audit_key.load(folder)
        with AuditStorage(folder) as storage:
            verification = verify_quickly(storage, None if key is None else key.public_key())
    except InvalidConfiguration as error:
        yield _damage(audit_key.KEY_FILE, error.message)
        return
    except ChappeError as error:
        yield _damage(AUDIT_FOLDER, error.message, advice)
        return
    if key is None and verification.checkpoints:
        yield _damage(audit_key.KEY_FILE, "is missing: nobody can check what it has signed", _RESTORE)
    yield from (_damage(AUDIT_FOLDER, finding.what, advice) for finding in verification.findings)


def _examine_registries(folder: Path) -> Iterator[Finding]:
    if not (folder / RECORDS_FILE).exists():
        return
    for broken in broken_files(folder / RECORDS_FILE, folder / REGISTRIES_FOLDER):
        where = f"{REGISTRIES_FOLDER}, version {broken.version} of {broken.registry}"
        if broken.in_use:
            advice = "The registry does not know who is listed: import the list again, or activate another version."
            yield _damage(where, broken.what, advice)
        else:
            yield Finding(Level.WARNING, where, broken.what, "It is not in use, and cannot be returned to.")


def _damage(where: str, what: str, advice: str = "") -> Finding:
    return Finding(Level.DAMAGE, where, what, advice)


def _warn_of(folder: Path) -> None:
    """Log what is wrong with a data folder that can be used nevertheless."""
    if folder.stat().st_mode & 0o077:
        _log.warning("data_folder_open_to_others", folder=str(folder), advice=f"chmod 700 {folder}")
    if not server_secret.exists(folder) and (folder / RECORDS_FILE).exists():
        _log.warning(
            "server_secret_missing", folder=str(folder), advice="Restore it, or links that were sent stop working."
        )


def tune_interpreter() -> None:
    """Settings of the whole process; for programs whose main job is to be this server."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)


def _load_rules(config: Config) -> RuleSet:
    settings = config.compliance
    if settings.rules:
        rules = load_rule_set(settings.rules, beside_packaged=settings.packaged_rules)
    else:
        rules = load_rule_set()
    if settings.unmet_requirements == "block":
        return rules
    return RuleSet(tuple(leniently(rule) for rule in rules.rules), rules.version)


def _content_check(config: Config, senders: Senders) -> ContentCheck | None:
    settings = config.classify
    if not settings.enabled:
        return None
    moderator = load_moderator(settings.moderation_lists, off=settings.moderation_off)
    unknown = set(settings.policy.moderation) - set(moderator.categories)
    if unknown:
        known = ", ".join(moderator.categories)
        raise InvalidConfiguration(
            f"classify.moderation: there is no category {sorted(unknown)[0]!r}; there are: {known}"
        )
    second = None
    if settings.second_opinion is not None:
        second = consultant(settings.second_opinion, settings.embedding)
    return ContentCheck(Serving(packaged_model()), settings.policy, moderator, senders, second)


def _routes(config: Config, providers: dict[str, Provider]) -> dict[Channel, list[Provider]]:
    return {channel: [providers[name] for name in names] for channel, names in config.channel_routes.items()}


def _regions(config: Config, providers: dict[str, Provider]) -> list[Region]:
    return [
        Region(
            name,
            config.regions[name].jurisdictions,
            {channel: [providers[provider] for provider in route] for channel, route in routes.items()},
        )
        for name, routes in config.region_routes.items()
    ]


def _unsubscribe_links(config: Config) -> UnsubscribeLinks:
    url = config.server.links_url
    if url is None and Channel.EMAIL in config.channel_routes:
        _log.warning(
            "no_unsubscribe_links",
            reason="There are no unsubscribe links, which many laws and mailbox providers demand: rules stop "
            "promotional e-mail. Set server.public_url to where recipients reach this server.",
        )
    return UnsubscribeLinks(_derived_key(config.server.data, b"unsubscribe"), url)


def _derived_key(folder: Path, use: bytes) -> bytes:
    """A key for one use, from the secret of the data folder."""
    return hmac.digest(server_secret.load_or_create(folder), use, hashlib.sha256)


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
