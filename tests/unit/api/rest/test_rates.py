"""Measurements of how messages fare, and what rules make of them."""

from __future__ import annotations

from tests.unit.api.rest.conftest import Api

COMPLAINTS = "spam_complaint_rate"
NEWS = {
    "to": {"email": "ana@example.com"},
    "from": "news@acme.example",
    "channel": "email",
    "purpose": "promotional",
    "content": {"subject": "Sale", "text": "Everything at half its price."},
}


async def breaker(api: Api) -> tuple[str, str]:
    """What the rule about complaints says of a newsletter now."""
    evaluated = await api.post("/v1/messages:evaluate", NEWS)
    assert evaluated.status_code == 200, evaluated.text
    (said,) = [r for r in evaluated.json()["decision"]["rules"] if r["id"] == "global-mailbox-complaint-rate"]
    return said["outcome"], said["reason"]


async def test_a_sender_that_too_many_complain_about_is_stopped(api: Api) -> None:
    assert await breaker(api) == ("allow", f"no {COMPLAINTS} has been measured")
    high = await api.post("/v1/rates", {"metric": COMPLAINTS, "value": 0.004, "source": "Postmaster Tools"})
    assert high.status_code == 201, high.text
    assert high.json()["asked_for_by"] == ["global-mailbox-complaint-rate"]
    outcome, reason = await breaker(api)
    assert (outcome, "was 0.40%" in reason) == ("block", True)
    sent = await api.send(**NEWS)
    assert sent["decision"]["outcome"] == "block"

    assert (await api.http.delete(f"/v1/rates/{high.json()['id']}")).status_code == 204
    assert (await breaker(api))[0] == "allow"
    gone = await api.http.delete(f"/v1/rates/{high.json()['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "rate_not_found")


async def test_a_rate_of_another_sender_is_nothing_to_this_one(api: Api) -> None:
    rate = {"metric": COMPLAINTS, "value": 0.01, "sender": "other@acme.example"}
    assert (await api.post("/v1/rates", rate)).status_code == 201
    assert (await breaker(api))[0] == "allow"
    assert (await api.post("/v1/rates", rate | {"sender": "news@acme.example"})).status_code == 201
    assert (await breaker(api))[0] == "block"


async def test_measurements_are_listed_and_one_of_the_same_moment_is_replaced(api: Api) -> None:
    at = "2026-01-05T00:00:00Z"
    for value in (0.5, 0.0002):
        assert (await api.post("/v1/rates", {"metric": COMPLAINTS, "value": value, "at": at})).status_code == 201
    (listed,) = (await api.get("/v1/rates", metric=COMPLAINTS)).json()["rates"]
    assert (listed["value"], listed["at"]) == (0.0002, at)
    assert (await api.get("/v1/rates", metric="bounce_rate")).json() == {"rates": []}
    assert await breaker(api) == ("allow", f"the {COMPLAINTS} is 0.02%")


async def test_what_is_no_measurement_is_refused(api: Api) -> None:
    for wrong, pointer in (
        ({"metric": COMPLAINTS, "value": 3}, "/value"),
        ({"metric": "Spam!", "value": 0.1}, "/metric"),
        ({"metric": COMPLAINTS, "value": 0.1, "at": "2999-01-01T00:00:00Z"}, "/at"),
    ):
        refused = await api.post("/v1/rates", wrong)
        assert (refused.status_code, refused.json()["pointer"]) == (422, pointer)
