"""About the server itself: queues, the sandbox, health."""

from __future__ import annotations

import msgspec

from chappe import __version__
from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.call import Call
from chappe.api.rest.errors import InvalidParameter
from chappe.api.rest.paging import limit_of
from chappe.api.rest.presenting import moment
from chappe.api.rest.query import address_in
from chappe.api.rest.server.documents import (
    HealthView,
    ProvidersView,
    ProviderView,
    QueuesView,
    QueueView,
    SandboxMessagesView,
    SandboxMessageView,
)
from chappe.broker.names import QueueName
from chappe.channels.sandbox import KeptMessage
from chappe.engine.base import Engine, QueueInfo
from chappe.model.errors import QueueNotFound
from chappe.observe.metrics import CONTENT_TYPE
from chappe.pipeline.readings import take_readings

_QUEUES_MAX = 1_000
_HEALTH_MARK = "health"


async def list_queues(call: Call) -> Answer:
    """GET /v1/queues"""
    engine = call.server.pipeline.context.engine
    limit = limit_of(call.query, default=100, most=_QUEUES_MAX)
    prefix, after = call.query.get("prefix", ""), call.query.get("cursor", "")
    if len(after) > 256:
        raise InvalidParameter("cursor must be the next_cursor of the page before.", parameter="cursor")
    found: list[QueueView] = []
    last = after
    while len(found) <= limit:
        page = await engine.list_queues(after=last, limit=_QUEUES_MAX)
        if not page:
            return json_answer(200, QueuesView(found))
        for queue in page:
            name = QueueName.from_engine(queue.name)
            if name is None or not name.name.startswith(prefix):
                continue
            if len(found) == limit:
                return json_answer(200, QueuesView(found, last))
            view = await _queue_view(engine, queue, name)
            if view is not None:
                found.append(view)
                last = queue.name
        last = page[-1].name
    return json_answer(200, QueuesView(found, last))


async def _queue_view(engine: Engine, queue: QueueInfo, name: QueueName) -> QueueView | None:
    try:
        counts = await engine.counts(queue.name)
    except QueueNotFound:  # deleted meanwhile
        return None
    return QueueView(name.name, name.arn, queue.settings.fifo, counts.ready, counts.in_flight, counts.delayed)


async def list_providers(call: Call) -> Answer:
    """GET /v1/providers"""
    found = [ProviderView(*msgspec.structs.astuple(state)) for state in call.server.pipeline.providers()]
    return json_answer(200, ProvidersView(found))


async def list_sandbox_messages(call: Call) -> Answer:
    """GET /v1/sandbox/messages"""
    limit = limit_of(call.query)
    to = address_in(call.query, "to")
    kept = [(kept, provider.name) for provider in call.server.sandboxes for kept in provider.kept]
    kept.sort(key=lambda entry: entry[0].taken_at_ms, reverse=True)
    found = [_sandbox_view(message, name) for message, name in kept if to is None or message.outbound.to == to]
    taken = sum(provider.taken.total() for provider in call.server.sandboxes)
    return json_answer(200, SandboxMessagesView(found[:limit], taken))


def _sandbox_view(kept: KeptMessage, provider: str) -> SandboxMessageView:
    outbound = kept.outbound
    return SandboxMessageView(
        taken_at=moment(kept.taken_at_ms),
        provider=provider,
        id=outbound.message_id,
        to=outbound.to,
        channel=outbound.channel,
        purpose=outbound.purpose,
        content=outbound.content,
        attempt=outbound.attempt,
        sender=outbound.sender,
        metadata=outbound.metadata,
        unsubscribe_url=outbound.unsubscribe_url,
    )


async def metrics(call: Call) -> Answer:
    """GET /metrics"""
    context = call.server.pipeline.context
    content = context.metrics.render(await take_readings(context))
    return Answer(200, content, ((b"content-type", CONTENT_TYPE.encode()),))


async def health(call: Call) -> Answer:
    """GET /healthz"""
    await call.server.records.marks.get(_HEALTH_MARK)
    await call.server.pipeline.context.engine.list_queues(limit=1)
    return json_answer(200, HealthView("ok", __version__))
