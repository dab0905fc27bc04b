"""What a life is made of: the queues there are, and how settings, messages and receipts are drawn."""

from __future__ import annotations

from hypothesis import strategies as st

from chappe.engine.base import DeadLetterPolicy, QueueSettings

STANDARD_NAMES = ["s1", "s2", "dead-s"]
FIFO_NAMES = ["f1", "f2", "dead-f"]
SOURCES = ["s1", "s2", "f1", "f2"]
NAMES = [*STANDARD_NAMES, *FIFO_NAMES]
SECOND_MS = 1000

TIMEOUTS_MS = st.sampled_from([0, 1, SECOND_MS, 10 * SECOND_MS, 70 * SECOND_MS])
ADVANCES_MS = st.sampled_from(
    [1, 999, SECOND_MS, 5 * SECOND_MS, 11 * SECOND_MS, 71 * SECOND_MS, 299_999, 300_001, 400_000_000]
)


@st.composite
def settings_for(draw: st.DrawFn, name: str) -> QueueSettings:
    fifo = name in FIFO_NAMES
    policy = None
    max_in_flight = 120_000
    if name in SOURCES:
        if draw(st.booleans()):
            policy = DeadLetterPolicy("dead-f" if fifo else "dead-s", draw(st.integers(1, 3)))
        else:
            max_in_flight = draw(st.sampled_from([120_000, 120_000, 2]))
    return QueueSettings(
        fifo=fifo,
        delay_ms=draw(st.sampled_from([0, 0, 0, 3 * SECOND_MS])) if name in SOURCES else 0,
        visibility_timeout_ms=draw(TIMEOUTS_MS),
        retention_ms=draw(st.sampled_from([None, 345_600_000, 345_600_000, 100 * SECOND_MS])),
        max_in_flight=max_in_flight,
        dead_letter=policy,
        attributes=draw(st.sampled_from([{}, {"a": "b"}])),
    )


Pick = tuple[str, int]
"""Which receipts, and which of them. What is drawn must not depend on the engine's timing, so this is not a receipt."""
PICKS = st.lists(
    st.tuples(st.sampled_from(["new", "new", "new", "any", "any", "foreign", "junk"]), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)
Draft = tuple[str | None, bytes | None, int | None]
"""(group, deduplication key, own delay)"""
DRAFTS = st.lists(
    st.tuples(
        st.sampled_from(["g1", "g2", "g3", None]),
        st.sampled_from([None, None, None, b"k1", b"k2", b"k3"]),
        st.sampled_from([None, None, 0, 2 * SECOND_MS, 80 * SECOND_MS]),
    ),
    min_size=1,
    max_size=8,
)
