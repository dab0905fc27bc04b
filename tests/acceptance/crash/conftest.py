"""Figures of the crash tests are shown at the end of the run, also when everything passes."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.acceptance.crash.remote import Zygote

FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


@pytest.fixture
def report_figures(request: pytest.FixtureRequest) -> list[str]:
    """Lines appended here are shown at the end of the run."""
    return request.config.stash[FIGURES]


@pytest.fixture
async def zygote(tmp_path: Path) -> AsyncIterator[Zygote]:
    zygote = await Zygote.start(tmp_path / "errors")
    yield zygote
    await zygote.stop()


@pytest.fixture
def socket() -> Iterator[Path]:
    """In a folder of its own: the paths of sockets must be short."""
    with tempfile.TemporaryDirectory(prefix="chappe-") as folder:
        yield Path(folder) / "socket"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash[FIGURES]
    if lines:
        terminalreporter.section("crashes")
        for line in lines:
            terminalreporter.line(line)
