from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.pipeline.serving import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A data folder and port; nothing is started yet."""
    made = Server(tmp_path)
    yield made
    made.close()
