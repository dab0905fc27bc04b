"""The ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.routing import Match, Route

from chappe.api.rest.answers import Answer, encoded_answer
from chappe.api.rest.call import Server
from chappe.api.rest.claims import Claims
from chappe.api.rest.endpoint import Endpoint, deliver
from chappe.api.rest.errors import MethodNotAllowed, NoSuchOperation
from chappe.api.rest.openapi import openapi_document
from chappe.api.rest.operations import OPERATIONS
from chappe.api.rest.problems import problem_answer, problem_of
from chappe.channels.sandbox import SandboxProvider
from chappe.model.errors import ChappeError
from chappe.observe.audit.log import AuditLog
from chappe.pipeline.rights.service import Rights
from chappe.pipeline.service import Pipeline
from chappe.records.store import Records
from chappe.security.authenticator import Authenticator

Asgi = Callable[[Any, Any, Any], Any]
OPENAPI_PATH = "/openapi.json"


def build_app(
    *,
    pipeline: Pipeline,
    records: Records,
    audit: AuditLog,
    rights: Rights,
    authenticator: Authenticator,
    sandboxes: Sequence[SandboxProvider] = (),
    local: bool = False,
) -> Asgi:
    """The Messages API over a started pipeline. Has no lifespan: its parts are the caller's to start and stop."""
    now_ms = pipeline.context.now_ms
    claims = Claims(records.idempotency, now_ms)
    server = Server(pipeline, records, audit, rights, authenticator, claims, tuple(sandboxes), now_ms, local)
    routes = [Route(o.path, Endpoint(o, server), methods=[o.method]) for o in OPERATIONS]
    routes.append(Route(OPENAPI_PATH, _Fixed(encoded_answer(200, openapi_document())), methods=["GET"]))
    return _Application(routes)


class _Application:
    """Finds the operation: fixed paths by a table, those with parameters by asking one route after the other."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._fixed = {
            (method, route.path): route.app
            for route in routes
            for method in route.methods or ()
            if "{" not in route.path
        }
        self._routes = routes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"only HTTP is spoken here, not {scope['type']}")
        fixed = self._fixed.get((scope["method"], scope["path"]))
        if fixed is not None:
            scope["path_params"] = {}
            await fixed(scope, receive, send)
            return
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                await route.app(scope, receive, send)
                return
        await self._nothing(scope, receive, send)

    async def _nothing(self, scope: Any, receive: Any, send: Any) -> None:
        path, method = scope["path"], scope["method"]
        methods = sorted(
            {m for route in self._routes if route.matches(scope)[0] is Match.PARTIAL for m in route.methods or ()}
        )
        error: ChappeError
        if methods:
            allowed = ", ".join(methods)
            error = MethodNotAllowed(f"{method} is not allowed here; allowed: {allowed}.", method=method)
            answer = problem_answer(problem_of(error, instance=path))
            answer = Answer(answer.status, answer.body, (*answer.headers, (b"allow", allowed.encode())))
        else:
            error = NoSuchOperation(f"There is nothing at {path}. What there is stands in {OPENAPI_PATH}.")
            answer = problem_answer(problem_of(error, instance=path))
        await deliver(answer, send)


class _Fixed:
    """Answers the same each time."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await deliver(self._answer, send)
