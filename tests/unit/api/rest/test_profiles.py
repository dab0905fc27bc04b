"""People over the API: what is stored of them, and what it decides."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.unit.api.rest.conftest import Api

from chappe.model.customer import Status

_ENDED = (Status.BLOCKED, Status.SENT)
ANA = {
    "addresses": [{"email": "Ana@Example.com"}, {"phone": "+12125550123"}],
    "country": "US",
    "postcode": "33101",
    "language": "en",
    "birth_date": "1990-05-01",
    "last_purchase": "2026-01-02T03:04:05Z",
    "preferences": [{"allowed": False, "channel": "email", "purpose": "promotional"}],
}


async def put(api: Api, person: str = "ana", **fields: Any) -> httpx.Response:
    return await api.http.put(f"/v1/people/{person}", json=ANA | fields)


async def decided(api: Api, **fields: Any) -> dict[str, Any]:
    """What the rules say of a promotional mail to Ana."""
    document = {
        "to": {"email": "ana@example.com"},
        "channel": "email",
        "content": {"subject": "Hello", "text": "Hello, Ana"},
        "purpose": "promotional",
    }
    response = await api.post("/v1/messages:evaluate", document | fields)
    assert response.status_code == 200, response.text
    decision: dict[str, Any] = response.json()["decision"]
    return decision


def said(decision: dict[str, Any], rule: str) -> dict[str, Any] | None:
    return next((outcome for outcome in decision["rules"] if outcome["id"] == rule), None)


async def test_a_person_is_stored_changed_shown_and_forgotten(api: Api) -> None:
    first = await put(api)
    assert first.status_code == 201, first.text
    stored = first.json()
    assert stored["addresses"] == [{"email": "ana@example.com"}, {"phone": "+12125550123"}]
    assert {name: stored[name] for name in ("country", "postcode", "language", "birth_date", "last_purchase")} == {
        name: ANA[name] for name in ("country", "postcode", "language", "birth_date", "last_purchase")
    }
    assert (await put(api)).status_code == 200
    changed = await api.http.patch("/v1/people/ana", json={"language": None, "region": "FL", "business": False})
    assert changed.status_code == 200, changed.text
    shown = (await api.get("/v1/people/ana")).json()
    assert shown == changed.json()
    assert (shown.get("language"), shown["region"], shown["business"]) == (None, "FL", False)
    assert shown["preferences"] == ANA["preferences"]
    assert (await api.get("/v1/people", address="+12125550123")).json() == {"people": [shown]}
    assert (await api.http.delete("/v1/people/ana")).status_code == 204
    assert (await api.get("/v1/people/ana")).json()["code"] == "person_not_found"
    assert (await api.get("/v1/people", address="+12125550123")).json() == {"people": []}
    assert (await api.http.patch("/v1/people/ana", json={})).status_code == 404


async def test_an_address_belongs_to_one_person(api: Api) -> None:
    await put(api)
    taken = await put(api, "bob", addresses=[{"email": "bob@example.com"}, {"email": "ana@example.com"}])
    assert (taken.status_code, taken.json()["code"]) == (409, "address_taken")
    assert "example.com" not in taken.text
    assert (await api.get("/v1/people/bob")).status_code == 404
    await api.http.patch("/v1/people/ana", json={"addresses": [{"phone": "+12125550123"}]})
    assert (await put(api, "bob", addresses=[{"email": "ana@example.com"}])).status_code == 201


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"addresses": []}, "/addresses"),
        ({"addresses": [{"email": "x"}]}, "/addresses/0/email"),
        ({"country": "us"}, "/country"),
        ({"country": None, "region": "FL"}, "/region"),
        ({"time_zone": "Europe/Nowhere"}, "/time_zone"),
        ({"country": "UK"}, "/country"),
        ({"country": "US", "region": "ZZ"}, "/region"),
        ({"preferences": [{"allowed": False, "channel": "fax"}]}, "/preferences/0/channel"),
    ],
)
async def test_what_is_wrong_is_refused_with_its_place(api: Api, fields: dict[str, Any], pointer: str) -> None:
    refused = await put(api, **fields)
    assert (refused.status_code, refused.json()["pointer"]) == (422, pointer), refused.text
    await put(api)
    patched = await api.http.patch("/v1/people/ana", json=fields)
    assert (patched.status_code, patched.json()["pointer"]) == (422, pointer), patched.text


async def test_ids_are_plain(api: Api) -> None:
    assert (await put(api, "email:ana@example.com")).status_code == 422


async def test_what_is_switched_off_is_not_sent(api: Api) -> None:
    await put(api)
    decision = await decided(api)
    assert decision["outcome"] == "block"
    assert said(decision, "default-preferences") == {
        "id": "default-preferences",
        "outcome": "block",
        "reason": "the person has switched off promotional messages by email",
    }
    assert said(await decided(api, purpose="transactional"), "default-preferences")["outcome"] == "allow"  # type: ignore[index]
    await api.http.patch("/v1/people/ana", json={"preferences": []})
    assert said(await decided(api), "default-preferences")["outcome"] == "allow"  # type: ignore[index]


async def test_a_profile_says_where_the_person_is(api: Api) -> None:
    """The mail address says nothing; the postcode says Florida, where a law of its own holds."""
    texts = {"to": {"phone": "+12125550123"}, "channel": "sms"}
    await put(api, addresses=[{"phone": "+12125550123"}], preferences=[])
    decision = (await api.post("/v1/messages:evaluate", _text(texts))).json()["decision"]
    assert any(outcome["id"].startswith("us-fl-") for outcome in decision["rules"]), decision
    await api.http.patch("/v1/people/ana", json={"country": "DE", "postcode": None})
    decision = (await api.post("/v1/messages:evaluate", _text(texts))).json()["decision"]
    assert any(outcome["id"].startswith("de-") for outcome in decision["rules"])
    assert not any(outcome["id"].startswith("us-") for outcome in decision["rules"])


def _text(fields: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"text": "Hello"}, "purpose": "promotional"} | fields


async def test_the_binding_decision_knows_the_person_too(api: Api) -> None:
    await put(api)
    answer = await api.send(channel="email", purpose="promotional")
    assert answer["decision"]["outcome"] == "block"
    stored = await api.house.becomes(int(answer["id"].removeprefix("msg_"), 16), *_ENDED)
    reasons = {rule.id: rule for event in stored.summary.events if event.decision for rule in event.decision.rules}
    assert reasons["default-preferences"].outcome.value == "block"


async def test_people_are_imported_from_a_list(api: Api) -> None:
    await put(api)
    table = (
        "id,email,phone,country,postcode,language,business,email.promotional\n"
        "ana,ana@example.com,,US,33101,en,no,no\n"
        "bob,bob@example.com;b@example.com,+12125550199,US,10001,,yes,\n"
    )
    ended = await _imported(api, table)
    assert (ended["status"], ended["lines"], ended["changed"]) == ("done", 2, 2), ended
    bob = (await api.get("/v1/people/bob")).json()
    assert len(bob["addresses"]) == 3
    assert bob["business"] is True
    ana = (await api.get("/v1/people/ana")).json()
    assert ana["addresses"] == [{"email": "ana@example.com"}]
    assert ana["preferences"] == [{"allowed": False, "channel": "email", "purpose": "promotional"}]
    assert (await _imported(api, table))["changed"] == 0


async def test_bad_lines_are_told_without_what_stands_there(api: Api) -> None:
    ended = await _imported(api, "id,email,business\nana,nonsense,no\nb ob,b@example.com,\ncy,c@example.com,perhaps\n")
    assert ended["status"] == "refused"
    assert [bad["line"] for bad in ended["bad"]] == [2, 3, 4]
    assert "nonsense" not in str(ended)
    assert (await api.get("/v1/people")).json() == {"people": []}


async def _imported(api: Api, table: str) -> dict[str, Any]:
    response = await api.http.post("/v1/people:import", content=table, headers={"content-type": "text/csv"})
    assert response.status_code == 202, response.text
    ended: dict[str, Any] = response.json()
    while ended["status"] in ("waiting", "running"):
        await asyncio.sleep(0.02)
        ended = (await api.get(f"/v1/people/imports/{ended['id']}")).json()
    return ended


async def test_people_are_listed_in_pages(api: Api) -> None:
    for number in range(3):
        await put(api, f"p{number}", addresses=[{"user": f"u{number}"}])
    first = (await api.get("/v1/people", limit=2)).json()
    second = (await api.get("/v1/people", limit=2, cursor=first["next_cursor"])).json()
    assert [person["id"] for page in (first, second) for person in page["people"]] == ["p2", "p1", "p0"]


@pytest.mark.parametrize("address", ["email:Ana@example.com", "ana@example.com", "+12025550143", "phone:+12025550143"])
async def test_a_person_is_found_by_an_address(api: Api, address: str) -> None:
    to = [{"email": "ana@example.com"}, {"phone": "+12025550143"}]
    assert (await api.http.put("/v1/people/c1", json={"addresses": to})).status_code == 201
    found = await api.get(f"/v1/people/{quote(address, safe='')}")
    assert (found.status_code, found.json()["id"]) == (200, "c1")
    assert (await api.post(f"/v1/people/{quote(address, safe='')}/export", {})).json()["person"] == "c1"
    nobody = await api.get(f"/v1/people/{quote('bo@example.com', safe='')}")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "person_not_found")
