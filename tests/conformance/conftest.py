"""Each test runs once for every engine; one that asks for `restart` runs for durable engines, in two ways."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.conformance.clocks import ManualClock
from tests.conformance.engines import KINDS, EngineKind
from tests.conformance.workplace import Workplace

from chappe.engine.base import Engine

Restart = Callable[[], Awaitable[Engine]]
HANGING_SECONDS = 60


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = metafunc.fixturenames
    if "kind" in names:
        kinds = [kind for kind in KINDS if kind.durable or not {"restart", "reopen"} & set(names)]
        if metafunc.module.__name__.endswith(("test_backlogs", "test_fairness")):
            kinds = [kind for kind in kinds if kind.large]
        metafunc.parametrize("kind", kinds, ids=[kind.name for kind in kinds])


@pytest.fixture(autouse=True)
def _no_hanging() -> Iterator[None]:
    """An engine that never comes back fails its test, even one that holds the event loop."""

    def give_up(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"no end after {HANGING_SECONDS} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HANGING_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def workplace(
    kind: EngineKind, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Workplace]:
    kind.prepare(monkeypatch)
    workplace = Workplace(kind, tmp_path, clock)
    await workplace.open()
    yield workplace
    await workplace.close()


@pytest.fixture
def engine(workplace: Workplace) -> Engine:
    return workplace.engine


@pytest.fixture(params=["closed", "killed"])
def restart(request: pytest.FixtureRequest, workplace: Workplace) -> Restart:
    """Ends the engine, in good order or abruptly, and opens it again."""
    return workplace.restart if request.param == "closed" else workplace.kill


@pytest.fixture
def reopen(workplace: Workplace) -> Restart:
    """Closes the engine in good order and opens it again."""
    return workplace.restart
