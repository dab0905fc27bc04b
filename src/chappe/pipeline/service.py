"""The pipeline as one thing that is started, used and stopped."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from typing import Any

import msgspec

from chappe.channels.base import Provider
from chappe.compliance.rule_sets.rollout import Rules
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.sender.senders import NOBODY, Senders
from chappe.engine.base import Engine
from chappe.model.customer import Channel, CustomerMessage, Decision, Purpose, Status
from chappe.model.errors import InvalidInput
from chappe.observe.audit.recording import Recorder
from chappe.observe.metrics import Metrics
from chappe.pipeline.acceptance.accept import Acceptance, Accepting, AnswerWith
from chappe.pipeline.acceptance.arrivals import Arrivals
from chappe.pipeline.acceptance.normalise import normalise
from chappe.pipeline.acceptance.request import MessageRequest
from chappe.pipeline.background import Pace
from chappe.pipeline.content.checking import ContentCheck
from chappe.pipeline.content.models import Models
from chappe.pipeline.content.second_opinion import second_verdicts
from chappe.pipeline.context import Context, PipelineSettings
from chappe.pipeline.delivery.lane import Lane
from chappe.pipeline.delivery.starts import Starts
from chappe.pipeline.delivery.unsubscribe import UnsubscribeLinks
from chappe.pipeline.inbound.receiving import Inbound
from chappe.pipeline.intake.reconcile import keep_mark, reconcile, requeue_lost
from chappe.pipeline.intake.reviewing import Reviewing
from chappe.pipeline.intake.worker import IntakeWorker
from chappe.pipeline.names import QueueNames, create_queues, warn_of_lanes_without_route
from chappe.pipeline.providers.breaker import CircuitState
from chappe.pipeline.providers.gateway import Gateway, Routes
from chappe.pipeline.regions import Region
from chappe.pipeline.rules.backtests import Backtests
from chappe.pipeline.rules.rule_sets import RuleSets
from chappe.pipeline.verdicts.fresh_facts import FreshFacts
from chappe.pipeline.verdicts.judging import decided
from chappe.pipeline.verdicts.known import facts_of
from chappe.pipeline.verdicts.looking_up import look_up
from chappe.pipeline.verdicts.recorded import RecordedDecision, recorded_decisions
from chappe.records import ids
from chappe.records.store import Records
from chappe.records.timeline import Event


class Evaluation(msgspec.Struct, frozen=True):
    """What would be decided, without sending."""

    message: CustomerMessage
    decision: Decision
    at_ms: int


class ProviderState(msgspec.Struct, frozen=True):
    """A provider in use: its worst circuit, and attempts under way of those that may be at once."""

    name: str
    channels: tuple[Channel, ...]
    circuit: CircuitState
    attempts_under_way: int
    attempts_max: int


class Pipeline:
    """Takes messages to people from request to provider.

    `rules` are the configured ones; from the start on, `rule_sets` says which decide. `routes` names the providers of
    each channel, the preferred one first. Without `content` messages are what they are declared to be. `now_ms` is the
    wall clock in milliseconds.
    The engine, the records and the providers stay the caller's to close, after `stop`.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        records: Records,
        audit: Recorder,
        rules: RuleSet,
        routes: Mapping[Channel, Sequence[Provider]],
        names: QueueNames,
        links: UnsubscribeLinks,
        senders: Senders = NOBODY,
        content: ContentCheck | None = None,
        now_ms: Callable[[], int],
        settings: PipelineSettings | None = None,
        source: random.Random | None = None,
        regions: Sequence[Region] = (),
    ) -> None:
        settings = settings or PipelineSettings()
        gateways = _Gateways(settings)
        self.context = Context(
            engine=engine,
            records=records,
            audit=audit,
            rules=rules,
            routes=gateways.routes(routes),
            names=names,
            links=links,
            senders=senders,
            content=content,
            settings=settings,
            now_ms=now_ms,
            random=source or random.Random(),  # noqa: S311 (jitter)
            arrivals=Arrivals(records.keys.next()),
            starts=Starts(records.messages),
            fresh=FreshFacts(records),
            metrics=Metrics(records.commit_durations),
        )
        for region in regions:
            self.context.for_region(region, gateways.routes(region.routes, region.name))
        self.rule_sets = RuleSets(records.rule_sets, now_ms, self._use)
        self.backtests = Backtests(self._recorded, self.rule_sets.get, self.context.background)
        self.inbound = Inbound(self.context, self.accept)
        self.reviewing = Reviewing(self.context)
        self.models = None if content is None else _models(records, content, now_ms)
        self._configured = rules.rules
        self._acceptance: Acceptance | None = None
        self._workers: list[IntakeWorker] = []
        self._lanes: list[Lane] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Create the queues, queue again what a crash cut off or somebody purged, and begin to work."""
        context = self.context
        if context.content is not None and context.content.consultant is not None:
            await context.content.consultant.prepare()
        await self.rule_sets.start(self._configured, context.settings.activate_rules)
        if self.models is not None:
            await self.models.start()
        for pipeline in context.pipelines:
            await create_queues(context.engine, pipeline.names, pipeline.routes.channels)
        await reconcile(context)
        await self.reviewing.release_left_behind()
        await requeue_lost(context)
        self._acceptance = Acceptance(context)
        for pipeline in context.pipelines:
            await warn_of_lanes_without_route(context.engine, pipeline.names, pipeline.routes.channels)
            self._make_workers(pipeline)
        for worker in self._workers:
            self._begin(worker.run(), "pipeline intake")
        for lane in self._lanes:
            self._begin(lane.run(), "pipeline lane")
        self._begin(keep_mark(context), "pipeline mark")
        self._begin(self.reviewing.run(), "pipeline reviews")
        self._begin(self.inbound.answering.run(), "pipeline answers")

    def _make_workers(self, pipeline: Context) -> None:
        for purpose in Purpose:
            count = pipeline.settings.transactional_intake_workers if purpose is Purpose.TRANSACTIONAL else 1
            self._workers += [IntakeWorker(pipeline, purpose) for _ in range(count)]
            self._lanes += [Lane(pipeline, purpose, channel) for channel in sorted(pipeline.routes.channels)]

    def _use(self, rules: Rules) -> None:
        for pipeline in self.context.pipelines:
            pipeline.rules = rules

    def _recorded(
        self, since_ms: int, until_ms: int, passed_over: Callable[[int], None]
    ) -> AsyncGenerator[RecordedDecision, None]:
        recorded = recorded_decisions(self.context, since_ms, until_ms, passed_over=passed_over)
        assert isinstance(recorded, AsyncGenerator)
        return recorded

    async def stop(self) -> None:
        """Take nothing more from the queues, let attempts under way end, and record what they came to."""
        await self.backtests.stop()
        if self._acceptance is not None:
            await self._acceptance.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        grace_seconds = self.context.settings.stop_grace_seconds
        await asyncio.gather(*(lane.finish(grace_seconds) for lane in self._lanes))
        await asyncio.gather(*(worker.drained() for worker in self._workers))
        if self.context.content is not None and self.context.content.consultant is not None:
            self.context.content.consultant.close()

    async def accept(
        self, requests: Sequence[MessageRequest | InvalidInput], answer_with: AnswerWith | None = None
    ) -> list[Accepting]:
        """Take messages; see `Acceptance.accept`."""
        assert self._acceptance is not None, "the pipeline is not started"
        return await self._acceptance.accept(requests, answer_with)

    async def evaluate(
        self, request: MessageRequest, at_ms: int | None = None, rules: Rules | None = None
    ) -> Evaluation:
        """What the rules in force, or others, say of a message now or at another moment, whether or not a provider
        carries its channel.

        Nothing is stored. Raises `InvalidInput`.
        """
        context = self.context
        now_ms = context.now_ms() if at_ms is None else at_ms
        message = normalise(request, message_id=ids.key_text(ids.MESSAGE, 0), now_ms=now_ms)
        if context.content is not None:
            pace = Pace(context.background, urgent=False)
            second = (await second_verdicts(context, [request], pace)).get(0)
            message = context.content.classified(message, counted=False, second=second)
        at_ms = max(now_ms, message.send_at_ms or 0)
        rules = rules or context.rules
        (known,) = await look_up(context.records, [(message, None)], rules, at_ms, urgent=False)
        facts = facts_of(message, known, senders=context.senders)
        return Evaluation(message, decided(rules, message, facts, at_ms), at_ms)

    async def cancel(self, key: int) -> None:
        """Cancel a message. Raises `MessageNotFound`, `NotCancellable`."""
        context = self.context
        event = Event(at_ms=context.now_ms(), status=Status.CANCELLED)
        await context.arrivals.settled([key])
        await context.hands.cancel(key, lambda: context.records.messages.cancel(key, event))

    def providers(self) -> list[ProviderState]:
        """The providers of all routes, and how they stand."""
        now_ms = self.context.now_ms()
        carried: dict[Gateway, set[Channel]] = {}
        for routes in (pipeline.routes for pipeline in self.context.pipelines):
            for gateway in routes.all():
                channels = {channel for channel in routes.channels if gateway in routes.of(channel)}
                carried.setdefault(gateway, set()).update(channels)
        return [
            ProviderState(
                gateway.name, tuple(sorted(channels)), gateway.state(now_ms), gateway.gate.taken, gateway.gate.limit
            )
            for gateway, channels in carried.items()
        ]

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))


def _models(records: Records, content: ContentCheck, now_ms: Callable[[], int]) -> Models:
    return Models(records.folder, records.model_activations, content.serving, now_ms)


class _Gateways:
    """One gateway per provider, whichever routes name it."""

    def __init__(self, settings: PipelineSettings) -> None:
        self._settings = settings
        self._by_name: dict[str, Gateway] = {}

    def routes(self, routes: Mapping[Channel, Sequence[Provider]], region: str | None = None) -> Routes:
        """Routes over gateways, of a region or of no one."""
        gateways = {channel: [self._gateway(provider) for provider in route] for channel, route in routes.items()}
        return Routes(gateways, region)

    def _gateway(self, provider: Provider) -> Gateway:
        gateway = self._by_name.get(provider.name)
        if gateway is None:
            settings = self._settings
            gateway = self._by_name[provider.name] = Gateway(
                provider,
                max_concurrent=settings.max_concurrent.get(provider.name, settings.max_concurrent_default),
                timeout_seconds=settings.provider_timeout_seconds,
                breaker=settings.breaker,
            )
        return gateway
