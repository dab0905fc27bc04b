"""SIGKILL while much is on its way to its rows: in the replay of a long journal, and while the journal is full."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from tests.acceptance.kill.campaign import Campaign, figures
from tests.acceptance.kill.crew import fillers
from tests.acceptance.kill.lives import Nursery
from tests.acceptance.kill.plan import Plan

from chappe.engine.embedded.doctor import examine
from chappe.engine.embedded.settling import JOURNAL_BYTES

SECONDS = 60.0
LONG_JOURNAL_BYTES = 10 << 20
"""Replayed in several transactions."""
REPLAYS = 3
REPLAYS_MOST = 10
"""Until one was cut short."""
OVERFLOWS = 4


@pytest.mark.slow
def test_a_replay_may_be_killed_at_any_moment(tmp_path: Path, nursery: Nursery, report: Callable[[str], None]) -> None:
    campaign = Campaign(tmp_path, nursery, 1794, fillers)
    cut_short = uvloop.run(_kill_replays(campaign))
    report(f"in replay: {cut_short} replays cut short; {figures(campaign)}")
    assert cut_short >= 1


async def _kill_replays(campaign: Campaign) -> int:
    """Let each start live a little longer than the one before, as long as it does not get further with the journal.

    Returns how many starts settled a part of the journal and not all of it.
    """
    await campaign.prepare()
    end = time.monotonic() + SECONDS
    replays = cut_short = 0
    while replays < REPLAYS_MOST if not cut_short else replays < REPLAYS and time.monotonic() < end:
        await campaign.live(Plan(sent_bytes=LONG_JOURNAL_BYTES, seconds=SECONDS))
        seconds = campaign.startup_seconds / 4
        pages = _pages(campaign)
        while pages:
            await campaign.live(Plan(in_startup=True, seconds=seconds))
            left = _pages(campaign)
            cut_short += 0 < left < pages
            if left == pages:
                seconds += 0.01
            pages = left
        replays += 1
    await campaign.reckon()
    return cut_short


def _pages(campaign: Campaign) -> int:
    return examine(campaign.folder / "data").figures["journal_pages"]


@pytest.mark.slow
def test_a_server_with_a_full_journal_may_be_killed_at_any_moment(
    tmp_path: Path, nursery: Nursery, report: Callable[[str], None]
) -> None:
    campaign = Campaign(tmp_path, nursery, 1795, fillers)
    uvloop.run(_kill_overflows(campaign))
    report(f"with a full journal: {figures(campaign)}")


async def _kill_overflows(campaign: Campaign) -> None:
    await campaign.prepare()
    for _ in range(OVERFLOWS):
        size = JOURNAL_BYTES + campaign.source.randint(0, JOURNAL_BYTES // 2)
        await campaign.live(Plan(sent_bytes=size, seconds=SECONDS))
    await campaign.reckon()
