"""Watching what becomes of messages that were sent, through the API's list of messages."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection

from chappe.cli.connection import Server

UNDER_WAY = ("accepted", "queued", "sending")
"""The statuses that a message leaves by itself and soon. A deferred message waits for its own time."""
_PAGE = 500
_REFRESH_SECONDS = 0.25
_SHARE_SPENT_ASKING = 0.2


def count_by_status(server: Server, ids: Collection[str]) -> Counter[str]:
    """How many of these messages, the newest there are, stand in each status."""
    missing = set(ids)
    counts: Counter[str] = Counter()
    if not missing:
        return counts
    for page in server.pages("/v1/messages", limit=_PAGE):
        for message in page["messages"]:
            if message["id"] in missing:
                missing.remove(message["id"])
                counts[message["status"]] += 1
        if not missing:
            break
    return counts


def follow(
    server: Server,
    ids: Collection[str],
    show: Callable[[Counter[str]], None],
    *,
    wait: Callable[[float], object] = time.sleep,
    enough: Callable[[], bool] = lambda: False,
    patience_seconds: float = float("inf"),
) -> Counter[str]:
    """Show the counts again and again until no message is under way, or it is `enough`. Answers the last counts."""
    deadline = time.monotonic() + patience_seconds
    while True:
        asked_at = time.monotonic()
        counts = count_by_status(server, ids)
        show(counts)
        now = time.monotonic()
        if enough() or now > deadline or not any(counts[status] for status in UNDER_WAY):
            return counts
        # Long lists take long to read; the server has better things to do.
        wait(max(_REFRESH_SECONDS, (now - asked_at) / _SHARE_SPENT_ASKING))
