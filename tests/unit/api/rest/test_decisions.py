"""GET /v1/decisions, one with its evidence and proof, and legal holds."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.api.rest.conftest import Api
from tests.unit.pipeline.house import SIGNING_KEY

from chappe.model.customer import Status
from chappe.observe.audit.proofs import Proof, check_proof


async def decided(api: Api) -> tuple[str, str]:
    """A message that was sent and one that was blocked; their ids."""
    sent = (await api.send())["id"]
    blocked = (await api.send(purpose="promotional", to={"email": "ben@example.com"}))["id"]
    await api.house.becomes(int(sent[4:], 16), Status.SENT)
    await api.house.becomes(int(blocked[4:], 16), Status.BLOCKED)
    return sent, blocked


async def test_decisions_are_listed_newest_first_in_pages(api: Api) -> None:
    await decided(api)
    whole = (await api.get("/v1/decisions")).json()["decisions"]
    assert len(whole) == 3
    assert whole == sorted(whole, key=lambda decision: decision["id"], reverse=True)
    paged, cursor = [], None
    while True:
        page = (await api.get("/v1/decisions", limit=1, **({"cursor": cursor} if cursor else {}))).json()
        paged += page["decisions"]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert paged == whole


async def test_decisions_are_found_by_message_address_outcome_rule_and_time(api: Api) -> None:
    sent, blocked = await decided(api)

    async def messages(**parameters: object) -> set[str]:
        found = (await api.get("/v1/decisions", **parameters)).json()["decisions"]
        return {decision["message"] for decision in found}

    assert await messages(message=sent) == {sent}
    assert await messages(to="ben@example.com") == {blocked}
    assert await messages(to="nobody@example.com") == set()
    assert await messages(outcome="block") == {blocked}
    assert await messages(outcome="defer") == set()
    assert await messages(rule="default-suppression") == {sent, blocked}
    assert await messages(rule="no-such-rule") == set()
    assert await messages(since="2000-01-01T00:00:00Z") == {sent, blocked}
    assert await messages(until="2000-01-01T00:00:00Z") == set()


async def test_a_decision_comes_with_its_evidence_and_once_signed_with_its_proof(api: Api) -> None:
    sent, _ = await decided(api)
    (intake,) = [
        decision
        for decision in (await api.get("/v1/decisions", message=sent)).json()["decisions"]
        if decision["stage"] == "intake"
    ]
    details = (await api.get(f"/v1/decisions/{intake['id']}")).json()
    assert details["decision"] == intake
    assert details["evidence"]["message"]["content"]["text"] == "Hello, Ana"
    assert details["evidence"]["to"] == {"email": "ana@example.com"}
    assert details["proof"] is None
    await api.house.audit.checkpointer.sign()
    response = await api.get(f"/v1/decisions/{intake['id']}")
    assert '"proof":' in response.text
    proof = msgspec.json.decode(msgspec.json.encode(response.json()["proof"]), type=Proof)
    check_proof(proof, SIGNING_KEY.public_key())


async def test_after_an_erasure_the_decision_stays_and_the_evidence_is_gone(api: Api) -> None:
    sent, _ = await decided(api)
    found = (await api.get("/v1/decisions", message=sent)).json()["decisions"]
    await api.house.audit.recorder.erase("email:ana@example.com", api.house.clock())
    assert (await api.get("/v1/decisions", message=sent)).json()["decisions"] == found
    assert (await api.get("/v1/decisions", to="ana@example.com")).json()["decisions"] == []
    assert (await api.get(f"/v1/decisions/{found[0]['id']}")).json()["evidence"] is None


@pytest.mark.parametrize("decision", ["dec_00000000000000ff", "dec_1", "msg_0000000000000001"])
async def test_there_is_no_such_decision(api: Api, decision: str) -> None:
    assert (await api.get(f"/v1/decisions/{decision}")).status_code == 404


@pytest.mark.parametrize(
    "parameters", [{"message": "nothing"}, {"outcome": "maybe"}, {"cursor": "x"}, {"since": "now"}]
)
async def test_parameters_that_make_no_sense_are_refused(api: Api, parameters: dict[str, str]) -> None:
    assert (await api.get("/v1/decisions", **parameters)).status_code == 400


async def test_a_legal_hold_is_made_listed_and_released(api: Api) -> None:
    made = await api.post("/v1/legal-holds", {"jurisdiction": "US-CA", "reason": "claim 4711"})
    assert made.status_code == 201
    hold = made.json()
    assert (await api.get("/v1/legal-holds")).json()["holds"] == [hold]
    released = await api.http.delete(f"/v1/legal-holds/{hold['id']}")
    assert released.status_code == 204
    (over,) = (await api.get("/v1/legal-holds")).json()["holds"]
    assert over["released_at"]
    assert (await api.http.delete(f"/v1/legal-holds/{hold['id']}")).status_code == 404
    assert (await api.post("/v1/legal-holds", {"jurisdiction": "mars", "reason": "x"})).status_code == 422
