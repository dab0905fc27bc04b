"""A server for programs that people already have, and the environment in which those find it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.wire.live import REGION, LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("data")).start()
    yield live
    live.stop()


@pytest.fixture(scope="module")
def environment(server: LiveServer) -> dict[str, str]:
    """What a user exports; nothing of the machine's own AWS configuration is left."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": server.access_key.id,
        "AWS_SECRET_ACCESS_KEY": server.access_key.secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
