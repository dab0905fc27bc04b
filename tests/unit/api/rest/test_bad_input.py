"""What is wrong is said by name and place, nothing half-done remains, and the server goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.api.rest.conftest import Api, message

from chappe.api.rest.operation import MESSAGE_BYTES_MAX
from chappe.api.rest.operations import OPERATIONS

JSON = {"content-type": "application/json"}


def deeper(levels: int) -> bytes:
    return (
        b'{"to":{"user":"a"},"purpose":"transactional","content":{"data":'
        + b'{"a":' * levels
        + b"1"
        + b"}" * levels
        + b"}}"
    )


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"", 400, "malformed_json", None),
        (b"{", 400, "malformed_json", None),
        (b"not json", 400, "malformed_json", None),
        (json.dumps(message()).encode() + b" trailing", 400, "malformed_json", None),
        (b"\xff\xfe", 400, "malformed_json", None),
        (b'{"to": {"email": "\xc3\x28@example.com"}}', 400, "malformed_json", None),
        (b'{"to": ' + b"[" * 100_000, 422, "invalid_input", "/to"),
        (b"[]", 422, "invalid_input", None),
        (b"null", 422, "invalid_input", None),
        (b"{}", 422, "invalid_input", None),
        (b'{"to": {"email": 5}}', 422, "invalid_input", "/to/email"),
        (b'{"to": {"fax": "1"}}', 422, "invalid_input", "/to"),
        (b'{"to": {"email": "a@example.com"}, "purpose": "spam"}', 422, "invalid_input", "/purpose"),
        (deeper(40), 422, "invalid_input", "/content/data"),
        (deeper(20_000), 400, "malformed_json", None),
    ],
)
async def test_bodies_that_cannot_be_understood(
    api: Api, body: bytes, status: int, code: str, pointer: str | None
) -> None:
    response = await api.http.post("/v1/messages", content=body, headers=JSON)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:chappe:problem:{code}"
    assert (problem["code"], problem["status"], problem["instance"]) == (code, status, "/v1/messages")
    assert problem["title"]
    assert problem["detail"]
    if pointer is not None:
        assert problem["pointer"] == pointer
    assert (await api.get("/v1/messages")).json() == {"messages": []}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"to": {}}, "/to"),
        ({"to": {"email": "a@example.com", "user": "a"}}, "/to"),
        ({"to": {"email": "nobody"}}, "/to/email"),
        ({"content": {}}, "/content"),
        ({"content": {"text": 1}}, "/content/text"),
        ({"content": {"text": "x", "attachment": "y"}}, "/content"),
        ({"channel": "pigeon"}, "/channel"),
        ({"channel": "sms"}, "/channel"),
        ({"send_at": "tomorrow"}, "/send_at"),
        ({"send_at": "2026-03-01T08:00:00"}, "/send_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"metadata": {"a": 1}}, "/metadata"),
        ({"metadata": {str(n): "x" for n in range(51)}}, "/metadata"),
        ({"metadata": {"k": "v" * 513}}, "/metadata"),
        ({"metadata": {"k" * 65: "v"}}, "/metadata"),
        ({"from": ""}, "/from"),
        ({"colour": "red"}, ""),
        ({"idempotency_key": "two words"}, "/idempotency_key"),
    ],
)
async def test_fields_that_are_wrong_are_named(api: Api, fields: dict[str, Any], pointer: str) -> None:
    response = await api.post("/v1/messages", message(**fields))
    assert response.status_code == 422, response.text
    assert (response.json().get("pointer") or "") == pointer


async def test_a_number_of_a_million_digits(api: Api) -> None:
    for body in (
        b'{"to": {"user": "a"}, "purpose": "transactional", "content": {"data": {"n": ' + b"9" * 1_000_000 + b"}}}",
        b'{"to": {"user": "a"}, "purpose": "transactional", "content": {"text": ' + b"9" * 1_000_000 + b"}}",
    ):
        response = await api.http.post("/v1/messages", content=body, headers=JSON)
        assert response.status_code in (400, 422), response.text[:300]
        assert len(response.content) < 2_000


async def test_lone_surrogates_do_no_harm(api: Api) -> None:
    body = json.dumps(message(content={"text": "x"})).replace('"x"', '"\\ud800"').encode()
    response = await api.http.post("/v1/messages", content=body, headers=JSON)
    assert response.status_code in (202, 400, 422)
    assert (await api.http.get("/healthz")).status_code == 200


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: Api) -> None:
    response = await api.http.post("/v1/messages", content=b" " * 2_000_000, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert response.json()["details"] == {"limit_bytes": MESSAGE_BYTES_MAX}

    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 50_000

    streamed = await api.http.post("/v1/messages", content=chunks(), headers=JSON)
    assert streamed.status_code == 413


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_only_json_is_taken(api: Api, media_type: str) -> None:
    """A web page can make a browser post forms and plain text anywhere without asking."""
    headers = {"content-type": media_type} if media_type else {}
    response = await api.http.post("/v1/messages", content=json.dumps(message()).encode(), headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "application/vnd.acme+json", "APPLICATION/JSON"]
)
async def test_json_by_other_names(api: Api, media_type: str) -> None:
    headers = {"content-type": media_type}
    response = await api.http.post("/v1/messages", content=json.dumps(message()).encode(), headers=headers)
    assert response.status_code == 202


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer chp_wrong", "Basic YTpi", "Bearer é"])
async def test_without_a_key_nothing_is_done(api: Api, header: str) -> None:
    for operation in OPERATIONS:
        path = operation.path.replace("{id}", "msg_0000000000000001").replace("{token}", "x")
        request = api.http.build_request(operation.method, path)
        request.headers["authorization"] = header.encode("latin-1").decode("latin-1")
        request.headers["content-type"] = "application/json"
        response = await api.http.send(request)
        if operation.public:
            assert response.status_code in (200, 404)
            continue
        assert response.status_code == 401, (operation.path, response.text)
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert response.json()["status"] == 401


async def test_paths_and_methods_that_do_not_exist(api: Api) -> None:
    nothing = await api.http.get("/v2/messages")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "no_such_operation")
    wrong = await api.http.put("/v1/messages", json={})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(wrong.headers["allow"].split(", "))
    assert (await api.http.get("/v1/messages/")).status_code == 404
    assert (await api.http.delete("/v1/messages/msg_0000000000000001")).status_code == 405


async def test_a_defect_is_answered_without_its_details(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*arguments: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api.house.records.messages, "get", broken)
    response = await api.get("/v1/messages/msg_0000000000000001")
    assert response.status_code == 500
    assert response.json()["code"] == "internal"
    assert "secret" not in response.text
    assert (await api.http.get("/healthz")).status_code == 200


FIELDS = ["to", "email", "content", "text", "purpose", "messages", "data"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["to", "email", "content", "text", "purpose", "messages", "data"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=ANYTHING, operation=st.sampled_from([(o.method, o.path) for o in OPERATIONS if o.request]))
async def test_no_document_breaks_the_server(api: Api, document: Any, operation: tuple[str, str]) -> None:
    method, path = operation
    response = await api.http.request(method, path, content=json.dumps(document).encode(), headers=JSON)
    allowed = (200, 201, 202, 207, 400, 422, *((404,) if "{" in path else ()))  # nothing has the id {id}
    assert response.status_code in allowed, response.text
    json.loads(response.content)


async def test_an_empty_body_is_said_to_be_empty(api: Api) -> None:
    answer = await api.post("/v1/messages", content=b"", headers={"content-type": "application/json"})
    assert answer.json()["detail"] == "The body is empty; it must be a JSON document."


@pytest.mark.parametrize(
    ("path", "body", "pointer", "choices"),
    [
        ("/v1/messages", {"purpose": "promo"}, "/purpose", "transactional, promotional"),
        ("/v1/messages", {"channel": "fax"}, "/channel", "email, sms, push, webhook, voice, in_app, sandbox"),
        ("/v1/consents", {"level": "signed"}, "/level", "implied, express, double_opt_in, written"),
        (
            "/v1/people/c1",
            {"preferences": [{"channel": "fax"}]},
            "/preferences/0/channel",
            "email, sms, push, webhook, voice, in_app, sandbox",
        ),
    ],
)
async def test_a_wrong_name_is_answered_with_the_right_ones(
    api: Api, path: str, body: dict[str, Any], pointer: str, choices: str
) -> None:
    method = "PUT" if path.startswith("/v1/people") else "POST"
    problem = (await api.http.request(method, path, json=body)).json()
    assert (problem["code"], problem["pointer"]) == ("invalid_input", pointer)
    assert problem["detail"].endswith(f"; it must be one of: {choices}.")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/legal-holds", {"jurisdiction": "UK", "reason": "a case"}, "/jurisdiction"),
        ("/v1/registries", {"name": "TPS", "kind": "do_not_call", "jurisdiction": "UK"}, "/jurisdiction"),
        ("/v1/rule-sets/1/activate", {"reason": "a trial", "jurisdictions": ["GB", "UK"]}, "/jurisdictions/1"),
    ],
)
async def test_a_code_that_is_no_place_is_refused_where_it_would_have_no_effect(
    api: Api, path: str, body: dict[str, Any], pointer: str
) -> None:
    response = await api.post(path, body)
    assert response.status_code == 422, response.text
    assert response.json()["pointer"] == pointer
    assert response.json()["detail"] == "UK is no country of ISO 3166-1; the United Kingdom is GB"
    assert (await api.http.get("/v1/rules?jurisdiction=UK")).status_code == 400
