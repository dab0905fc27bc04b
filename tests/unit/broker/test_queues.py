"""What boto3 does not show: rules that need a clock or two callers at once."""

from __future__ import annotations

import asyncio

import pytest
from tests.conformance.clocks import ManualClock
from tests.model.reference import ReferenceEngine

from chappe.broker.directory import Call
from chappe.broker.errors import PurgeInProgress, QueueDeletedRecently
from chappe.broker.names import QueueName, parse_queue_url
from chappe.broker.queues import RecentEvents
from chappe.broker.shapes import (
    CreateQueueInput,
    DeleteQueueInput,
    GetQueueAttributesInput,
    PurgeQueueInput,
    SetQueueAttributesInput,
)
from chappe.broker.sqs import Sqs
from chappe.model.errors import QueueNotFound
from chappe.security.principal import Principal

CALL = Call(Principal("AKIATEST", "123456789012", "eu-west-1", "sqs"), "http://h:1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_name_can_be_used_again_after_the_wait_that_was_configured(clock: ManualClock) -> None:
    sqs = Sqs(ReferenceEngine(clock), clock, recreate_after_ms=60_000)
    url = (await sqs.queues.create_queue(CALL, CreateQueueInput(queue_name="q"))).queue_url
    await sqs.queues.delete_queue(CALL, DeleteQueueInput(queue_url=url))
    clock.advance(59_999)
    with pytest.raises(QueueDeletedRecently) as caught:
        await sqs.queues.create_queue(CALL, CreateQueueInput(queue_name="q"))
    assert caught.value.message == (
        "You must wait 60 seconds after deleting a queue before you can create another with the same name."
    )
    clock.advance(1)
    assert (await sqs.queues.create_queue(CALL, CreateQueueInput(queue_name="q"))).queue_url == url


async def test_a_purge_that_failed_does_not_count(clock: ManualClock) -> None:
    engine = ReferenceEngine(clock)
    sqs = Sqs(engine, clock)
    url = (await sqs.queues.create_queue(CALL, CreateQueueInput(queue_name="q"))).queue_url
    sqs.queues._engine = FailingPurge(engine)  # type: ignore[assignment]
    with pytest.raises(OSError, match="disk"):
        await sqs.queues.purge_queue(CALL, PurgeQueueInput(queue_url=url))
    sqs.queues._engine = engine
    await sqs.queues.purge_queue(CALL, PurgeQueueInput(queue_url=url))
    with pytest.raises(PurgeInProgress):
        await sqs.queues.purge_queue(CALL, PurgeQueueInput(queue_url=url))


class FailingPurge:
    def __init__(self, engine: ReferenceEngine) -> None:
        self.get_queue = engine.get_queue

    async def purge(self, name: str) -> None:
        raise OSError("disk")


async def test_attributes_set_at_the_same_time_are_all_kept(clock: ManualClock) -> None:
    sqs = Sqs(ReferenceEngine(clock), clock)
    url = (await sqs.queues.create_queue(CALL, CreateQueueInput(queue_name="q"))).queue_url
    given = {"DelaySeconds": "1", "VisibilityTimeout": "2", "MaximumMessageSize": "2048"}
    await asyncio.gather(
        *(
            sqs.queues.set_queue_attributes(CALL, SetQueueAttributesInput(queue_url=url, attributes={name: value}))
            for name, value in given.items()
        )
    )
    wanted = GetQueueAttributesInput(queue_url=url, attribute_names=list(given))
    assert (await sqs.queues.get_queue_attributes(CALL, wanted)).attributes == given


async def test_a_queue_that_was_deleted_and_created_again_is_known_by_its_new_attributes(clock: ManualClock) -> None:
    sqs = Sqs(ReferenceEngine(clock), clock)
    create = CreateQueueInput(queue_name="q", attributes={"DelaySeconds": "1"})
    url = (await sqs.queues.create_queue(CALL, create)).queue_url
    directory = sqs.queues._directory
    assert (await directory.find(CALL, url)).settings.delay_ms == 1000
    await sqs.queues.delete_queue(CALL, DeleteQueueInput(queue_url=url))
    with pytest.raises(QueueNotFound):
        await directory.find(CALL, url)
    await sqs.queues.create_queue(CALL, CreateQueueInput(queue_name="q"))
    assert (await directory.find(CALL, url)).settings.delay_ms == 0


def test_recent_events_are_forgotten_in_time(clock: ManualClock) -> None:
    events = RecentEvents(60_000, clock)
    for n in range(100):
        events.record(f"queue {n}")
        clock.advance(1000)
    assert len(events._at) == 60
    assert events.recently("queue 99")
    assert not events.recently("queue 39")


@pytest.mark.parametrize(
    ("url", "account", "name"),
    [
        ("http://h:1/111122223333/q", "111122223333", "q"),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/q.fifo", "111122223333", "q.fifo"),
        ("/111122223333/q", "111122223333", "q"),
        ("q", "123456789012", "q"),
        ("http://h:1/queue/q", "123456789012", "q"),
        ("http://h:1/q", "123456789012", "q"),
        ("http://h:1/" + "\u0661" * 12 + "/q", "123456789012", "q"),
        ("http://h:1/queue/eu/111122223333/q", "111122223333", "q"),
    ],
)
def test_reading_queue_urls(url: str, account: str, name: str) -> None:
    assert parse_queue_url(url, "eu-west-1", "123456789012") == QueueName("eu-west-1", account, name)


def test_names_in_all_their_forms() -> None:
    name = QueueName("eu-west-1", "123456789012", "q.fifo")
    assert name.arn == "arn:aws:sqs:eu-west-1:123456789012:q.fifo"
    assert name.url("http://h:1") == "http://h:1/123456789012/q.fifo"
    assert QueueName.from_arn(name.arn) == name
    assert QueueName.from_engine(name.engine_name) == name
    assert QueueName.from_engine("intake") is None
    for bad in ("", "arn:aws:sns:r:a:q", "arn:aws:sqs:r:a", "arn:aws:sqs:r:a:q:x", "arn:aws:sqs::a:q"):
        assert QueueName.from_arn(bad) is None
