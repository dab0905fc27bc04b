"""Texts from people: what they change, and what is said in return."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.api.rest.conftest import Api
from tests.unit.pipeline.house import eventually

ANA = "+12025550143"
"""Washington, D.C."""
CODE = "24273"


def inbound(text: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"from": {"phone": ANA}, "to": CODE, "text": text, "provider_message_id": f"in-{number}", **fields}


async def take(api: Api, text: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    response = await api.post("/v1/inbound", inbound(text, number, **fields))
    assert response.status_code in (200, 201), response.text
    answer: dict[str, Any] = response.json()
    return answer


async def evaluate(api: Api, purpose: str, channel: str = "sms", to: dict[str, str] | None = None) -> dict[str, Any]:
    document = {"to": to or {"phone": ANA}, "channel": channel, "purpose": purpose, "content": {"text": "Hello"}}
    response = await api.post("/v1/messages:evaluate", document)
    decision: dict[str, Any] = response.json()["decision"]
    return decision


def suppressing(decision: dict[str, Any]) -> list[str]:
    return [r["reason"] for r in decision["rules"] if r["outcome"] == "block" and "suppressed" in r["reason"]]


async def sent_texts(api: Api) -> list[str]:
    found = (await api.get("/v1/sandbox/messages")).json()["messages"]
    return [message["content"]["text"] for message in found]


async def test_stop_suppresses_withdraws_and_is_recorded_with_its_deadline(api: Api) -> None:
    taken = await take(api, "Stop please", received_at="2026-03-01T12:00:00Z")
    assert (taken["intent"], taken["keyword"], taken["scope"]) == ("opt_out", "stop", "channel")
    assert suppressing(await evaluate(api, "promotional"))
    assert suppressing(await evaluate(api, "transactional"))
    assert not suppressing(await evaluate(api, "promotional", "voice"))
    consents = (await api.get("/v1/consents", person=ANA)).json()["consents"]
    assert {(c["purpose"], c["granted"], c["proof"]) for c in consents} == {
        ("promotional", False, "Stop please"),
        ("transactional", False, "Stop please"),
    }
    (request,) = (await api.get("/v1/opt-outs", person=ANA)).json()["opt_outs"]
    assert request["id"] == taken["opt_out"]
    assert request["received_at"] == "2026-03-01T12:00:00Z"
    assert request["honoured_at"]
    assert request["means"] == "keyword"
    # A Sunday, so the ten business days are those of two weeks; the first zone of the number is in the East.
    due = {entry["rule"]: entry["due_at"] for entry in request["deadlines"]}
    assert due["us-tcpa-revocation-deadline"].startswith("2026-03-1")
    assert request["overdue"]
    assert (await api.get("/v1/opt-outs", overdue="true")).json()["opt_outs"] == [request]


async def test_the_profile_says_whose_rules_set_the_deadline(api: Api) -> None:
    """The number is British, and the person lives in Florida."""
    abroad = "+447700900123"
    person = {"addresses": [{"phone": abroad}, {"email": "bea@example.com"}], "country": "US", "region": "FL"}
    assert (await api.http.put("/v1/people/bea", json=person)).status_code == 201
    await take(api, "STOP", **{"from": {"phone": abroad}})
    sent = await api.send(to={"email": "bea@example.com"}, channel="email")
    token = api.house.pipeline.context.links.token(int(sent["id"].removeprefix("msg_"), 16))
    assert (await api.http.post(f"/v1/unsubscribe/{token}")).status_code == 200
    for address, rule in ((abroad, "us-tcpa-revocation-deadline"), ("bea@example.com", "us-can-spam-opt-out-deadline")):
        (request,) = (await api.get("/v1/opt-outs", person=address)).json()["opt_outs"]
        assert request["jurisdiction"] == "US-FL"
        assert rule in {entry["rule"] for entry in request["deadlines"]}, address


async def test_what_is_handed_in_at_once_is_not_overdue(api: Api) -> None:
    await take(api, "STOP")
    (request,) = (await api.get("/v1/opt-outs")).json()["opt_outs"]
    assert request["due_at"] > request["honoured_at"]
    assert not request["overdue"]
    assert (await api.get("/v1/opt-outs", overdue="true")).json()["opt_outs"] == []


async def test_the_link_of_a_message_makes_the_same_record(api: Api) -> None:
    sent = await api.send(to={"email": "ana@example.com"})
    token = api.house.pipeline.context.links.token(int(sent["id"].removeprefix("msg_"), 16))
    for _ in range(2):
        assert (await api.http.post(f"/v1/unsubscribe/{token}")).status_code == 200
    (request,) = (await api.get("/v1/opt-outs")).json()["opt_outs"]
    assert (request["means"], request["message"], request["scope"]) == ("link", sent["id"], "promotional")
    assert request["honoured_at"]
    (consent,) = (await api.get("/v1/consents")).json()["consents"]
    assert not consent["granted"]


async def test_a_text_is_taken_once(api: Api) -> None:
    first = await take(api, "STOP")
    second = await api.post("/v1/inbound", inbound("STOP"))
    assert second.status_code == 200
    assert second.json() == first | {"duplicate": True, "answer": second.json()["answer"]}
    other = await api.post("/v1/inbound", inbound("START"))
    assert other.status_code == 409
    assert len((await api.get("/v1/opt-outs")).json()["opt_outs"]) == 1


async def test_the_confirmation_is_sent_once_whatever_is_suppressed(api: Api) -> None:
    async def confirmed() -> bool:
        return len(await sent_texts(api)) == 1

    await take(api, "STOP", channel="sandbox")
    await eventually(confirmed)
    assert "unsubscribed" in (await sent_texts(api))[0]
    again = await take(api, "STOP", 2, channel="sandbox")
    assert "answer" not in again
    (_, first) = (await api.get("/v1/opt-outs")).json()["opt_outs"]
    assert first["confirmation"].startswith("msg_")
    message = (await api.get(f"/v1/messages/{first['confirmation']}")).json()
    assert message["purpose"] == "transactional"
    assert len(await sent_texts(api)) == 1


async def test_a_confirmation_that_would_be_late_is_not_sent(api: Api) -> None:
    taken = await take(api, "STOP", channel="sandbox", received_at="2026-03-01T12:00:00Z")

    async def late() -> bool:
        found = (await api.get(f"/v1/inbound/{taken['id']}")).json()
        return bool(found["answer"]["state"] == "late")

    await eventually(late)
    assert await sent_texts(api) == []


async def test_nobody_else_may_send_as_a_confirmation(api: Api) -> None:
    document = {
        "to": {"phone": ANA},
        "channel": "sandbox",
        "purpose": "transactional",
        "content": {"text": "Buy now"},
        "category": "opt_out_confirmation",
    }
    response = await api.post("/v1/messages", document)
    assert response.status_code == 422
    assert "category" in response.json()["detail"]


async def test_start_lifts_what_stop_made_and_nothing_else(api: Api) -> None:
    await api.post("/v1/suppressions", {"to": {"phone": ANA}, "channel": "voice", "reason": "complaint"})
    await take(api, "STOP", 1)
    await take(api, "START", 2)
    left = (await api.get("/v1/suppressions")).json()["suppressions"]
    assert [entry["reason"] for entry in left] == ["complaint"]
    newest = (await api.get("/v1/consents", person=ANA)).json()["consents"][0]
    assert (newest["granted"], newest["level"], newest["purpose"]) == (True, "express", "promotional")
    assert not suppressing(await evaluate(api, "transactional"))
    (request,) = (await api.get("/v1/opt-outs")).json()["opt_outs"]
    assert request["lifted_at"]


async def test_start_does_not_lift_the_same_suppression_made_by_others(api: Api) -> None:
    await api.post("/v1/suppressions", {"to": {"phone": ANA}, "channel": "sms", "reason": "complaint"})
    await take(api, "STOP", 1)
    await take(api, "START", 2)
    assert suppressing(await evaluate(api, "transactional"))


async def test_a_start_that_arrives_late_does_not_lift_a_stop_that_was_said_after_it(api: Api) -> None:
    await take(api, "STOP", 1, received_at="2026-03-01T12:00:05Z")
    await take(api, "START", 2, received_at="2026-03-01T12:00:00Z")
    assert suppressing(await evaluate(api, "transactional"))
    await take(api, "START", 3, received_at="2026-03-01T12:00:10Z")
    assert not suppressing(await evaluate(api, "transactional"))


async def test_start_does_not_lift_what_others_have_suppressed_too_since(api: Api) -> None:
    await take(api, "STOP", 1)
    response = await api.post("/v1/suppressions", {"to": {"phone": ANA}, "channel": "sms", "reason": "complaint"})
    assert response.status_code == 200
    await take(api, "START", 2)
    assert suppressing(await evaluate(api, "transactional"))


async def test_a_review_does_not_lift_what_the_person_has_asked_for_otherwise_since(api: Api) -> None:
    uncertain = await take(api, "not interested", 1)
    await take(api, "no more offers please, only order updates", 2)
    response = await api.post(f"/v1/inbound/{uncertain['id']}/resolve", {"intent": "none"})
    assert response.status_code == 200, response.text
    assert suppressing(await evaluate(api, "promotional"))
    await take(api, "START", 3)
    assert not suppressing(await evaluate(api, "promotional"))


async def test_help_is_answered_to_who_has_opted_out(api: Api) -> None:
    await take(api, "STOP", 1, channel="sandbox")
    await take(api, "HELP", 2, channel="sandbox")

    async def helped() -> bool:
        return len(await sent_texts(api)) == 2

    await eventually(helped)


async def test_scope_says_how_far_it_reaches(api: Api) -> None:
    await take(api, "no more offers please, only order updates", 1)
    assert suppressing(await evaluate(api, "promotional"))
    assert not suppressing(await evaluate(api, "transactional"))
    await take(api, "never contact me again", 2)
    assert suppressing(await evaluate(api, "transactional", "voice"))


async def test_by_mail_a_bare_opt_out_leaves_transactional_messages(api: Api) -> None:
    ana = {"email": "ana@example.com"}
    await take(api, "unsubscribe", **{"from": ana})
    assert suppressing(await evaluate(api, "promotional", "email", ana))
    assert not suppressing(await evaluate(api, "transactional", "email", ana))


async def test_an_uncertain_text_waits_for_review_and_suppresses_meanwhile(api: Api) -> None:
    taken = await take(api, "not interested")
    assert taken["review"] == "open"
    assert "answer" not in taken
    assert suppressing(await evaluate(api, "promotional"))
    assert not suppressing(await evaluate(api, "transactional"))
    (waiting,) = (await api.get("/v1/inbound", review="true")).json()["messages"]
    assert waiting["id"] == taken["id"]
    (request,) = (await api.get("/v1/opt-outs", open="true")).json()["opt_outs"]
    assert "honoured_at" not in request


@pytest.mark.parametrize(("intent", "suppressed"), [("none", False), ("opt_out", True)])
async def test_a_review_settles_it(api: Api, intent: str, suppressed: bool) -> None:
    taken = await take(api, "not interested")
    response = await api.post(f"/v1/inbound/{taken['id']}/resolve", {"intent": intent, "note": "asked"})
    assert response.status_code == 200, response.text
    assert response.json()["resolution"]["intent"] == intent
    assert bool(suppressing(await evaluate(api, "transactional"))) is suppressed
    assert bool(suppressing(await evaluate(api, "promotional"))) is suppressed
    assert (await api.get("/v1/inbound", review="true")).json()["messages"] == []
    again = await api.post(f"/v1/inbound/{taken['id']}/resolve", {"intent": "none"})
    assert again.status_code == 409


async def test_other_texts_change_nothing(api: Api) -> None:
    taken = await take(api, "Thanks, please stop by the store tomorrow")
    assert taken["intent"] == "none"
    assert (await api.get("/v1/opt-outs")).json()["opt_outs"] == []
    assert not suppressing(await evaluate(api, "transactional"))


async def test_a_batch_takes_what_is_valid(api: Api) -> None:
    bad = inbound("STOP", 2) | {"from": {"phone": "0123"}}
    response = await api.post("/v1/inbound:batch", {"messages": [inbound("STOP", 1), bad, inbound("hello", 3)]})
    assert response.status_code == 207
    body = response.json()
    assert (body["taken"], body["refused"]) == (2, 1)
    assert "phone" in body["results"][1]["error"]["detail"]
    assert [r.get("message", {}).get("intent") for r in body["results"]] == ["opt_out", None, "none"]


async def test_it_needs_credentials(api: Api) -> None:
    response = await api.http.post("/v1/inbound", json=inbound("STOP"), headers={"authorization": "Bearer no"})
    assert response.status_code == 401
