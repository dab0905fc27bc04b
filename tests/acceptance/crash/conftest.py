"""Figures of the crash tests are shown at the end of the run, also when everything passes."""

from __future__ import annotations

import pytest

FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


@pytest.fixture
def report_figures(request: pytest.FixtureRequest) -> list[str]:
    """Lines appended here are shown at the end of the run."""
    return request.config.stash[FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash[FIGURES]
    if lines:
        terminalreporter.section("crashes")
        for line in lines:
            terminalreporter.line(line)
