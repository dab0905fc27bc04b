"""Bounds on what one client may make the server hold or wait for."""

from __future__ import annotations

import msgspec

MIB = 1_048_576


class HttpLimits(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds.

    A 1 MiB message may grow sixfold when each of its characters is escaped in JSON; `aws_body_bytes` lets
    that through.
    """

    connections: int = 10_000
    head_bytes: int = 65_536
    headers: int = 100
    aws_body_bytes: int = 6 * MIB + 262_144
    rest_body_bytes: int = 16 * MIB
    upload_body_bytes: int = 4096 * MIB
    """Of a list to import, which is not held in memory."""
    incomplete_bodies_bytes: int = 512 * MIB
    """All bodies together that have begun and not yet arrived in full."""

    head_seconds: float = 10.0
    request_seconds: float = 60.0
    """From the first byte of a request to the last."""
    upload_seconds: float = 3600.0
    """The same for a list to import."""
    idle_seconds: float = 75.0
    stalled_seconds: float = 60.0
    """How long a client may leave an answer unread."""
    linger_seconds: float = 2.0
    """How long a refused client is listened to, so that it can read why, before the connection is cut."""
    watch_seconds: float = 1.0
    """How often these times are checked."""
