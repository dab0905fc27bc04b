"""The operations on queues themselves: create, find, list, describe, change, purge, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chappe.broker import attributes, redrive
from chappe.broker.changes import Changes
from chappe.broker.directory import NOT_FOUND, Call, Directory, check_access
from chappe.broker.errors import (
    InvalidAttributeName,
    MissingParameter,
    PurgeInProgress,
    QueueDeletedRecently,
)
from chappe.broker.names import QueueName, check_new_name
from chappe.broker.paging import page_size, page_start, page_token
from chappe.broker.shapes import (
    CreateQueueInput,
    DeleteQueueInput,
    GetQueueAttributesInput,
    GetQueueAttributesOutput,
    GetQueueUrlInput,
    ListQueuesInput,
    ListQueuesOutput,
    PurgeQueueInput,
    QueueUrlOutput,
    SetQueueAttributesInput,
)
from chappe.broker.tags import check_tags
from chappe.engine.base import Engine, QueueInfo, QueueSettings
from chappe.model.errors import QueueExists, QueueNotFound

PURGE_INTERVAL_MS = 60_000


class Queues:
    """Queue operations over an engine. `forget` is told the engine name of each queue that was deleted.

    `recreate_after_ms` is how long the name of a deleted queue stays unusable; AWS waits 60,000, and the
    default of 0 lets tests delete and create freely.
    """

    def __init__(
        self,
        engine: Engine,
        directory: Directory,
        changes: Changes,
        forget: Callable[[str], Awaitable[None]],
        clock_ms: Callable[[], int],
        *,
        recreate_after_ms: int = 0,
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._changes = changes
        self._forget = forget
        self._clock_ms = clock_ms
        self._recreate_after_ms = recreate_after_ms
        self._purged = RecentEvents(PURGE_INTERVAL_MS, clock_ms)
        self._deleted = RecentEvents(recreate_after_ms, clock_ms)

    async def create_queue(self, call: Call, request: CreateQueueInput) -> QueueUrlOutput:
        """Creating a queue that exists with the same values of the given attributes gives its URL."""
        given = request.attributes or {}
        fifo = given.get("FifoQueue") == "true"
        check_new_name(request.queue_name, fifo=fifo)
        stored = attributes.check_new_attributes(given, fifo=fifo)
        tags = check_tags(request.tags or {}, request.queue_name or "")
        name = QueueName(call.principal.region, call.principal.account, request.queue_name or "")
        if self._deleted.recently(name.engine_name):
            raise QueueDeletedRecently(
                f"You must wait {self._recreate_after_ms // 1000} seconds after deleting a queue before you can "
                "create another with the same name."
            )
        if self._directory.is_own(name):
            await self._check_own(name, given, fifo=fifo)
            return QueueUrlOutput(queue_url=name.url(call.endpoint))
        await self._check_dead_letters(name, stored)
        settings = attributes.settings_of({**stored, **tags}, fifo=fifo)
        try:
            await self._engine.create_queue(name.engine_name, settings)
        except QueueExists:
            await self._check_same(name, given, fifo=fifo)
        return QueueUrlOutput(queue_url=name.url(call.endpoint))

    async def get_queue_url(self, call: Call, request: GetQueueUrlInput) -> QueueUrlOutput:
        if request.queue_name is None:
            raise MissingParameter.named("QueueName")
        account = request.queue_owner_aws_account_id or call.principal.account
        name = QueueName(call.principal.region, account, request.queue_name)
        check_access(call.principal, name)
        try:
            await self._engine.get_queue(name.engine_name)
        except QueueNotFound:
            raise QueueNotFound(NOT_FOUND, queue=name.engine_name) from None
        return QueueUrlOutput(queue_url=name.url(call.endpoint))

    async def list_queues(self, call: Call, request: ListQueuesInput) -> ListQueuesOutput:
        """At most 1000 queues of the caller's region and account; a token only if `MaxResults` was given.

        Those of the server itself are told to who asks for them by their prefix: nobody else created them or looks for
        them.
        """
        limit = page_size(request.max_results)
        mine = f"{call.principal.region}:{call.principal.account}:"
        prefix = mine + (request.queue_name_prefix or "")
        after = page_start(request.next_token, mine)
        paged = request.max_results is not None
        found = await self._listed(prefix, after, limit + paged)
        shown = found[:limit]
        more = len(found) > limit
        urls = [f"{call.endpoint}/{call.principal.account}/{info.name.removeprefix(mine)}" for info in shown]
        return ListQueuesOutput(queue_urls=urls or None, next_token=page_token(shown[-1].name) if more else None)

    async def _listed(self, prefix: str, after: str, limit: int) -> list[QueueInfo]:
        found: list[QueueInfo] = []
        while len(found) < limit:
            page = await self._engine.list_queues(prefix=prefix, after=after, limit=limit)
            found += [info for info in page if self._directory.owns(prefix) or not self._directory.owns(info.name)]
            if len(page) < limit:
                break
            after = page[-1].name
        return found[:limit]

    async def delete_queue(self, call: Call, request: DeleteQueueInput) -> None:
        name = self._directory.named(call, request.queue_url)
        self._directory.check_changeable(name)
        try:
            await self._engine.delete_queue(name.engine_name)
        except QueueNotFound:
            raise QueueNotFound(NOT_FOUND, queue=name.engine_name) from None
        self._deleted.record(name.engine_name)
        self._purged.forget(name.engine_name)
        await self._forget(name.engine_name)

    async def get_queue_attributes(self, call: Call, request: GetQueueAttributesInput) -> GetQueueAttributesOutput:
        queue = await self._directory.find(call, request.queue_url)
        names = request.attribute_names or []
        for name in names:
            if name not in attributes.KNOWN:
                raise InvalidAttributeName(f"Unknown Attribute {name[:256]}.")
        if not names:
            return GetQueueAttributesOutput()
        everything = "All" in names
        counts = None
        if everything or not attributes.COUNTED.isdisjoint(names):
            counts = await self._engine.counts(queue.engine_name)
        info = await self._engine.get_queue(queue.engine_name)
        known = attributes.described(queue.name, info, counts)
        shown = known if everything else {name: known[name] for name in names if name in known}
        return GetQueueAttributesOutput(attributes=shown or None)

    async def set_queue_attributes(self, call: Call, request: SetQueueAttributesInput) -> None:
        if request.attributes is None:
            raise MissingParameter.named("Attributes")
        async with self._changes.to(call, request.queue_url) as queue:
            fifo = queue.attributes.fifo
            merged = attributes.merge_attributes(queue.settings.attributes, request.attributes, fifo=fifo)
            if "RedrivePolicy" in request.attributes:
                await self._check_dead_letters(queue.name, merged)
            await self._changes.store(queue, merged)

    async def purge_queue(self, call: Call, request: PurgeQueueInput) -> None:
        queue = await self._directory.find(call, request.queue_url)
        self._directory.check_changeable(queue.name)
        if self._purged.recently(queue.engine_name):
            raise PurgeInProgress(
                f"Only one PurgeQueue operation on {queue.name.name} is allowed every 60 seconds.",
                queue=queue.engine_name,
            )
        self._purged.record(queue.engine_name)
        try:
            await self._engine.purge(queue.engine_name)
        except BaseException:
            self._purged.forget(queue.engine_name)
            raise

    async def _check_own(self, name: QueueName, given: dict[str, str], *, fifo: bool) -> None:
        """One that is there may be "created" again, as any queue may; there will be no other."""
        try:
            await self._check_same(name, given, fifo=fifo)
        except QueueNotFound:
            self._directory.check_changeable(name)

    async def _check_same(self, name: QueueName, given: dict[str, str], *, fifo: bool) -> None:
        existing = await self._engine.get_queue(name.engine_name)
        difference = attributes.first_difference(existing.settings.attributes, given, fifo=fifo)
        if difference is not None:
            raise QueueExists(
                f"A queue already exists with the same name and a different value for attribute {difference}",
                queue=name.engine_name,
                attribute=difference,
            )

    async def _check_dead_letters(self, source: QueueName, stored: dict[str, str]) -> None:
        policy = attributes.redrive_policy(stored)
        if policy is None:
            return
        text = stored["RedrivePolicy"]
        redrive.check_dead_letter_target(text, policy, source, None)
        allowed = attributes.redrive_allow_policy((await self._target(text, policy)).attributes)
        redrive.check_dead_letter_target(text, policy, source, allowed)

    async def _target(self, text: str, policy: redrive.RedrivePolicy) -> QueueSettings:
        try:
            return (await self._engine.get_queue(policy.target.engine_name)).settings
        except QueueNotFound:
            raise redrive.missing_dead_letter_target(text) from None


class RecentEvents:
    """Which queues something happened to less than `interval_ms` ago."""

    def __init__(self, interval_ms: int, clock_ms: Callable[[], int]) -> None:
        self._interval_ms = interval_ms
        self._clock_ms = clock_ms
        self._at: dict[str, int] = {}

    def record(self, queue: str) -> None:
        now = self._clock_ms()
        if self._interval_ms > 0:
            self._at.pop(queue, None)
            self._at[queue] = now
        while self._at and (oldest := next(iter(self._at))) and now - self._at[oldest] >= self._interval_ms:
            del self._at[oldest]

    def recently(self, queue: str) -> bool:
        at = self._at.get(queue)
        return at is not None and self._clock_ms() - at < self._interval_ms

    def forget(self, queue: str) -> None:
        self._at.pop(queue, None)
