"""An embedded engine with next to no memory: what else takes a long backlog or a long time happens at once.

Windows hold a few messages, pages of the journal are settled as soon as they are written, contents leave memory, and
upkeep never rests. The engine must behave the same; only slower.
"""

from __future__ import annotations

import pytest

import chappe.engine.embedded as embedded

TIGHT: dict[str, float] = {
    "settling.SETTLE_AFTER_SECONDS": 0.0,
    "settling.GATHER_SECONDS": 0.0,
    "settling.CHUNK": 5,
    "settling.JOURNAL_BYTES": 4096,
    "core.RESIDENT_BYTES": 100,
    "standard.HEAD_LIMIT": 4,
    "standard.REFILL_BELOW": 2,
    "standard.SLICE_ROWS": 3,
    "standard.SLICE_BYTES": 1000,
    "standard.PARKED_LIMIT": 2,
    "standard.TENANT_HEAD_LIMIT": 3,
    "standard.TENANT_REFILL_BELOW": 2,
    "standard.TENANTS_PER_READ": 2,
    "standard.LOOK_AHEAD_MS": 10,
    "fifo.HEAD_LIMIT": 4,
    "fifo.GROUP_HEAD_LIMIT": 2,
    "fifo.ELIGIBLE_TARGET": 2,
    "fifo.SLICE_ROWS": 3,
    "fifo.SLICE_BYTES": 1000,
    "upkeep.INTERVAL_SECONDS": 0.002,
    "upkeep.EXPIRE_EVERY_MS": 100,
    "upkeep.GARBAGE_ROWS": 2,
    "checkpoints.INTERVAL_SECONDS": 0.01,
}


def tighten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply to engines opened from now on, until undone. A constant that is no longer there is an error."""
    for name, value in TIGHT.items():
        monkeypatch.setattr(f"{embedded.__name__}.{name}", value)
