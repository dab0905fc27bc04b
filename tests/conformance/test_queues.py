"""Queues: their life, their attributes, their listing and the replacing of their settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from tests.conformance.clocks import START_MS, ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    FIFO,
    MINUTE_MS,
    SECOND_MS,
    STANDARD,
    nothing_to_receive,
    receipts,
    send,
    take,
    take_one,
    texts,
)

from chappe.engine.base import DeadLetterPolicy, Engine, QueueInfo, QueueSettings
from chappe.model.errors import InvalidInput, QueueExists, QueueNotFound

EVERY_SETTING = QueueSettings(
    fifo=True,
    delay_ms=7,
    visibility_timeout_ms=0,
    retention_ms=None,
    max_in_flight=3,
    dead_letter=DeadLetterPolicy("elsewhere", 5),
    attributes={"Policy": '{"é": "\\u0000"}', "empty": "", "": "no name"},
)

STRANGE_NAMES = [
    "a",
    "orders.fifo",
    "n" * 256,
    "é" * 256,
    "🚦" * 256,
    "with space",
    "with/slash",
    "../../up",
    "'; DROP TABLE queues; --",
    'a"quote',
    "percent%and_underscore",
    "line\nbreak",
    "tab\t",
    "Orders",
    "ORDERS",
    "e\u0301",
    "\u00e9",
]


async def test_a_created_queue_is_found_as_it_was_described(engine: Engine) -> None:
    created = await engine.create_queue("q", EVERY_SETTING)
    assert created == QueueInfo("q", EVERY_SETTING, created_at_ms=START_MS, modified_at_ms=START_MS)
    assert await engine.get_queue("q") == created


async def test_what_a_queue_was_created_with_survives_a_restart(engine: Engine, restart: Restart) -> None:
    created = await engine.create_queue("q", EVERY_SETTING)
    engine = await restart()
    assert await engine.get_queue("q") == created


@pytest.mark.parametrize("settings", [STANDARD, FIFO], ids=["same settings", "other settings"])
async def test_a_taken_name_is_refused_whatever_the_settings(engine: Engine, settings: QueueSettings) -> None:
    created = await engine.create_queue("q", STANDARD)
    with pytest.raises(QueueExists):
        await engine.create_queue("q", settings)
    assert await engine.get_queue("q") == created


async def test_a_queue_that_was_not_created_is_not_found_by_any_operation(engine: Engine) -> None:
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: engine.get_queue("q"),
        lambda: engine.set_queue("q", STANDARD),
        lambda: engine.delete_queue("q"),
        lambda: send(engine, "q", "body"),
        lambda: engine.receive("q"),
        lambda: engine.receive("q", wait_ms=20_000),
        lambda: engine.delete("q", ["receipt"]),
        lambda: engine.change_visibility("q", [("receipt", 1)]),
        lambda: engine.purge("q"),
        lambda: engine.counts("q"),
    ]
    for call in calls:
        with pytest.raises(QueueNotFound):
            await call()


async def test_a_deleted_queue_is_gone_with_its_messages(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "old")
    await engine.delete_queue("q")
    with pytest.raises(QueueNotFound):
        await engine.get_queue("q")
    assert await engine.list_queues() == []

    await engine.create_queue("q", STANDARD)
    assert await nothing_to_receive(engine, "q")


async def test_a_deleted_queue_stays_deleted_after_a_restart(engine: Engine, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    await engine.create_queue("other", STANDARD)
    await send(engine, "q", "old")
    await send(engine, "other", "kept")
    await engine.delete_queue("q")
    engine = await restart()
    assert [info.name for info in await engine.list_queues()] == ["other"]

    await engine.create_queue("q", STANDARD)
    assert await nothing_to_receive(engine, "q")
    assert texts(await take(engine, "other", 1)) == ["kept"]


async def test_a_name_may_be_used_again_for_a_queue_of_another_kind(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "old")
    await engine.delete_queue("q")
    created = await engine.create_queue("q", FIFO)
    assert created.settings.fifo
    await send(engine, "q", "new", group="g")
    assert texts(await take(engine, "q", 1)) == ["new"]


async def test_a_new_queue_of_an_old_name_did_not_issue_the_old_receipts(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "old")
    old = await take_one(engine, "q")
    await engine.delete_queue("q")

    await engine.create_queue("q", STANDARD)
    await send(engine, "q", "new")
    await take_one(engine, "q", visibility_timeout_ms=MINUTE_MS)
    [refusal] = await engine.delete("q", [old.receipt])
    assert refusal is not None
    assert refusal.code == "receipt_invalid"
    assert (await engine.counts("q")).in_flight == 1


async def test_a_queue_may_have_any_name_of_1_to_256_characters(engine: Engine) -> None:
    for name in STRANGE_NAMES:
        await engine.create_queue(name, STANDARD)
        await send(engine, name, f"to {name}")
    for name in STRANGE_NAMES:
        assert (await engine.get_queue(name)).name == name
        assert texts(await take(engine, name, 1)) == [f"to {name}"]


@pytest.mark.parametrize("name", ["", "n" * 257], ids=["empty", "257 characters"])
async def test_a_name_of_another_length_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(InvalidInput):
        await engine.create_queue(name, STANDARD)
    assert await engine.list_queues() == []


# --- listing --------------------------------------------------------------------------------------------


async def test_queues_are_listed_in_order_of_name(engine: Engine) -> None:
    for name in STRANGE_NAMES:
        await engine.create_queue(name, STANDARD)
    assert [info.name for info in await engine.list_queues()] == sorted(STRANGE_NAMES)


@pytest.mark.parametrize("prefix", ["a", "ab", "A", "a%", "a_", "é", "", "zz", "a*", "[a]"])
async def test_a_prefix_is_taken_literally(engine: Engine, prefix: str) -> None:
    names = ["a", "ab", "abc", "A", "a%b", "a_b", "é", "éa", "b", "a*", "[a]"]
    for name in names:
        await engine.create_queue(name, STANDARD)
    listed = await engine.list_queues(prefix=prefix)
    assert [info.name for info in listed] == sorted(name for name in names if name.startswith(prefix))


async def test_a_listing_is_read_page_by_page(engine: Engine) -> None:
    names = [f"p{number:02}" for number in range(25)]
    for name in ["a", *reversed(names), "z"]:
        await engine.create_queue(name, STANDARD)
    pages: list[list[str]] = []
    after = ""
    while page := await engine.list_queues(prefix="p", after=after, limit=10):
        pages.append([info.name for info in page])
        after = page[-1].name
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [name for page in pages for name in page] == names


async def test_a_listing_may_start_after_a_name_that_does_not_exist(engine: Engine) -> None:
    for name in ["a", "c"]:
        await engine.create_queue(name, STANDARD)
    assert [info.name for info in await engine.list_queues(after="b")] == ["c"]


async def test_a_listing_describes_each_queue_as_get_queue_does(engine: Engine) -> None:
    await engine.create_queue("q", EVERY_SETTING)
    assert await engine.list_queues() == [await engine.get_queue("q")]


# --- settings -------------------------------------------------------------------------------------------


async def test_settings_are_replaced_as_a_whole(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", EVERY_SETTING)
    clock.advance(SECOND_MS)
    replacement = QueueSettings(fifo=True, delay_ms=1)
    changed = await engine.set_queue("q", replacement)
    assert changed == QueueInfo("q", replacement, created_at_ms=START_MS, modified_at_ms=START_MS + SECOND_MS)
    assert await engine.get_queue("q") == changed


async def test_replaced_settings_survive_a_restart(engine: Engine, clock: ManualClock, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    clock.advance(SECOND_MS)
    changed = await engine.set_queue("q", QueueSettings(retention_ms=None, attributes={"a": "b"}))
    engine = await restart()
    assert await engine.get_queue("q") == changed


@pytest.mark.parametrize("kind_of_queue", [STANDARD, FIFO], ids=["standard", "fifo"])
async def test_the_kind_of_a_queue_is_fixed_at_creation(engine: Engine, kind_of_queue: QueueSettings) -> None:
    created = await engine.create_queue("q", kind_of_queue)
    with pytest.raises(InvalidInput):
        await engine.set_queue("q", QueueSettings(fifo=not kind_of_queue.fifo, delay_ms=9))
    assert await engine.get_queue("q") == created


async def test_a_new_visibility_timeout_governs_later_receives_only(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(visibility_timeout_ms=10 * SECOND_MS))
    await send(engine, "q", "first")
    await take_one(engine, "q")
    await engine.set_queue("q", QueueSettings(visibility_timeout_ms=MINUTE_MS))
    await send(engine, "q", "second")
    assert texts(await take(engine, "q", 1)) == ["second"]
    clock.advance(11 * SECOND_MS)
    assert texts(await take(engine, "q", 1)) == ["first"]
    clock.advance(50 * SECOND_MS)
    assert texts(await take(engine, "q", 1)) == ["second"]


async def test_a_new_delay_governs_later_sends_only(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(delay_ms=MINUTE_MS))
    await send(engine, "q", "slow")
    await engine.set_queue("q", STANDARD)
    await send(engine, "q", "quick")
    assert texts(await take(engine, "q", 1)) == ["quick"]
    assert await nothing_to_receive(engine, "q")
    clock.advance(MINUTE_MS)
    assert texts(await take(engine, "q", 1)) == ["slow"]


async def test_a_new_limit_of_messages_in_flight_governs_later_receives(engine: Engine) -> None:
    await engine.create_queue("q", QueueSettings(max_in_flight=1))
    await send(engine, "q", "1", "2", "3")
    await take_one(engine, "q")
    await engine.set_queue("q", QueueSettings(max_in_flight=2))
    assert len(await engine.receive("q", max_messages=10)) == 1


async def test_many_queues_keep_their_messages_apart(engine: Engine) -> None:
    names = [f"queue-{number}" for number in range(300)]
    for name in names:
        await engine.create_queue(name, FIFO if name.endswith("7") else STANDARD)
    for name in names:
        await send(engine, name, name, group="g")
    for name in names:
        taken = await take(engine, name, 1)
        assert texts(taken) == [name]
        assert await engine.delete(name, receipts(taken)) == [None]
