from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conformance.clocks import RunningClock
from tests.unit.api.rest.conftest import Api, message
from tests.unit.pipeline.house import SIGNING_KEY

from chappe.api.rest.application import build_app
from chappe.pipeline.rights.service import Rights
from chappe.records.idempotency import KEPT_MS
from chappe.records.store import Records
from chappe.security.authenticator import Authenticator
from chappe.security.keys import KeyStore

KEY = {"idempotency-key": "order-1"}


async def send(api: Api, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    return await api.post("/v1/messages", message(**fields), headers=headers or KEY)


async def count(api: Api) -> int:
    return len((await api.get("/v1/messages", limit=500)).json()["messages"])


async def test_the_same_request_is_carried_out_once(api: Api) -> None:
    first, second = await send(api), await send(api)
    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await count(api) == 1


async def test_a_request_that_means_the_same_is_the_same(api: Api) -> None:
    first = await send(api, metadata={"a": "1", "b": "2"})
    document = dict(reversed(message(metadata={"b": "2", "a": "1"}).items()))
    second = await api.post("/v1/messages", document, headers=KEY)
    assert second.content == first.content


async def test_another_request_with_the_same_key_is_a_conflict(api: Api) -> None:
    await send(api)
    response = await send(api, content={"text": "something else"})
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")
    assert await count(api) == 1


async def test_a_hundred_at_once_are_one(api: Api) -> None:
    responses = await asyncio.gather(*(send(api) for _ in range(100)))
    assert {response.status_code for response in responses} == {202}
    assert len({response.content for response in responses}) == 1
    assert await count(api) == 1


async def test_a_refused_request_leaves_the_key_free(api: Api) -> None:
    assert (await send(api, to={"email": "nobody"})).status_code == 422
    assert (await send(api)).status_code == 202


async def test_keys_expire_after_a_day(api: Api, clock: RunningClock) -> None:
    first = await send(api)
    clock.advance(KEPT_MS)
    second = await send(api, content={"text": "something else"})
    assert second.status_code == 202
    assert second.json()["id"] != first.json()["id"]


async def test_two_keys_that_differ_are_refused(api: Api) -> None:
    """Whichever was taken, a repetition by the other would be sent again."""
    response = await send(api, idempotency_key="another")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
    assert "Idempotency-Key" in response.json()["detail"]
    assert await count(api) == 0
    assert (await send(api, idempotency_key=KEY["idempotency-key"])).status_code == 202


async def test_the_key_may_stand_in_the_message(api: Api) -> None:
    document = message(idempotency_key="order-9")
    first, second = [await api.post("/v1/messages", document) for _ in range(2)]
    by_header = await api.post("/v1/messages", message(), headers={"idempotency-key": '"order-9"'})
    assert first.content == second.content == by_header.content
    assert await count(api) == 1


@pytest.mark.parametrize("key", ["", "a" * 256, "two words", "caf\u00e9"])
async def test_keys_that_cannot_be_kept_are_refused(api: Api, key: str) -> None:
    response = await api.http.post(
        "/v1/messages", json=message(), headers=[(b"idempotency-key", key.encode("latin-1"))]
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")


async def test_callers_do_not_meet(api: Api, tmp_path: Path) -> None:
    first = await send(api)
    _, token = KeyStore(tmp_path).create_api_key("other")
    await asyncio.sleep(1.1)  # a running server looks for new keys once a second
    other = await send(api, headers=KEY | {"authorization": f"Bearer {token}"})
    assert other.status_code == 202
    assert other.json()["id"] != first.json()["id"]


async def test_answers_are_kept_across_a_restart(api: Api, tmp_path: Path, clock: RunningClock) -> None:
    first = await send(api)
    copy = tmp_path / "copy"
    copy.mkdir()
    for suffix in ("", "-wal", "-shm"):
        (copy / f"records.db{suffix}").write_bytes((tmp_path / f"records.db{suffix}").read_bytes())
    records = await Records.open(copy, now_ms=clock)
    found = await records.idempotency.find(KeyStore(tmp_path).api_keys()[0].id, ["order-1"], clock())
    await records.close()
    assert found["order-1"].response.encode() == first.content


async def test_a_batch_is_repeated_as_a_whole(api: Api) -> None:
    document = {"messages": [message(to={"email": f"p{n}@example.com"}) for n in range(5)] + [{"bad": 1}]}
    first, second = [await api.post("/v1/messages:batch", document, headers=KEY) for _ in range(2)]
    assert first.status_code == second.status_code == 207
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert await count(api) == 5
    other = await api.post("/v1/messages:batch", {"messages": [message()]}, headers=KEY)
    assert other.status_code == 409
    assert (await send(api)).status_code == 202


async def test_entries_of_a_batch_have_keys_of_their_own(api: Api) -> None:
    def entries(*names: str) -> dict[str, Any]:
        return {"messages": [message(to={"email": f"{n}@example.com"}, idempotency_key=f"key-{n}") for n in names]}

    first = (await api.post("/v1/messages:batch", entries("a", "b"))).json()["results"]
    second = (await api.post("/v1/messages:batch", entries("b", "c", "a"))).json()["results"]
    assert [second[0], second[2]] == [first[1], first[0]]
    assert await count(api) == 3
    single = await api.post("/v1/messages", entries("c")["messages"][0])
    assert single.json() == second[1]


async def test_the_same_key_twice_in_one_batch(api: Api) -> None:
    one, other = message(idempotency_key="k"), message(idempotency_key="k", content={"text": "other"})
    response = await api.post("/v1/messages:batch", {"messages": [one, one, other]})
    results = response.json()["results"]
    assert response.status_code == 207
    assert results[0] == results[1]
    assert results[2]["error"]["code"] == "idempotency_conflict"
    assert await count(api) == 1


async def test_keys_in_crossed_order_do_not_lock_each_other_up(api: Api) -> None:
    def batch(*keys: str) -> dict[str, Any]:
        return {"messages": [message(idempotency_key=key, to={"user": key}) for key in keys]}

    async with asyncio.timeout(20):
        responses = await asyncio.gather(
            *(
                api.post("/v1/messages:batch", batch(*keys), headers={"idempotency-key": header})
                for keys, header in ((("a", "b"), "c"), (("b", "a"), "a"), (("c", "a"), "b")) * 5
            )
        )
    assert {response.status_code for response in responses} == {202}
    assert await count(api) == 3


def test_the_app_is_built_without_a_sandbox(api: Api, tmp_path: Path, clock: RunningClock) -> None:
    h = api.house
    assert build_app(
        pipeline=h.pipeline,
        records=h.records,
        audit=h.audit,
        rights=Rights(h.pipeline.context, h.audit, tmp_path, SIGNING_KEY),
        authenticator=Authenticator(KeyStore(tmp_path), clock),
    )
