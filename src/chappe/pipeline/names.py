"""The pipeline's queues: ordinary queues of one account, so that SQS calls see, measure and redrive them."""

from __future__ import annotations

import msgspec
import structlog

from chappe.engine.base import DeadLetterPolicy, Engine, QueueSettings
from chappe.model.customer import Channel, Purpose
from chappe.model.errors import QueueExists, QueueNotFound

INTAKE_RECEIVES_MAX = 100
"""An intake message that was received so often without being finished is set aside."""
LANE_RECEIVES_MAX = 1_000
"""The same for lanes, where waiting for a circuit counts as well; the most that SQS can show."""
VISIBILITY_MS = 10_000
"""How long a message of a process that was killed stays hidden from the next."""

_log = structlog.get_logger("chappe.pipeline")


class QueueNames(msgspec.Struct, frozen=True):
    """Names in the engine, `region:account:name`. `pipeline` is the name of the region that they are of, if any."""

    region: str
    account: str
    pipeline: str = ""

    def intake(self, purpose: Purpose) -> str:
        """Where accepted messages wait to be decided."""
        return self._name(f"intake-{purpose}")

    def lane(self, purpose: Purpose, channel: Channel) -> str:
        """Where allowed messages wait for a provider."""
        return self._name(f"{purpose}-{channel}")

    @staticmethod
    def dead_letters(queue: str) -> str:
        """Where messages of this queue end up that cannot be processed."""
        return queue + "-dlq"

    @property
    def prefix(self) -> str:
        """How the names of all these queues begin. No others begin so."""
        return f"{self.region}:{self.account}:chappe-"

    def _name(self, name: str) -> str:
        return f"{self.prefix}{self.pipeline}-{name}" if self.pipeline else self.prefix + name


async def create_queues(engine: Engine, names: QueueNames, channels: frozenset[Channel]) -> None:
    """Create the queues that do not exist yet. Those that do keep the settings they have."""
    for purpose in Purpose:
        await _create_with_dead_letters(engine, names, names.intake(purpose), INTAKE_RECEIVES_MAX)
        for channel in sorted(channels):
            lane = names.lane(purpose, channel)
            await _create_with_dead_letters(engine, names, lane, LANE_RECEIVES_MAX)


async def message_count(engine: Engine, names: QueueNames) -> int:
    """Messages in intake and lanes, whether they are shown now or not."""
    queues = [names.intake(purpose) for purpose in Purpose]
    queues += [names.lane(purpose, channel) for purpose in Purpose for channel in Channel]
    count = 0
    for queue in queues:
        try:
            counts = await engine.counts(queue)
        except QueueNotFound:
            continue
        count += counts.ready + counts.in_flight + counts.delayed
    return count


async def warn_of_lanes_without_route(engine: Engine, names: QueueNames, channels: frozenset[Channel]) -> None:
    """Say so if messages wait in lanes that no provider serves any more."""
    for lane in (names.lane(purpose, channel) for purpose in Purpose for channel in Channel if channel not in channels):
        try:
            counts = await engine.counts(lane)
        except QueueNotFound:
            continue
        if counts.ready or counts.in_flight:
            _log.warning("lane_without_route", queue=lane, messages=counts.ready + counts.in_flight)


async def _create_with_dead_letters(engine: Engine, names: QueueNames, queue: str, receives_max: int) -> None:
    policy = DeadLetterPolicy(names.dead_letters(queue), receives_max)
    await _create(engine, policy.queue, QueueSettings(retention_ms=None))
    settings = QueueSettings(retention_ms=None, visibility_timeout_ms=VISIBILITY_MS, dead_letter=policy)
    await _create(engine, queue, settings)


async def _create(engine: Engine, name: str, settings: QueueSettings) -> None:
    try:
        await engine.create_queue(name, settings)
    except QueueExists:
        return
