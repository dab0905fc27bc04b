"""SIGKILL at hundreds of random moments under load: what was acknowledged holds.

`CHAPPE_TEST_KILLS` and `CHAPPE_TEST_KILL_SECONDS` bound the run, whichever comes first, though a slow machine goes on
past the time until the run tells something; `CHAPPE_TEST_KILL_SEED` draws other moments and another load. A search of
an hour: CHAPPE_TEST_KILLS=100000 CHAPPE_TEST_KILL_SECONDS=3600.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from tests.acceptance.kill.campaign import Campaign, figures
from tests.acceptance.kill.lives import Nursery

KILLS = int(os.environ.get("CHAPPE_TEST_KILLS", "300"))
SECONDS = float(os.environ.get("CHAPPE_TEST_KILL_SECONDS", "160"))
SEED = int(os.environ.get("CHAPPE_TEST_KILL_SEED", "1794"))
ENOUGH = min(KILLS, 100)
HAPPENED = ("sends acknowledged", "receives", "deletes acknowledged", "dead letters", "repeated after a crash")


@pytest.mark.slow
def test_whatever_was_acknowledged_survives_kills_at_random_moments(
    tmp_path: Path, nursery: Nursery, report: Callable[[str], None]
) -> None:
    campaign = Campaign(tmp_path, nursery, SEED)
    done = campaign.ledger.figures

    def enough() -> bool:
        return campaign.kills.total() >= ENOUGH and all(done[what] >= ENOUGH for what in HAPPENED)

    uvloop.run(campaign.run(kills=KILLS, seconds=SECONDS, enough=enough))
    # Whatever breaks a promise has ended the run by now.
    report(f"under load: {figures(campaign)}, losses 0, inventions 0, returns 0")
    assert campaign.kills.total() >= ENOUGH
    for what in HAPPENED:
        assert done[what] >= ENOUGH, what
