"""The operations on the server itself."""

from __future__ import annotations

from chappe.api.rest.operation import (
    CURSOR,
    TEXT,
    TO,
    Operation,
    Parameter,
    limit_parameter,
)
from chappe.api.rest.server import standing
from chappe.api.rest.server.documents import HealthView, ProvidersView, QueuesView, SandboxMessagesView

_TAG = "Server"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        "/v1/queues",
        standing.list_queues,
        "List queues and how full they are",
        _TAG,
        {200: ("One page.", QueuesView)},
        parameters=(
            Parameter("prefix", "Only queues whose names begin so.", TEXT),
            limit_parameter(most=1_000, default=100),
            CURSOR,
        ),
        errors=(503,),
    ),
    Operation(
        "GET",
        "/v1/providers",
        standing.list_providers,
        "List the providers of all routes and how they stand",
        _TAG,
        {200: ("All of them.", ProvidersView)},
    ),
    Operation(
        "GET",
        "/v1/sandbox/messages",
        standing.list_sandbox_messages,
        "See what the sandbox providers kept",
        _TAG,
        {200: ("The newest messages.", SandboxMessagesView)},
        parameters=(TO, limit_parameter()),
    ),
    Operation(
        "GET",
        "/metrics",
        standing.metrics,
        "What the server does, for Prometheus; asks for no key where only this machine reaches the server",
        _TAG,
        {200: ("The text format of Prometheus.", None)},
        errors=(503,),
        public_locally=True,
        media_type="text/plain",
    ),
    Operation(
        "GET",
        "/healthz",
        standing.health,
        "Whether the server answers and its data can be read",
        _TAG,
        {
            200: (
                "It does. On a full disk too: what was taken is still served; see `chappe_disk_free_bytes`.",
                HealthView,
            )
        },
        errors=(503,),
        public=True,
    ),
)
