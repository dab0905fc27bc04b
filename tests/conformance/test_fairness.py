"""Standard queues with groups: no tenant's backlog stands in another's way."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance.clocks import ManualClock
from tests.conformance.conftest import Restart
from tests.conformance.workplace import (
    MINUTE_MS,
    SECOND_MS,
    STANDARD,
    consume,
    receipts,
    send_apart,
    settles_at,
    take,
    texts,
)
from tests.model.reference import ReferenceEngine

from chappe.engine.base import DeadLetterPolicy, Engine, NewMessage, QueueCounts, QueueSettings

NOISY = 5_000
"""More than an engine is likely to keep of one tenant in memory."""


async def send_for(engine: Engine, group: str | None, *bodies: str, delay_ms: int | None = None) -> None:
    for start in range(0, len(bodies), 1000):
        await engine.send(
            "q", [NewMessage(body.encode(), group=group, delay_ms=delay_ms) for body in bodies[start : start + 1000]]
        )


def numbered(name: str, count: int) -> list[str]:
    return [f"{name} {number}" for number in range(count)]


@pytest.mark.parametrize("noisy", ["noisy", None], ids=["a group", "no group"])
async def test_a_quiet_tenant_does_not_wait_for_a_noisy_ones_backlog(engine: Engine, noisy: str | None) -> None:
    await engine.create_queue("q", STANDARD)
    await send_for(engine, noisy, *numbered("noise", NOISY))
    await send_for(engine, "quiet", "hello")
    assert "hello" in texts(await take(engine, "q", 2))


async def test_a_message_without_a_group_does_not_wait_for_a_groups_backlog(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send_for(engine, "noisy", *numbered("noise", NOISY))
    await send_for(engine, None, "hello")
    assert "hello" in texts(await take(engine, "q", 2))


async def test_fairness_holds_for_a_backlog_found_after_a_restart(engine: Engine, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    await send_for(engine, "noisy", *numbered("noise", NOISY))
    for name in ("quiet", "still", "silent"):
        await send_for(engine, name, name)
    engine = await restart()
    assert {"quiet", "still", "silent"} <= set(texts(await take(engine, "q", 10)))
    assert await settles_at(engine, "q", QueueCounts(NOISY + 3 - 10, 10, 0))


async def test_the_tenant_with_the_fewest_in_flight_comes_first(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send_for(engine, "a", *numbered("a", 10))
    await take(engine, "q", 4)
    await send_for(engine, "b", *numbered("b", 10))
    assert texts(await take(engine, "q", 4)) == numbered("b", 4)
    assert Counter(text[0] for text in texts(await take(engine, "q", 6))) == {"a": 3, "b": 3}


async def test_what_comes_back_counts_no_longer(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", STANDARD)
    await send_for(engine, "a", "a 0")
    await take(engine, "q", 1, visibility_timeout_ms=MINUTE_MS)
    await send_for(engine, "a", "a 1")
    await send_for(engine, "b", "b 0", "b 1")
    assert texts(await take(engine, "q", 1)) == ["b 0"]
    clock.advance(MINUTE_MS)
    assert texts(await take(engine, "q", 1)) in (["a 0"], ["a 1"])


async def test_deleted_messages_count_no_longer(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    await send_for(engine, "a", *numbered("a", 6))
    await engine.delete("q", receipts(await take(engine, "q", 3)))
    await send_for(engine, "b", "b 0", "b 1", "b 2")
    await take(engine, "q", 2)
    assert Counter(text[0] for text in texts(await take(engine, "q", 4))) == {"a": 2, "b": 2}


async def test_within_a_tenant_messages_come_in_order(engine: Engine) -> None:
    await engine.create_queue("q", STANDARD)
    for number in range(100):
        await send_for(engine, f"tenant {number % 3}", f"{number % 3} {number}")
    received = texts(await consume(engine, "q", 100))
    for tenant in "012":
        numbers = [int(text[2:]) for text in received if text[0] == tenant]
        assert numbers == sorted(numbers)


async def test_many_tenants_are_all_served(engine: Engine, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    await send_apart(engine, "q", *numbered("tenant", 700))
    first = texts(await consume(engine, "q", 300))
    engine = await restart()
    assert sorted(first + texts(await consume(engine, "q", 400))) == sorted(numbered("tenant", 700))
    assert await settles_at(engine, "q", QueueCounts(0, 0, 0))


async def test_a_delayed_message_joins_its_tenant_when_it_is_due(
    engine: Engine, clock: ManualClock, restart: Restart
) -> None:
    await engine.create_queue("q", STANDARD)
    await send_for(engine, "noisy", *numbered("noise", 3000))
    await send_for(engine, "quiet", "later", delay_ms=MINUTE_MS)
    engine = await restart()
    assert await settles_at(engine, "q", QueueCounts(3000, 0, 1))
    clock.advance(MINUTE_MS + SECOND_MS)
    assert await settles_at(engine, "q", QueueCounts(3001, 0, 0))
    assert "later" in texts([*await take(engine, "q", 10), *await take(engine, "q", 10)])


async def test_a_purge_forgets_every_tenant(engine: Engine, restart: Restart) -> None:
    await engine.create_queue("q", STANDARD)
    await send_for(engine, "a", *numbered("a", 200))
    await send_for(engine, "b", *numbered("b", 200))
    await take(engine, "q", 10)
    await engine.purge("q")
    assert await engine.counts("q") == QueueCounts(0, 0, 0)
    await send_for(engine, "b", "new")
    engine = await restart()
    assert texts(await consume(engine, "q", 1)) == ["new"]
    assert await settles_at(engine, "q", QueueCounts(0, 0, 0))


async def test_dead_letters_keep_their_tenant(engine: Engine, restart: Restart) -> None:
    policy = DeadLetterPolicy("dead", 1)
    await engine.create_queue("dead", STANDARD)
    await engine.create_queue("q", QueueSettings(visibility_timeout_ms=0, dead_letter=policy))
    await send_for(engine, "a", *numbered("a", 30))
    await send_for(engine, "b", "b 0")
    while await engine.receive("q", max_messages=10):
        pass
    assert await settles_at(engine, "dead", QueueCounts(31, 0, 0))
    engine = await restart()
    assert "b 0" in texts(await take(engine, "dead", 2))


async def test_a_closed_tenant_expires_with_its_messages(engine: Engine, clock: ManualClock) -> None:
    await engine.create_queue("q", QueueSettings(retention_ms=MINUTE_MS))
    await send_for(engine, "a", *numbered("a", 300))
    clock.advance(MINUTE_MS)
    await send_for(engine, "b", "fresh")
    assert texts(await take(engine, "q", 1)) == ["fresh"]
    assert await settles_at(engine, "q", QueueCounts(0, 1, 0))


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.sampled_from("abc"), st.integers(1, 5)),
            st.tuples(st.just("take"), st.just(""), st.integers(1, 4)),
            st.tuples(st.just("delete"), st.just(""), st.integers(1, 3)),
        ),
        max_size=30,
    )
)
async def test_the_shares_in_flight_are_even(steps: list[tuple[str, str, int]]) -> None:
    """While every tenant has more to deliver, no two differ by more than one message taken since both had some."""
    engine = ReferenceEngine(ManualClock())
    await engine.create_queue("q", STANDARD)
    ready: Counter[str] = Counter()
    held: list[tuple[str, str]] = []
    for step, tenant, count in steps:
        if step == "send":
            await send_for(engine, tenant, *[tenant] * count)
            ready[tenant] += count
        elif step == "take":
            for _ in range(count):
                in_flight = Counter(name for name, _ in held)
                fewest = min((in_flight[name] for name in ready if ready[name]), default=None)
                taken = await engine.receive("q")
                assert bool(taken) == (fewest is not None)
                if taken:
                    name = taken[0].body.decode()
                    assert in_flight[name] == fewest
                    ready[name] -= 1
                    held.append((name, taken[0].receipt))
        else:
            gone, held = held[:count], held[count:]
            if gone:
                await engine.delete("q", [receipt for _, receipt in gone])
