"""Errors as problem documents (RFC 9457).

`code` is the stable name of the error (the same as the last part of `type`), `pointer` the JSON pointer (RFC 6901) of
the field that is wrong, `details` more facts for machines.
"""

from __future__ import annotations

import http
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chappe.api.rest import errors as http_errors
from chappe.api.rest.answers import Answer, json_answer
from chappe.model import errors as model
from chappe.model.errors import ChappeError

MEDIA_TYPE = b"application/problem+json"
TYPE_PREFIX = "urn:chappe:problem:"
RETRY_AFTER_SECONDS = 1


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong, by RFC 9457."""

    type: Annotated[str, Meta(description="`urn:chappe:problem:` and the code.")]
    title: Annotated[str, Meta(description="The kind of problem, the same each time.")]
    status: Annotated[int, Meta(ge=400, le=599, description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What was wrong, where, and what to do.")]
    code: Annotated[str, Meta(description="Stable name of the problem, for programs.")]
    instance: Annotated[str | None, Meta(description="The path that was asked.")] = None
    pointer: Annotated[str | None, Meta(description="JSON pointer of the field that is wrong.")] = None
    details: Annotated[dict[str, Any] | None, Meta(description="Further facts, by code.")] = None


_KINDS: list[tuple[type[ChappeError], int, str]] = [
    # The most special first.
    (http_errors.MalformedJson, 400, "The body is not JSON"),
    (http_errors.InvalidParameter, 400, "A parameter is not valid"),
    (http_errors.BodyTooLarge, 413, "The body is too large"),
    (http_errors.UnsupportedMediaType, 415, "The body is not declared as JSON"),
    (http_errors.NoSuchOperation, 404, "There is nothing here"),
    (http_errors.MethodNotAllowed, 405, "The method is not allowed here"),
    (model.NoRoute, 422, "No provider carries this channel"),
    (model.InvalidInput, 422, "The request is not valid"),
    (model.NotFound, 404, "Not found"),
    (model.Conflict, 409, "The request contradicts what is stored"),
    (model.StorageFull, 507, "The disk is full"),
    (model.Unavailable, 503, "Not available at the moment"),
    (model.Unauthenticated, 401, "Credentials are missing or not valid"),
    (model.PermissionDenied, 403, "Not permitted"),
]


def kind_of(error: type[ChappeError]) -> tuple[int, str]:
    """The HTTP status and title of a class of errors."""
    for kind, status, title in _KINDS:
        if issubclass(error, kind):
            return status, title
    return 500, "The server failed"


def problem_of(error: ChappeError, *, instance: str | None = None) -> Problem:
    """The document of an error."""
    status, title = kind_of(type(error))
    details = {name: value for name, value in error.details.items() if name != "pointer" and _plain(value)}
    pointer = error.details.get("pointer")
    return Problem(
        type=TYPE_PREFIX + error.code,
        title=title,
        status=status,
        detail=error.message,
        code=error.code,
        instance=instance,
        pointer=pointer if isinstance(pointer, str) and pointer else None,
        details=details or None,
    )


def problem_answer(problem: Problem) -> Answer:
    """The answer that carries a problem."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if problem.status == http.HTTPStatus.UNAUTHORIZED:
        headers = ((b"www-authenticate", b"Bearer"),)
    elif problem.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        headers = ((b"retry-after", str(RETRY_AFTER_SECONDS).encode()),)
    return json_answer(problem.status, problem, media_type=MEDIA_TYPE, headers=headers)


def _plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(entry, dict) for entry in value)
    return isinstance(value, str | int | float | bool)
