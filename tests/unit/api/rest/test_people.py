from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec import structs
from tests.conformance.clocks import RunningClock
from tests.unit.api.rest.conftest import Api

from chappe.api.rest.people.consent_details import ConsentDetailsDocument
from chappe.model.customer import Channel, Status
from chappe.records import ids
from chappe.records.knowledge import Subject


async def test_a_suppressed_address_gets_nothing_until_it_is_lifted(api: Api) -> None:
    added = await api.post("/v1/suppressions", {"to": {"email": "Ana@Example.com"}, "reason": "asked"})
    assert added.status_code == 201
    document = added.json()
    again = await api.post("/v1/suppressions", {"to": {"email": "ANA@example.com"}})
    assert again.status_code == 200
    assert again.json() == document | {"to": {"email": "ana@example.com"}}

    blocked = await api.send(to={"email": "aNA@example.com"})
    assert blocked["decision"]["outcome"] == "block"
    assert (await api.get("/v1/suppressions", to="ANA@example.com")).json() == {"suppressions": [again.json()]}

    lifted = await api.http.delete(f"/v1/suppressions/{document['id']}")
    assert (lifted.status_code, lifted.content) == (204, b"")
    assert (await api.http.delete(f"/v1/suppressions/{document['id']}")).status_code == 404
    assert (await api.send(to={"email": "ANA@example.com"}))["decision"]["outcome"] == "allow"


async def test_a_suppression_may_be_narrow(api: Api) -> None:
    document = {"to": {"email": "ana@example.com"}, "channel": "email", "purpose": "promotional"}
    assert (await api.post("/v1/suppressions", document)).status_code == 201
    assert (await api.send())["decision"]["outcome"] == "allow"
    listed = (await api.get("/v1/suppressions")).json()["suppressions"]
    assert [(entry["channel"], entry["purpose"]) for entry in listed] == [("email", "promotional")]


async def test_consents_are_recorded_and_kept(api: Api) -> None:
    person = {"email": "ana@example.com"}
    granted = {
        "person": person,
        "channel": "sandbox",
        "purpose": "promotional",
        "granted": True,
        "level": "double_opt_in",
        "proof": "form of 2 May",
        "source": "https://shop.example.com",
        "expires_at": "2999-01-01T00:00:00Z",
    }
    first = await api.post("/v1/consents", granted)
    assert first.status_code == 201
    assert {name: first.json()[name] for name in granted} == granted
    assert (await api.send(purpose="promotional"))["decision"]["outcome"] == "allow"
    withdrawn = await api.post("/v1/consents", {"person": person, "purpose": "promotional", "granted": False})
    assert withdrawn.status_code == 201
    assert (await api.send(purpose="promotional"))["decision"]["outcome"] == "block"
    entries = (await api.get("/v1/consents", person="ana@example.com")).json()["consents"]
    assert [entry["granted"] for entry in entries] == [False, True]
    assert (await api.http.delete(f"/v1/consents/{entries[0]['id']}")).status_code == 404
    assert (await api.get("/v1/consents", person="ben@example.com")).json() == {"consents": []}


async def test_answers_show_the_level_and_the_address_as_it_is_stored(api: Api) -> None:
    consent = {"person": {"email": "Bob@Example.com"}, "purpose": "promotional", "granted": True, "proof": "checkbox"}
    given = (await api.post("/v1/consents", consent)).json()
    assert (given["level"], given["person"]) == ("express", {"email": "bob@example.com"})
    assert (await api.get("/v1/consents", person="bob@example.com")).json()["consents"] == [given]
    withdrawn = (await api.post("/v1/consents", consent | {"granted": False})).json()
    assert "level" not in withdrawn
    suppressed = (await api.post("/v1/suppressions", {"to": {"email": "Bob@Example.com"}})).json()
    assert (await api.get("/v1/suppressions")).json()["suppressions"] == [suppressed]


async def test_an_earlier_agreement_can_be_brought_in(api: Api) -> None:
    document = {
        "person": {"email": "ana@example.com"},
        "purpose": "promotional",
        "granted": True,
        "recorded_at": "2020-05-02T10:00:00+02:00",
    }
    assert (await api.post("/v1/consents", document)).json()["recorded_at"] == "2020-05-02T08:00:00Z"


@pytest.mark.parametrize(
    ("path", "document", "pointer"),
    [
        ("/v1/suppressions", {"to": {}}, "/to"),
        ("/v1/suppressions", {"to": {"email": "nobody"}}, "/to/email"),
        ("/v1/suppressions", {"to": {"email": "a@example.com"}, "reason": ""}, "/reason"),
        ("/v1/suppressions", {"to": {"email": "a@example.com"}, "channel": "x"}, "/channel"),
        ("/v1/consents", {"person": {}, "purpose": "promotional", "granted": True}, "/person"),
        ("/v1/consents", {"person": {"user": "a"}, "purpose": "promotional", "granted": "yes"}, "/granted"),
        ("/v1/consents", {"person": {"user": "a"}, "purpose": "promotional", "granted": True, "level": "x"}, "/level"),
        (
            "/v1/consents",
            {"person": {"user": "a"}, "purpose": "promotional", "granted": True, "recorded_at": "2999-01-01T00:00:00Z"},
            "/recorded_at",
        ),
        (
            "/v1/consents",
            {"person": {"user": "a"}, "purpose": "promotional", "granted": True, "expires_at": "2001-01-01T00:00:00Z"},
            "/expires_at",
        ),
    ],
)
async def test_what_is_wrong_is_named(api: Api, path: str, document: dict[str, Any], pointer: str) -> None:
    response = await api.post(path, document)
    assert response.status_code == 422, response.text
    assert response.json()["pointer"] == pointer
    assert (await api.get(path)).json() in ({"suppressions": []}, {"consents": []})


async def test_lists_come_in_pages(api: Api) -> None:
    for number in range(5):
        await api.post("/v1/suppressions", {"to": {"user": f"u{number}"}})
    first = (await api.get("/v1/suppressions", limit=3)).json()
    rest = (await api.get("/v1/suppressions", limit=3, cursor=first["next_cursor"])).json()
    users = [entry["to"]["user"] for entry in first["suppressions"] + rest["suppressions"]]
    assert users == [f"u{number}" for number in (4, 3, 2, 1, 0)]
    assert "next_cursor" not in rest


async def test_one_click_unsubscribes(api: Api, clock: RunningClock) -> None:
    await api.post("/v1/consents", {"person": {"email": "ana@example.com"}, "purpose": "promotional", "granted": True})
    taken = await api.send(purpose="promotional")
    key = ids.parse_key(ids.MESSAGE, taken["id"])
    assert key is not None
    await api.house.becomes(key, Status.SENT)
    (kept,) = (await api.get("/v1/sandbox/messages")).json()["messages"]
    path = kept["unsubscribe_url"].removeprefix("https://messages.example.com")
    anonymous = {"authorization": ""}

    page = await api.http.get(path, headers=anonymous)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<button" in page.text
    assert "script" not in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (await api.get("/v1/suppressions")).json() == {"suppressions": []}

    form = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        done = await api.http.post(path, data=form, headers=anonymous)
        assert done.status_code == 200
        assert "unsubscribed" in done.text
    (entry,) = (await api.get("/v1/suppressions")).json()["suppressions"]
    assert (entry["to"], entry["channel"], entry["purpose"]) == (
        {"email": "ana@example.com"},
        "sandbox",
        "promotional",
    )
    assert (await api.send(purpose="promotional"))["decision"]["outcome"] == "block"
    assert (await api.send())["decision"]["outcome"] == "allow"


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 31 + "=", "%00", "..%2f"])
async def test_links_that_were_not_made_here(api: Api, token: str) -> None:
    for response in (await api.http.get(f"/v1/unsubscribe/{token}"), await api.http.post(f"/v1/unsubscribe/{token}")):
        assert response.status_code == 404
    assert (await api.get("/v1/suppressions")).json() == {"suppressions": []}


async def test_the_unsubscribe_page_of_a_message_that_is_gone(api: Api) -> None:
    token = api.house.pipeline.context.links.token(12345)
    assert (await api.http.post(f"/v1/unsubscribe/{token}")).status_code == 404


DETAILS = {
    "basis": "purchase",
    "given_by": "web",
    "withdrawable_by": ["web", "email"],
    "hours": [{"start": "09:00", "end": "17:00", "days": ["sat"]}],
    "origin": "direct",
    "seller": "Acme",
    "form": "form 7",
    "wording": "Yes, write to me.",
    "signature": "Ana",
    "ip": "203.0.113.7",
    "pre_ticked": False,
    "conditional_on_purchase": False,
    "notice_at": "2026-01-01T00:00:00Z",
    "notice_language": "en",
    "confirmation_sent_at": "2026-01-01T00:00:01Z",
    "confirmed_at": "2026-01-01T00:00:02Z",
    "reconfirmed_at": "2026-01-01T00:00:03Z",
    "result_told_at": "2026-01-01T00:00:04Z",
}


async def test_everything_about_how_a_consent_came_about_is_kept_and_shown(api: Api) -> None:
    assert {field.name for field in structs.fields(ConsentDetailsDocument)} == set(DETAILS)
    agreed = {"person": {"email": "ana@example.com"}, "purpose": "promotional", "granted": True, "details": DETAILS}
    added = await api.post("/v1/consents", agreed)
    assert added.status_code == 201, added.text
    (listed,) = (await api.get("/v1/consents", person="ana@example.com")).json()["consents"]
    assert listed["details"] == DETAILS
    known = await api.house.records.look_up([Subject(None, "email:ana@example.com", Channel.EMAIL)], urgent=True)
    message = (await api.post("/v1/messages:evaluate", _promotion())).json()
    assert message["decision"]["rules"]
    told = json.loads(known[0].consents[0].details or "")
    assert told["confirmed_at_ms"] == 1_767_225_602_000


def _promotion() -> dict[str, Any]:
    return {"to": {"email": "ana@example.com"}, "content": {"text": "Sale"}, "purpose": "promotional"}


@pytest.mark.parametrize(
    ("details", "pointer"),
    [
        ({"confirmed_at": "2999-01-01T00:00:00Z"}, "/details/confirmed_at"),
        ({"basis": "a hunch"}, "/details/basis"),
        ({"hours": [{"start": "25:00", "end": "26:00"}]}, "/details/hours/0/start"),
        ({"colour": "red"}, "/details"),
    ],
)
async def test_details_that_cannot_be_are_refused(api: Api, details: dict[str, Any], pointer: str) -> None:
    document = {"person": {"email": "ana@example.com"}, "purpose": "promotional", "granted": True, "details": details}
    refused = await api.post("/v1/consents", document)
    assert (refused.status_code, refused.json()["pointer"]) == (422, pointer), refused.text


async def test_a_list_of_consents_tells_how_they_came_about(api: Api) -> None:
    table = (
        "email,purpose,recorded_at,given_by,withdrawable_by,pre_ticked,confirmed_at\n"
        "ana@example.com,promotional,2026-01-01T00:00:00Z,web,web;sms,no,2026-01-01T00:00:02Z\n"
    )
    started = await api.http.post("/v1/consents:import", content=table, headers={"content-type": "text/csv"})
    ended = started.json()
    while ended["status"] in ("waiting", "running"):
        await asyncio.sleep(0.02)
        ended = (await api.get(f"/v1/consents/imports/{ended['id']}")).json()
    assert (ended["status"], ended["changed"]) == ("done", 1), ended
    (listed,) = (await api.get("/v1/consents", person="ana@example.com")).json()["consents"]
    assert listed["details"] == {
        "given_by": "web",
        "withdrawable_by": ["web", "sms"],
        "pre_ticked": False,
        "confirmed_at": "2026-01-01T00:00:02Z",
    }
