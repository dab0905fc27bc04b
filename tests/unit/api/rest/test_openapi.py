from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.unit.api.rest.conftest import Api, message
from tests.unit.api.rest.described import DOCUMENT, validate, validator

from chappe.api.rest.operations import OPERATIONS


def test_it_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


async def test_it_is_served_without_a_key(api: Api) -> None:
    response = await api.http.get("/openapi.json", headers={"authorization": ""})
    assert response.json() == DOCUMENT


def test_every_operation_is_described() -> None:
    described = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described == {(operation.method, operation.path) for operation in OPERATIONS}
    names = [entry["operationId"] for methods in DOCUMENT["paths"].values() for entry in methods.values()]
    assert len(names) == len(set(names))


def test_every_operation_says_how_it_fails() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, entry in methods.items():
            responses = entry["responses"]
            assert "500" in responses, (method, path)
            assert ("401" in responses) == ("security" not in entry), (method, path)
            for status, response in responses.items():
                if int(status) >= 400 and "text/html" not in response["content"]:
                    assert list(response["content"]) == ["application/problem+json"]


def test_documents_and_fields_are_described() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema.get("description"), name


async def test_answers_fit_their_schemas(api: Api) -> None:
    """What the server really says, held against what the document promises."""
    taken = await api.send()
    await api.post("/v1/consents", {"person": {"user": "a"}, "purpose": "promotional", "granted": True})
    suppressed = (await api.post("/v1/suppressions", {"to": {"user": "a"}})).json()
    checks = [
        ("post", "/v1/messages", "/v1/messages", message()),
        ("post", "/v1/messages", "/v1/messages", message(to={})),
        ("post", "/v1/messages:batch", "/v1/messages:batch", {"messages": [message(), {}]}),
        ("post", "/v1/messages:evaluate", "/v1/messages:evaluate", message()),
        ("get", "/v1/messages", "/v1/messages", None),
        ("get", "/v1/messages/{id}", f"/v1/messages/{taken['id']}", None),
        ("get", "/v1/messages/{id}", "/v1/messages/msg_0000000000000001", None),
        ("get", "/v1/messages/{id}/timeline", f"/v1/messages/{taken['id']}/timeline", None),
        ("post", "/v1/suppressions", "/v1/suppressions", {"to": {"user": "b"}}),
        ("get", "/v1/suppressions", "/v1/suppressions", None),
        ("delete", "/v1/suppressions/{id}", f"/v1/suppressions/{suppressed['id']}", None),
        ("get", "/v1/consents", "/v1/consents", None),
        ("get", "/v1/queues", "/v1/queues", None),
        ("get", "/v1/sandbox/messages", "/v1/sandbox/messages", None),
        ("get", "/v1/providers", "/v1/providers", None),
        ("get", "/healthz", "/healthz", None),
    ]
    for method, template, path, document in checks:
        response = await api.http.request(method, path, json=document)
        described = DOCUMENT["paths"][template][method]["responses"][str(response.status_code)]
        if response.status_code == 204:
            continue
        content = described["content"][response.headers["content-type"].partition(";")[0]]
        validate(response.json(), content["schema"])


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.request], ids=lambda o: o.path)
def test_request_schemas_refuse_unknown_fields(operation: Any) -> None:
    content = DOCUMENT["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]["application/json"]
    errors = validator(content["schema"]).iter_errors({"colour": "red"})
    assert any("'colour' was unexpected" in error.message for error in errors)
