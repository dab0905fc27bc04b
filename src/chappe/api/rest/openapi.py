"""The OpenAPI 3.1 document, made from the table of operations and the types of their documents."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from chappe import __version__
from chappe.api.rest.claims import HEADER
from chappe.api.rest.operation import Operation
from chappe.api.rest.operations import OPERATIONS
from chappe.api.rest.problems import Problem

_REF = "#/components/schemas/{name}"
_BEARER = "apiKey"
_PROBLEM_JSON = "application/problem+json"
_DESCRIPTION = """Messages to people, by e-mail, SMS, webhook and more: accepted durably, decided by rules, sent with
retries, and followed step by step.

A message that the rules block or defer is accepted all the same; its `decision` says which rule and why. Errors are for
requests that could not be understood or carried out, as problem documents (RFC 9457) with a stable `code`.
"""


@cache
def openapi_document() -> bytes:
    """The document as JSON."""
    documents = sorted({d for operation in OPERATIONS for d in _documents(operation)} | {Problem}, key=_name)
    schemas, components = msgspec.json.schema_components(documents, ref_template=_REF)
    named = {_name(document): schema for document, schema in zip(documents, schemas, strict=True)}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Chappe Messages API",
                "version": __version__,
                "description": _DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "security": [{_BEARER: []}],
            "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in OPERATIONS)],
            "paths": _paths(named),
            "components": {
                "schemas": components,
                "securitySchemes": {
                    _BEARER: {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "An API key (`chp_...`); `chappe keys create` makes one.",
                    }
                },
            },
        }
    )


def _documents(operation: Operation) -> set[type]:
    responses = {document for _, document in operation.responses.values() if document is not None}
    return responses | ({operation.request} if operation.request else set())


def _name(document: type) -> str:
    return document.__name__


def _paths(schemas: dict[str, Any]) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return paths


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": _responses(operation, schemas),
    }
    parameters = [*_path_parameters(operation), *_query_parameters(operation)]
    if operation.idempotent:
        parameters.append(_idempotency_parameter())
    if parameters:
        document["parameters"] = parameters
    if operation.request is not None:
        schema = schemas[_name(operation.request)]
        required = not operation.body_optional
        document["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    if operation.upload:
        content = {media_type: {"schema": {"type": "string"}} for media_type in ("text/csv", "application/gzip")}
        document["requestBody"] = {"required": True, "content": content}
    if operation.public:
        document["security"] = []
    return document


def _responses(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, (description, document) in operation.responses.items():
        response: dict[str, Any] = {"description": description}
        if document is not None:
            response["content"] = {operation.media_type: {"schema": schemas[_name(document)]}}
        elif operation.media_type in ("text/html", "text/plain"):
            response["content"] = {operation.media_type: {"schema": {"type": "string"}}}
        elif operation.media_type == "application/zip":
            response["content"] = {operation.media_type: {}}
        responses[str(status)] = response
    errors = operation.all_errors if operation.public else (401, *operation.all_errors)
    for status in (*errors, 500):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {_PROBLEM_JSON: {"schema": schemas[_name(Problem)]}},
        }
    return responses


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": parameter.name, "in": "query", "description": parameter.description, "schema": parameter.schema}
        for parameter in operation.parameters
    ]


def _idempotency_parameter() -> dict[str, Any]:
    return {
        "name": "-".join(part.capitalize() for part in HEADER.decode().split("-")),
        "in": "header",
        "description": "Repeating a request with the same key within 24 hours gives the same answer and does nothing "
        "twice. A different request with the same key is a 409.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    }
