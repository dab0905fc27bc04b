"""What has been kept long enough goes, by jurisdiction, unless it is held; the chain stays whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.clocks import RunningClock
from tests.unit.observe.audit.conftest import decide_some
from tests.unit.pipeline.house import SIGNING_KEY, House, house

from chappe.model.errors import NotFound
from chappe.observe.audit.checking import Verification, verify
from chappe.observe.audit.finding import DecisionFilter
from chappe.observe.audit.proofs import check_proof
from chappe.observe.audit.retention import RetentionPolicy
from chappe.observe.audit.storage import AuditStorage

DAY_MS = 86_400_000


def checked(folder: Path) -> Verification:
    with AuditStorage(folder) as storage:
        return verify(storage, SIGNING_KEY.public_key())


@pytest.fixture
async def sealed(tmp_path: Path, clock: RunningClock) -> AsyncIterator[House]:
    """Decisions of one day in a file, and some of 60 days later in pages. Those under DE are kept for 30 days."""
    async with house(tmp_path, clock=clock) as h:
        await decide_some(h)
        clock.now_ms += 60 * DAY_MS
        await decide_some(h)
        assert await h.audit.sealer.seal_next() is not None
        yield h


async def test_only_what_is_due_goes_and_the_chain_stays_whole(sealed: House, tmp_path: Path) -> None:
    before = checked(tmp_path)
    assert await sealed.audit.drop_expired() == 1
    after = checked(tmp_path)
    assert after.sound
    assert (after.dropped, after.records) == (1, before.records + 1)
    found = (await sealed.audit.find(DecisionFilter(outcome="block"), 50)).decisions
    assert len(found) == 1
    assert await sealed.audit.drop_expired() == 0


async def test_everything_goes_in_the_end_and_the_rest_can_still_be_proved(
    sealed: House, tmp_path: Path, clock: RunningClock
) -> None:
    clock.now_ms += 310 * DAY_MS
    assert await sealed.audit.drop_expired() == 7
    await sealed.audit.checkpointer.sign()
    assert checked(tmp_path).dropped == 7
    left = (await sealed.audit.find(DecisionFilter(), 50)).decisions
    assert len(left) == 7
    for decision in left:
        check_proof(await sealed.audit.prove(decision.number), SIGNING_KEY.public_key())


async def test_a_legal_hold_keeps_what_it_covers_until_it_is_released(sealed: House, tmp_path: Path) -> None:
    hold = await sealed.audit.hold("DE", "claim 4711")
    assert await sealed.audit.drop_expired() == 0
    await sealed.audit.release(hold.key)
    assert await sealed.audit.drop_expired() == 1
    assert checked(tmp_path).sound
    with pytest.raises(NotFound):
        await sealed.audit.release(hold.key)


@pytest.mark.parametrize(("jurisdiction", "dropped"), [("*", 0), ("EU", 0), ("US", 1)])
async def test_a_hold_covers_its_jurisdiction(sealed: House, jurisdiction: str, dropped: int) -> None:
    await sealed.audit.hold(jurisdiction, "claim")
    assert await sealed.audit.drop_expired() == dropped


@pytest.mark.parametrize(
    ("jurisdiction", "days"),
    [("US-CA", 10), ("US-NY", 20), ("US", 20), ("PR", 20), ("DE", 30), ("FR", 35), ("JP", 40), (None, 40)],
)
def test_a_place_goes_by_the_nearest_entry(jurisdiction: str | None, days: int) -> None:
    policy = RetentionPolicy(40, {"US-CA": 10, "US": 20, "DE": 30, "EU": 35})
    assert policy.days_for(jurisdiction) == days
    assert policy.shortest_ms == 10 * DAY_MS
