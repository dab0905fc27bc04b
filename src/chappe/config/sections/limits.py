"""[limits]: bounds on what one client may make the server hold or wait for."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.api.limits import HttpLimits

_HTTP = HttpLimits()


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on what one client may make the server hold or wait for."""

    connections: Annotated[int, Meta(ge=1, description="Most HTTP connections at once.")] = _HTTP.connections
    head_bytes: Annotated[int, Meta(ge=1024, le=1_048_576, description="Largest head of a request.")] = _HTTP.head_bytes
    headers: Annotated[int, Meta(ge=20, le=10_000, description="Most header fields of a request.")] = _HTTP.headers
    aws_body_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Largest body of a request to the AWS APIs. A message of 1 MiB may grow sixfold when "
            "each of its characters is escaped in JSON.",
        ),
    ] = _HTTP.aws_body_bytes
    rest_body_bytes: Annotated[int, Meta(ge=1024, description="Largest body of a request to the REST API.")] = (
        _HTTP.rest_body_bytes
    )
    upload_body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest list to import, as it is sent; it goes to the data folder's disk.")
    ] = _HTTP.upload_body_bytes
    incomplete_bodies_bytes: Annotated[
        int, Meta(ge=1024, description="Most memory for bodies that have not arrived in full, all together.")
    ] = _HTTP.incomplete_bodies_bytes
    head_seconds: Annotated[float, Meta(gt=0, description="Time in which a request's head must have arrived.")] = (
        _HTTP.head_seconds
    )
    request_seconds: Annotated[
        float, Meta(gt=0, description="Time in which a whole request must have arrived, from its first byte.")
    ] = _HTTP.request_seconds
    upload_seconds: Annotated[
        float, Meta(gt=0, description="Time in which a list to import must have arrived, from its first byte.")
    ] = _HTTP.upload_seconds
    idle_seconds: Annotated[float, Meta(gt=0, description="How long a connection may stay open between requests.")] = (
        _HTTP.idle_seconds
    )
    stalled_seconds: Annotated[float, Meta(gt=0, description="How long a client may leave an answer unread.")] = (
        _HTTP.stalled_seconds
    )
    linger_seconds: Annotated[
        float,
        Meta(
            ge=0, description="How long a refused client is listened to, so that it can read why, before it is cut off."
        ),
    ] = _HTTP.linger_seconds

    @property
    def http(self) -> HttpLimits:
        """The same for the HTTP server."""
        return HttpLimits(**msgspec.structs.asdict(self))
