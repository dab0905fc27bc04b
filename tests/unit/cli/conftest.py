from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands import Run, run_chappe


@pytest.fixture
def chappe(tmp_path: Path) -> Run:
    """Run a command in an empty folder."""
    return lambda *arguments, **options: run_chappe(tmp_path, *arguments, **options)
