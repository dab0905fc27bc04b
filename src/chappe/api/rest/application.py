"""The REST API as one ASGI application."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from chappe.channels.sandbox import SandboxProvider
from chappe.pipeline.service import Pipeline
from chappe.records.store import Records
from chappe.security.authenticator import Authenticator


def build_app(
    *, pipeline: Pipeline, records: Records, authenticator: Authenticator, sandboxes: Sequence[SandboxProvider]
) -> Starlette:
    """Called by the wiring (`chappe.app`)."""
    return Starlette(routes=[Route("/healthz", _healthz)])


async def _healthz(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})
