"""Registries over the API."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from tests.unit.api.rest.conftest import Api

from chappe.api.rest.operations import OPERATIONS
from chappe.api.uploads import is_upload

DNC = {"name": "US National DNC", "kind": "do_not_call", "form": "numbers", "jurisdiction": "US"}
PATH = "/v1/registries/us-national-dnc"
CSV = {"content-type": "text/csv"}


async def upload(api: Api, content: bytes, headers: dict[str, str] = CSV, **query: Any) -> dict[str, Any]:
    """Import a list and wait for what comes of it."""
    given = {"region": "US", **query}
    response = await api.http.post(f"{PATH}/import", content=content, params=given, headers=headers)
    assert response.status_code == 202, response.text
    started: dict[str, Any] = response.json()
    async with asyncio.timeout(60):
        while started["status"] in ("waiting", "running"):
            await asyncio.sleep(0.01)
            started = (await api.get(f"{PATH}/imports/{started['id']}")).json()
    return started


async def test_a_registry_is_made_imported_and_asked(api: Api) -> None:
    made = await api.post("/v1/registries", DNC)
    assert (made.status_code, made.json()["id"]) == (201, "us-national-dnc")
    assert (await api.post("/v1/registries", DNC)).status_code == 200
    unknown = (await api.get(f"{PATH}/lookup", to="+12025550101")).json()
    assert unknown["listed"] is None
    done = await upload(api, gzip.compress(b"number\n2025550101\n"), {"content-type": "application/gzip"})
    assert (done["status"], done["version"]) == ("done", 1)
    found = (await api.get(f"{PATH}/lookup", to="+12025550101")).json()
    assert found["listed"] is True
    assert found["age_days"] < 1
    assert (await api.get(f"{PATH}/lookup", to="+12025550102")).json()["listed"] is False


async def test_a_registry_tells_its_history(api: Api) -> None:
    await api.post("/v1/registries", DNC)
    await upload(api, b"number\n2025550101\n", as_of="2020-01-02T00:00:00Z", source="the telemarketing portal")
    await upload(api, b"number\n2025550102\n", mode="delta")
    registry = (await api.get(PATH)).json()
    assert [version["version"] for version in registry["versions"]] == [2, 1]
    newest, first = registry["versions"]
    assert (first["as_of"], first["source"]) == ("2020-01-02T00:00:00Z", "the telemarketing portal")
    assert (newest["mode"], newest["base"], newest["listings"], newest["added"]) == ("delta", 1, 2, 1)
    (listed,) = (await api.get("/v1/registries")).json()["registries"]
    assert listed["active"] == newest


async def test_an_older_version_is_returned_to_in_one_call(api: Api) -> None:
    await api.post("/v1/registries", DNC)
    await upload(api, b"number\n2025550101\n")
    await upload(api, b"number\n2025550102\n")
    assert (await api.post(f"{PATH}/activate", {"version": 1})).json()["version"] == 1
    assert (await api.get(f"{PATH}/lookup", to="+12025550101")).json()["listed"] is True
    assert (await api.post(f"{PATH}/activate", {"version": 2**72})).status_code == 422
    missing = await api.post(f"{PATH}/activate", {"version": 7})
    assert (missing.status_code, missing.json()["code"]) == (404, "registry_version_not_found")


async def test_a_deleted_registry_is_gone(api: Api) -> None:
    await api.post("/v1/registries", DNC)
    assert (await api.http.delete(PATH)).status_code == 204
    for response in (
        await api.get(PATH),
        await api.http.delete(PATH),
        await api.get(f"{PATH}/lookup", to="+12025550101"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "registry_not_found")


async def test_a_bad_list_changes_nothing_and_says_why(api: Api) -> None:
    await api.post("/v1/registries", DNC)
    refused = await upload(api, b"number\n2025550101\n12\n")
    assert (refused["status"], refused["code"], refused["bad_lines"]) == ("refused", "bad_lines", 1)
    assert refused["bad"][0]["line"] == 3
    assert (await upload(api, b"number\n2025550101\n12\n", allow_bad=1))["status"] == "done"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"mode": "half"}, "mode"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"header": "yes"}, "header"),
        ({"allow_bad": "-1"}, "allow_bad"),
        ({"encoding": "utf-7"}, "encoding"),
        ({"as_of": "2999-01-01T00:00:00Z"}, "as_of"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"source": "x" * 501}, "source"),
    ],
)
async def test_a_wrong_parameter_is_named(api: Api, query: dict[str, str], parameter: str) -> None:
    await api.post("/v1/registries", DNC)
    response = await api.http.post(f"{PATH}/import", content=b"", params=query, headers=CSV)
    assert (response.status_code, response.json()["details"]["parameter"]) == (400, parameter)


async def test_a_list_must_be_declared_as_one(api: Api) -> None:
    await api.post("/v1/registries", DNC)
    response = await api.http.post(f"{PATH}/import", content=b"number\n", headers={"content-type": "text/plain"})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


async def test_the_same_name_for_another_kind_is_refused(api: Api) -> None:
    await api.post("/v1/registries", DNC)
    response = await api.post("/v1/registries", DNC | {"kind": "positive"})
    assert (response.status_code, response.json()["code"]) == (409, "registry_exists")
    nameless = await api.post("/v1/registries", DNC | {"name": "…"})
    assert (nameless.status_code, nameless.json()["pointer"]) == (422, "/name")


def test_the_http_layer_knows_every_upload() -> None:
    for operation in OPERATIONS:
        path = operation.path.replace("{", "").replace("}", "").encode()
        assert is_upload(operation.method.encode(), path) is operation.upload, operation.path
