from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from chappe.pipeline.providers.backoff import RetryPolicy

POLICIES = st.builds(
    RetryPolicy,
    floor_ms=st.integers(0, 1_000),
    first_ms=st.integers(1, 10_000),
    factor=st.floats(1, 10),
    cap_ms=st.integers(1, 1_000_000),
    asked_cap_ms=st.integers(0, 10_000_000),
)


@given(st.integers())
def test_the_first_wait_is_fifty_to_a_hundred_milliseconds(seed: int) -> None:
    assert 50 <= RetryPolicy().delay_ms(1, None, random.Random(seed)) <= 100


@given(POLICIES, st.integers(1, 5_000), st.integers())
def test_the_wait_stays_between_floor_and_cap(policy: RetryPolicy, attempts: int, seed: int) -> None:
    delay_ms = policy.delay_ms(attempts, None, random.Random(seed))
    assert policy.floor_ms <= delay_ms <= max(policy.cap_ms, policy.floor_ms)


@given(POLICIES, st.integers(1, 20), st.integers(0, 10**9), st.integers())
def test_a_providers_wish_is_kept_to_within_its_bound(
    policy: RetryPolicy, attempts: int, asked_ms: int, seed: int
) -> None:
    delay_ms = policy.delay_ms(attempts, asked_ms, random.Random(seed))
    assert delay_ms >= min(asked_ms, policy.asked_cap_ms)
    assert delay_ms <= max(policy.cap_ms, policy.floor_ms, policy.asked_cap_ms)


def test_a_refused_recipient_is_given_an_hour() -> None:
    """Seven attempts outlast greylisting, whose usual five minutes may be fifteen or more."""
    source = random.Random(7)
    waits = [RetryPolicy().recipient_delay_ms(n, source) for n in range(1, 7)]
    assert [60_000 * 2**n <= wait <= 75_000 * 2**n for n, wait in enumerate(waits)] == [True] * 6
    assert sum(waits) > 3_600_000
    assert RetryPolicy().recipient_delay_ms(5_000, source) <= 1.25 * 3_600_000


def test_the_longest_wait_doubles_until_the_cap() -> None:
    class Latest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    longest = [RetryPolicy().delay_ms(n, None, Latest()) for n in range(1, 15)]
    assert longest[:4] == [100, 200, 400, 800]
    assert longest[-1] == 300_000


def test_waits_are_spread() -> None:
    source = random.Random(7)
    waits = {RetryPolicy().delay_ms(6, None, source) for _ in range(200)}
    assert min(waits) < 500
    assert max(waits) > 2_700
