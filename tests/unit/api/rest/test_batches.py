from __future__ import annotations

from typing import Any

import pytest
from tests.unit.api.rest.conftest import Api, message
from tests.unit.pipeline.house import eventually


async def send(api: Api, entries: list[Any]) -> Any:
    return await api.post("/v1/messages:batch", {"messages": entries})


async def test_every_entry_has_its_result(api: Api) -> None:
    entries = [
        message(),
        message(to={"email": "nobody"}),
        message(to={"phone": "+4915112345678"}, channel=None),
        17,
        {"to": {"email": "a@example.com"}, "purpose": "transactional", "content": {"text": 3}},
        message(purpose="promotional"),
    ]
    response = await send(api, entries)
    assert response.status_code == 207
    answer = response.json()
    assert (answer["accepted"], answer["refused"]) == (2, 4)
    results = answer["results"]
    assert [result.get("status") for result in results] == ["accepted", None, None, None, None, "accepted"]
    errors = [result["error"] for result in results if "error" in result]
    assert [error["code"] for error in errors] == ["invalid_input", "no_route", "invalid_input", "invalid_input"]
    assert [error.get("pointer") for error in errors] == ["/to/email", "/channel", None, "/content/text"]
    assert results[5]["decision"]["outcome"] == "block"
    assert "error" not in results[0]


async def test_a_good_batch_is_accepted(api: Api) -> None:
    response = await send(api, [message(to={"email": f"p{n}@example.com"}) for n in range(1000)])
    assert response.status_code == 202
    answer = response.json()
    assert (answer["accepted"], answer["refused"], len(answer["results"])) == (1000, 0, 1000)
    assert len({result["id"] for result in answer["results"]}) == 1000
    assert [result["id"] for result in answer["results"]] == sorted(result["id"] for result in answer["results"])
    await eventually(lambda: api.sandbox.taken.total() == 1000)


async def test_a_batch_in_which_nothing_is_right(api: Api) -> None:
    response = await send(api, [{}, {}])
    assert response.status_code == 207
    assert response.json()["accepted"] == 0
    assert (await api.get("/v1/messages")).json() == {"messages": []}


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"messages": []}, 422),
        ({"messages": [message()] * 1001}, 422),
        ({"messages": {}}, 422),
        ({}, 422),
        ([message()], 422),
        ({"messages": [message()], "more": 1}, 422),
    ],
)
async def test_what_is_no_batch_is_refused_whole(api: Api, document: Any, status: int) -> None:
    response = await api.post("/v1/messages:batch", document)
    assert response.status_code == status, response.text
    assert (await api.get("/v1/messages")).json() == {"messages": []}


async def test_a_broken_entry_does_not_break_the_json(api: Api) -> None:
    """JSON that is broken anywhere is broken as a whole; an entry nested too deeply is not."""
    broken = b'{"messages": [{"to": }]}'
    headers = {"content-type": "application/json"}
    assert (await api.http.post("/v1/messages:batch", content=broken, headers=headers)).status_code == 400
    deep = b'{"messages": [' + b"[" * 50_000 + b"]" * 50_000 + b"]}"
    response = await api.http.post("/v1/messages:batch", content=deep, headers=headers)
    assert response.status_code in (207, 400)
