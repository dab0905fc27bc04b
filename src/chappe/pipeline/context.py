"""What every part of the pipeline works with."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from chappe.compliance.rule_sets.rollout import Rules
from chappe.compliance.sender.senders import NOBODY, Senders
from chappe.engine.base import Engine
from chappe.model.customer import Purpose
from chappe.observe.audit.recording import Recorder
from chappe.observe.metrics import Metrics
from chappe.pipeline.acceptance.arrivals import Arrivals
from chappe.pipeline.background import Background, Pace
from chappe.pipeline.content.checking import ContentCheck
from chappe.pipeline.delivery.hands import Hands
from chappe.pipeline.delivery.starts import Starts
from chappe.pipeline.delivery.unsubscribe import UnsubscribeLinks
from chappe.pipeline.inbound.effects import InboundSettings
from chappe.pipeline.names import QueueNames
from chappe.pipeline.providers.backoff import RetryPolicy
from chappe.pipeline.providers.breaker import BreakerPolicy
from chappe.pipeline.providers.gateway import Routes
from chappe.pipeline.regions import Pipelines, Region
from chappe.pipeline.rules.starting import ActivationPolicy
from chappe.pipeline.verdicts.fresh_facts import FreshFacts
from chappe.records.store import Records


class PipelineSettings(msgspec.Struct, frozen=True):
    """How the pipeline works.

    `max_concurrent` bounds the attempts under way per provider, by name, `max_concurrent_default` where it says
    nothing. `lane_capacity` is how many messages a lane holds in hand. `provider_timeout_seconds` ends an attempt
    that the provider itself does not end. `recheck_after_ms` is how long the check before an attempt stays good.
    `activate_rules` says whether changed rules come into force at the start. `inbound` is how texts are answered.
    """

    retry: RetryPolicy = RetryPolicy()
    breaker: BreakerPolicy = BreakerPolicy()
    max_concurrent: Mapping[str, int] = {}
    max_concurrent_default: int = 32
    provider_timeout_seconds: float = 120.0
    lane_capacity: int = 500
    receive_batch: int = 250
    transactional_intake_workers: int = 4
    stop_grace_seconds: float = 10.0
    recheck_after_ms: int = 1_000
    activate_rules: ActivationPolicy = ActivationPolicy.AUTOMATIC
    inbound: InboundSettings = InboundSettings()


@dataclass(slots=True)
class Context:
    """Shared by all parts. `rules` may be replaced at any time: each batch is decided by those that it begins with."""

    engine: Engine
    records: Records
    audit: Recorder
    rules: Rules
    routes: Routes
    names: QueueNames
    links: UnsubscribeLinks
    settings: PipelineSettings
    now_ms: Callable[[], int]
    random: random.Random
    arrivals: Arrivals
    starts: Starts
    fresh: FreshFacts
    senders: Senders = NOBODY
    content: ContentCheck | None = None
    metrics: Metrics = field(default_factory=Metrics)
    pipelines: Pipelines[Context] = field(init=False)
    """This pipeline and those of regions, shared by all of them."""
    hands: Hands = field(default_factory=Hands)
    background: Background = field(default_factory=Background)
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one of several intake workers that decides messages which count against caps that bind others too."""

    def __post_init__(self) -> None:
        self.pipelines = Pipelines(self)

    def for_region(self, region: Region, routes: Routes) -> Context:
        """The context of a region's own pipeline, which shares all but queues and providers with this one."""
        names = msgspec.structs.replace(self.names, pipeline=region.name)
        own = dataclasses.replace(self, names=names, routes=routes)
        own.pipelines = self.pipelines
        self.pipelines.add(region, own)
        return own

    def pace(self, purpose: Purpose) -> Pace:
        """The pace of work on messages of this purpose."""
        return Pace(self.background, urgent=is_urgent(purpose))


def is_urgent(purpose: Purpose) -> bool:
    """Whether messages of this purpose go before others."""
    return purpose is Purpose.TRANSACTIONAL
