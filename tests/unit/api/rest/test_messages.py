from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests.conformance.clocks import RunningClock
from tests.unit.api.rest.conftest import Api, message
from tests.unit.pipeline.house import eventually

from chappe.engine.base import QueueSettings
from chappe.model.customer import Status
from chappe.records import ids


async def become(api: Api, message_id: str, status: Status) -> dict[str, Any]:
    key = ids.parse_key(ids.MESSAGE, message_id)
    assert key is not None
    await api.house.becomes(key, status)
    answer: dict[str, Any] = (await api.get(f"/v1/messages/{message_id}")).json()
    return answer


async def test_a_message_is_taken_sent_and_followed(api: Api) -> None:
    taken = await api.send(metadata={"order": "7"}, **{"from": "Acme"})
    assert set(taken) == {"id", "status", "channel", "purpose", "declared_purpose", "decision", "created_at"}
    assert (taken["status"], taken["channel"], taken["purpose"]) == ("accepted", "sandbox", "transactional")
    assert taken["decision"]["outcome"] == "allow"
    assert taken["decision"]["rules"][0].keys() == {"id", "outcome", "reason"}
    assert taken["created_at"].endswith("Z")

    found = await become(api, taken["id"], Status.SENT)
    assert found["to"] == {"email": "ana@example.com"}
    assert found["content"] == {"subject": "Hello", "text": "Hello, Ana"}
    assert (found["from"], found["metadata"], found["attempts"]) == ("Acme", {"order": "7"}, 1)
    assert found["decision"]["outcome"] == "allow"

    timeline = (await api.get(f"/v1/messages/{taken['id']}/timeline")).json()
    assert [event["status"] for event in timeline["events"]] == ["accepted", "queued", "sending", "sent"]
    assert timeline["events"][3]["provider"] == "sandbox"
    assert timeline["status"] == "sent"


async def test_the_channel_follows_from_the_address(api: Api) -> None:
    assert (await api.send(channel=None))["channel"] == "email"
    answer = await api.send(channel=None, to={"url": "https://example.com/hook"}, content={"data": {"n": 1}})
    assert answer["channel"] == "webhook"


async def test_a_blocked_message_is_taken_and_says_why(api: Api) -> None:
    taken = await api.send(purpose="promotional")
    decision = taken["decision"]
    assert decision["outcome"] == "block"
    assert decision["rules"][0]["outcome"] == "block"
    found = await become(api, taken["id"], Status.BLOCKED)
    assert found["decision"] == decision


async def test_a_channel_without_a_provider_is_a_clear_error(api: Api) -> None:
    response = await api.post("/v1/messages", message(to={"phone": "+4915112345678"}, channel=None))
    assert response.status_code == 422
    problem = response.json()
    assert problem["code"] == "no_route"
    assert problem["pointer"] == "/channel"
    assert "sms" in problem["detail"]
    assert "routes.sms" in problem["detail"]


async def test_scheduling_and_cancelling(api: Api, clock: RunningClock) -> None:
    taken = await api.send(send_at=in_seconds(clock, 600))
    found = (await api.get(f"/v1/messages/{taken['id']}")).json()
    assert found["send_at"].startswith(in_seconds(clock, 600)[:13])
    (accepted,) = (await api.get(f"/v1/messages/{taken['id']}/timeline")).json()["events"]
    assert accepted["next_at"] == found["send_at"]
    cancelled = await api.post(f"/v1/messages/{taken['id']}/cancel")
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "cancelled"
    again = await api.post(f"/v1/messages/{taken['id']}/cancel")
    assert again.status_code == 200

    sent = await api.send()
    await become(api, sent["id"], Status.SENT)
    refused = await api.post(f"/v1/messages/{sent['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_cancellable")


@pytest.mark.parametrize("path", ["", "/timeline", "/cancel"])
@pytest.mark.parametrize("message_id", ["msg_0000000000000001", "nonsense", "con_0000000000000001", "msg_%00"])
async def test_unknown_messages_are_not_found(api: Api, path: str, message_id: str) -> None:
    url = f"/v1/messages/{message_id}{path}"
    response = await (api.post(url) if path == "/cancel" else api.get(url))
    assert (response.status_code, response.json()["code"]) == (404, "message_not_found")


CONSENT = {
    "person": {"email": "ana@example.de"},
    "channel": "email",
    "purpose": "promotional",
    "granted": True,
    "level": "written",
    "proof": "a form",
}


async def test_evaluating_now_and_at_another_time(api: Api) -> None:
    await api.post("/v1/consents", CONSENT)
    asked = message(to={"email": "ana@example.de"}, purpose="promotional", channel="email")
    by_day = await api.post("/v1/messages:evaluate", asked | {"at": "2027-03-02T12:00:00+01:00"})
    by_night = await api.post("/v1/messages:evaluate", asked | {"at": "2027-03-02T23:00:00+01:00"})
    now = await api.post("/v1/messages:evaluate", asked)
    assert [r.status_code for r in (by_day, by_night, now)] == [200, 200, 200]
    assert by_day.json()["decision"]["outcome"] == "allow"
    assert by_day.json()["at"] == "2027-03-02T11:00:00Z"
    assert by_night.json()["decision"]["outcome"] == "defer"
    assert by_night.json()["decision"]["until"] == "2027-03-03T07:00:00Z"
    assert (await api.get("/v1/messages")).json() == {"messages": []}
    assert api.sandbox.taken.total() == 0


async def test_a_consent_is_no_consent_to_what_was_before(api: Api) -> None:
    await api.post("/v1/consents", CONSENT)
    asked = message(to={"email": "ana@example.de"}, purpose="promotional", channel="email")
    answer = await api.post("/v1/messages:evaluate", asked | {"at": "2000-01-03T12:00:00+01:00"})
    assert answer.json()["decision"]["outcome"] == "block"


async def test_evaluating_needs_no_provider(api: Api) -> None:
    asked = message(to={"phone": "+12025550143"}, channel=None, purpose="promotional")
    assert (await api.post("/v1/messages", asked)).json()["code"] == "no_route"
    answer = await api.post("/v1/messages:evaluate", asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["channel"] == "sms"
    assert answer.json()["decision"]["outcome"] == "block"


async def test_listing_with_filters_and_pages(api: Api) -> None:
    sent = [await api.send(to={"email": f"p{number % 2}@example.com"}) for number in range(6)]
    blocked = await api.send(purpose="promotional")
    for taken in sent:
        await become(api, taken["id"], Status.SENT)
    await become(api, blocked["id"], Status.BLOCKED)

    async def found(**query: Any) -> list[str]:
        response = await api.get("/v1/messages", **query)
        assert response.status_code == 200, response.text
        return [entry["id"] for entry in response.json()["messages"]]

    everything = [taken["id"] for taken in (blocked, *reversed(sent))]
    assert await found() == everything
    assert await found(status="blocked") == [blocked["id"]]
    assert await found(purpose="transactional", to="p1@example.com") == [sent[n]["id"] for n in (5, 3, 1)]
    assert await found(to="email:P1@EXAMPLE.com") == await found(to="p1@example.com")
    assert await found(to="user:p1@example.com") == []
    assert await found(since=sent[5]["created_at"], channel="sandbox")
    assert await found(until="2001-01-01T00:00:00Z") == []

    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (await api.get("/v1/messages", limit=3, **({"cursor": cursor} if cursor else {}))).json()
        seen += [entry["id"] for entry in page["messages"]]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert seen == everything


async def test_a_summary_has_no_content(api: Api) -> None:
    await api.send()
    (entry,) = (await api.get("/v1/messages")).json()["messages"]
    assert "content" not in entry
    assert entry["to"] == {"email": "ana@example.com"}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=many",
        "limit=1&limit=2",
        "status=flying",
        "purpose=x",
        "cursor=nonsense",
        "since=yesterday",
        "since=2026-03-01T08:00:00",
        "to=not+an+address%40",
        "to=12025550143",
        "to=(202)%20555-0143",
        "colour=red",
        "limit",
        "to=%ff%fe",
        "&".join(f"limit={n}" for n in range(100)),
    ],
)
async def test_parameters_that_make_no_sense_are_refused(api: Api, query: str) -> None:
    response = await api.http.get(f"/v1/messages?{query}")
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "invalid_parameter"


async def test_a_plus_sign_that_was_not_escaped_is_still_one(api: Api) -> None:
    await api.post("/v1/suppressions", {"to": {"phone": "+12025550143"}})
    for given in ("%2B12025550143", "+12025550143", "phone:+12025550143"):
        (entry,) = (await api.http.get(f"/v1/suppressions?to={given}")).json()["suppressions"]
        assert entry["to"] == {"phone": "+12025550143"}
    taken = await api.send()
    for since, found in (("2000-01-01T00:00:00+01:00", [taken["id"]]), ("2999-01-01T00:00:00+01:00", [])):
        messages = (await api.http.get(f"/v1/messages?since={since}")).json()["messages"]
        assert [entry["id"] for entry in messages] == found


async def test_the_sandbox_shows_what_it_kept(api: Api) -> None:
    for name in ("ana", "ben"):
        taken = await api.send(to={"email": f"{name}@example.com"})
        await become(api, taken["id"], Status.SENT)
    kept = (await api.get("/v1/sandbox/messages")).json()
    assert kept["taken"] == 2
    assert [entry["to"]["email"] for entry in kept["messages"]] == ["ben@example.com", "ana@example.com"]
    assert kept["messages"][0]["content"]["text"] == "Hello, Ana"
    only = (await api.get("/v1/sandbox/messages", to="ana@example.com", limit=5)).json()
    assert len(only["messages"]) == 1


async def test_queues_and_their_counts(api: Api) -> None:
    await api.house.engine.create_queue("us-east-1:000000000000:orders.fifo", QueueSettings(fifo=True))
    queues = (await api.get("/v1/queues")).json()["queues"]
    names = [queue["name"] for queue in queues]
    assert names == sorted(names)
    assert {"chappe-intake-transactional", "chappe-promotional-email", "chappe-promotional-email-dlq"} < set(names)
    (orders,) = (await api.get("/v1/queues", prefix="orders")).json()["queues"]
    assert orders == {
        "name": "orders.fifo",
        "arn": "arn:aws:sqs:us-east-1:000000000000:orders.fifo",
        "fifo": True,
        "ready": 0,
        "in_flight": 0,
        "delayed": 0,
    }
    seen: list[str] = []
    cursor = None
    while True:
        page = (await api.get("/v1/queues", limit=4, **({"cursor": cursor} if cursor else {}))).json()
        seen += [queue["name"] for queue in page["queues"]]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert seen == names


async def test_providers_and_their_circuits(api: Api) -> None:
    (provider,) = (await api.get("/v1/providers")).json()["providers"]
    assert provider == {
        "name": "sandbox",
        "channels": ["email", "sandbox", "webhook"],
        "circuit": "closed",
        "attempts_under_way": 0,
        "attempts_max": 32,
    }


async def test_health_needs_no_key(api: Api) -> None:
    response = await api.http.get("/healthz", headers={"authorization": ""})
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    await api.house.records._commits.close()
    api.house.records._readers.close()
    broken = await api.http.get("/healthz")
    assert broken.status_code >= 500


async def test_a_message_that_fails_for_now_is_followed_through_its_attempts(api: Api) -> None:
    taken = await api.send(to={"email": "fail+once@example.com"})
    await become(api, taken["id"], Status.SENT)
    events = (await api.get(f"/v1/messages/{taken['id']}/timeline")).json()["events"]
    (failed,) = [event for event in events if "code" in event]
    assert failed["code"] == "sandbox_once"
    assert failed["next_at"] >= failed["at"]
    await eventually(lambda: api.sandbox.taken.total() == 1)


def in_seconds(clock: RunningClock, seconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(clock() // 1000 + seconds, datetime.UTC)
    return moment.isoformat()
