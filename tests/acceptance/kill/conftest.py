from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.acceptance.kill.lives import Nursery

_LINES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Adds a line to the summary at the end of the run."""
    return request.config.stash.setdefault(_LINES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = terminalreporter.config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("killed servers")
        for line in lines:
            terminalreporter.write_line(line)
