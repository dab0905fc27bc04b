"""What a scrape of the metrics shows besides what is counted: how full the queues are, how old the registries."""

from __future__ import annotations

import shutil

from chappe.compliance.rule_sets.rollout import Rollout
from chappe.engine.base import Engine
from chappe.model.errors import QueueNotFound
from chappe.observe.metrics import QueueDepth, Readings, RegistryAge
from chappe.pipeline.content.readings import classifier_readings
from chappe.pipeline.context import Context
from chappe.pipeline.providers.breaker import CircuitState


async def take_readings(context: Context) -> Readings:
    """Everything as it is now."""
    now_ms = context.now_ms()
    requests = await context.records.data_requests.unfinished()
    rules = context.rules
    everyone, staged = (rules.everyone, rules.staged) if isinstance(rules, Rollout) else (rules, None)
    return Readings(
        rule_set=getattr(everyone, "version", 0),
        staged_rule_set=None if staged is None else staged.version,
        queues=await _depths(context),
        registries=[
            RegistryAge(registry.id, (now_ms - version.as_of_ms) / 1000, version.listings)
            for registry, version in await context.records.registries.records.in_use()
        ],
        open_circuits={
            gateway.name: gateway.state(now_ms) is not CircuitState.CLOSED
            for pipeline in context.pipelines
            for gateway in pipeline.routes.all()
        },
        data_requests_open=len(requests),
        data_requests_overdue=sum(request.is_overdue(now_ms) for request in requests),
        disk_free_bytes=shutil.disk_usage(context.records.folder).free,
        classifier=await classifier_readings(context),
    )


async def _depths(context: Context) -> list[QueueDepth]:
    """The queues whose names say that they are the pipeline's; those of regions and dead letters included."""
    prefix = context.names.prefix
    depths = []
    for queue in await context.engine.list_queues(prefix=prefix):
        depth = await _depth(context.engine, queue.name)
        if depth is not None:
            depths.append(depth)
    return depths


async def _depth(engine: Engine, name: str) -> QueueDepth | None:
    try:
        counts = await engine.counts(name)
    except QueueNotFound:  # deleted meanwhile
        return None
    return QueueDepth(name.rpartition(":")[2], counts.ready, counts.in_flight, counts.delayed)
