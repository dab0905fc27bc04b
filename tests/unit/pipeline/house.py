"""A pipeline over the reference engine and real records, with a clock that can jump and a provider that obeys."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conformance.clocks import RunningClock
from tests.model.reference import ReferenceEngine

from chappe.channels.base import Outbound, Provider, Reply
from chappe.compliance.rule_sets.rule_set import load_rule_set
from chappe.compliance.sender.profile import MeansKind, OptOutMeans, Registration, SenderProfile
from chappe.compliance.sender.senders import DEFAULT, Senders
from chappe.engine.base import Engine, NewMessage
from chappe.model.customer import Channel, Content, Purpose, Recipient, Status
from chappe.observe.audit.log import AuditLog, AuditSettings
from chappe.observe.audit.recording import Recorder
from chappe.observe.audit.retention import RetentionPolicy
from chappe.pipeline.acceptance.accept import Accepted
from chappe.pipeline.acceptance.request import MessageRequest
from chappe.pipeline.content.checking import ContentCheck
from chappe.pipeline.context import PipelineSettings
from chappe.pipeline.delivery.unsubscribe import UnsubscribeLinks
from chappe.pipeline.names import QueueNames
from chappe.pipeline.providers.backoff import RetryPolicy
from chappe.pipeline.providers.breaker import BreakerPolicy, CircuitState
from chappe.pipeline.regions import Region
from chappe.pipeline.service import Pipeline
from chappe.records.messages import Stored
from chappe.records.people import ConsentRecord
from chappe.records.store import Records

NAMES = QueueNames("us-east-1", "000000000000")
PATIENCE_SECONDS = 20.0
QUICK = PipelineSettings(
    retry=RetryPolicy(attempts=3, floor_ms=1, first_ms=2),
    breaker=BreakerPolicy(failures_to_open=1_000),
    stop_grace_seconds=1.0,
)
RULES = load_rule_set()
SENDER = SenderProfile(
    name="Acme",
    postal_address="1 Main Street, Springfield, IL 62701",
    email="help@acme.example",
    phone="+12025550187",
    country="US",
    sms_from="+12025550187",
    also_from=("acme.example", "example.com"),
    unsubscribe=(OptOutMeans(kind=MeansKind.REPLY, value="STOP"),),
    registrations=(
        Registration(
            register="TCR",
            country="US",
            particulars=dict.fromkeys(("brand", "campaign", "sample_messages", "opt_in_flow"), "filed"),
        ),
    ),
    data_region="US",
    provider_regions=("US",),
    safeguards=("scc",),
)
"""Somebody of whom everything is known that laws ask for most often."""
WRAPPING_KEY = b"w" * 32
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)

Answering = Callable[[Outbound], Reply | Awaitable[Reply]]


class ScriptedProvider:
    """Takes everything, unless `answers` holds errors to raise or functions to call for the next attempts."""

    channels = frozenset(Channel)

    def __init__(self, name: str = "scripted") -> None:
        self.name = name
        self.answers: deque[Exception | Answering] = deque()
        self.always: Exception | Answering | None = None
        self.attempts: list[Outbound] = []
        self.taken: list[Outbound] = []

    async def send(self, outbound: Outbound) -> Reply:
        self.attempts.append(outbound)
        answer = self.answers.popleft() if self.answers else self.always
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            given = answer(outbound)
            reply = given if isinstance(given, Reply) else await given
        else:
            reply = Reply("taken", f"p-{len(self.taken)}")
        self.taken.append(outbound)
        return reply

    async def aclose(self) -> None:
        return


@dataclass
class House:
    pipeline: Pipeline
    records: Records
    audit: AuditLog
    engine: Engine
    clock: RunningClock
    provider: ScriptedProvider

    @property
    def circuits(self) -> dict[str, CircuitState]:
        """The state of each provider's circuit."""
        return {state.name: state.circuit for state in self.pipeline.providers()}

    async def send(self, **fields: Any) -> int:
        """Have one message accepted; its key."""
        (accepted,) = await self.pipeline.accept([request(**fields)])
        assert isinstance(accepted, Accepted), accepted
        return accepted.key

    async def stored(self, key: int) -> Stored:
        return await self.records.messages.get(key)

    async def status(self, key: int) -> Status:
        return (await self.stored(key)).summary.status

    async def becomes(self, key: int, *statuses: Status) -> Stored:
        """Wait until the message has one of these statuses."""

        async def has_become() -> bool:
            return await self.status(key) in statuses

        await eventually(has_become)
        return await self.stored(key)

    async def empties(self, queue: str) -> None:
        """Wait until a queue holds nothing."""

        async def is_empty() -> bool:
            return not any(msgspec.structs.astuple(await self.engine.counts(queue)))

        await eventually(is_empty)

    async def consent(self, to: Recipient) -> None:
        """Record written consents to promotional messages: to e-mail by name, as European law asks, and to all."""
        records = [
            ConsentRecord(
                self.records.keys.next(), to, channel, Purpose.PROMOTIONAL, True, self.clock(), "written", "a form"
            )
            for channel in (Channel.EMAIL, None)
        ]
        await self.records.people.add_consents(records)

    async def redrive(self, lane: str) -> int:
        """Move what is in a lane's dead-letter queue back, as an operator would; how many."""
        source = NAMES.dead_letters(lane)
        received = await self.engine.receive(source, max_messages=100)
        if received:
            await self.engine.send(lane, [NewMessage(message.body) for message in received])
            await self.engine.delete(source, [message.receipt for message in received])
        return len(received)


async def eventually(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for a condition that nothing announces."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.005)


def request(**fields: Any) -> MessageRequest:
    """A transactional mail, unless told otherwise."""
    defaults: dict[str, Any] = {
        "to": Recipient(email="ana@example.com"),
        "content": Content(subject="Your code", text="123456"),
        "purpose": Purpose.TRANSACTIONAL,
    }
    return MessageRequest(**(defaults | fields))


def clock_at(text: str) -> RunningClock:
    """A running clock that shows this moment (ISO, with offset) now."""
    clock = RunningClock()
    clock.now_ms = 0
    clock.now_ms = int(datetime.datetime.fromisoformat(text).timestamp() * 1000) - clock()
    return clock


@contextlib.asynccontextmanager
async def house(
    folder: Path,
    *,
    clock: RunningClock | None = None,
    engine: Engine | None = None,
    routes: Mapping[Channel, Sequence[Provider]] | None = None,
    settings: PipelineSettings = QUICK,
    sender: SenderProfile | None = None,
    content: ContentCheck | None = None,
    regions: Sequence[Region] = (),
    start: bool = True,
) -> AsyncIterator[House]:
    """A started pipeline. Without routes every channel goes to `provider`."""
    clock = clock or RunningClock()
    engine = engine or ReferenceEngine(clock)
    records = await Records.open(folder, now_ms=clock)
    provider = ScriptedProvider()
    audit = AuditLog(
        records,
        folder,
        recorder=Recorder(records, WRAPPING_KEY),
        key=SIGNING_KEY,
        now_ms=clock,
        settings=AuditSettings(RetentionPolicy(days=365, by_jurisdiction={"DE": 30})),
    )
    pipeline = Pipeline(
        engine=engine,
        records=records,
        audit=audit.recorder,
        rules=RULES,
        routes={channel: [provider] for channel in Channel} if routes is None else routes,
        names=NAMES,
        links=UnsubscribeLinks(b"s" * 32, "https://messages.example.com"),
        senders=Senders({DEFAULT: sender or SENDER}, unsubscribe_links=True),
        content=content,
        now_ms=clock,
        settings=settings,
        regions=regions,
    )
    try:
        if start:
            await pipeline.start()
        yield House(pipeline, records, audit, engine, clock, provider)
    finally:
        await pipeline.stop()
        await records.close()
