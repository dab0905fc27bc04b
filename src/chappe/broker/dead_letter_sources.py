"""Which queues send their dead letters to a queue: ListDeadLetterSourceQueues."""

from __future__ import annotations

from collections.abc import AsyncIterator

from chappe.broker.directory import Call, Directory
from chappe.broker.names import QueueName
from chappe.broker.paging import PAGE_MAX, page_size, page_start, page_token
from chappe.broker.shapes import ListDeadLetterSourceQueuesInput, ListDeadLetterSourceQueuesOutput
from chappe.engine.base import Engine


class DeadLetterSources:
    def __init__(self, engine: Engine, directory: Directory) -> None:
        self._engine = engine
        self._directory = directory

    async def list_dead_letter_source_queues(
        self, call: Call, request: ListDeadLetterSourceQueuesInput
    ) -> ListDeadLetterSourceQueuesOutput:
        """At most 1000 queues; a token only if `MaxResults` was given."""
        queue = await self._directory.find(call, request.queue_url)
        limit = page_size(request.max_results)
        after = page_start(request.next_token, _beginning(queue.name))
        found = []
        async for source in self.of(queue.name, after):
            found.append(source)
            if len(found) > limit:
                break
        shown = found[:limit]
        more = len(found) > limit and request.max_results is not None
        return ListDeadLetterSourceQueuesOutput(
            queue_urls=[source.url(call.endpoint) for source in shown],
            next_token=page_token(shown[-1].engine_name) if more else None,
        )

    async def of(self, target: QueueName, after: str = "") -> AsyncIterator[QueueName]:
        """The queues whose dead letters go to `target`, in the order of their names."""
        beginning = _beginning(target)
        while page := await self._engine.list_queues(prefix=beginning, after=after, limit=PAGE_MAX):
            for info in page:
                policy = info.settings.dead_letter
                source = QueueName.from_engine(info.name)
                if policy is not None and policy.queue == target.engine_name and source is not None:
                    yield source
            after = page[-1].name


def _beginning(name: QueueName) -> str:
    """How the engine names of all queues of this region and account begin: dead letters go no further."""
    return f"{name.region}:{name.account}:"
