"""Rule sets over REST: from a rule file to what decides, and back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from tests.unit.api.rest.conftest import Api, message
from tests.unit.api.rest.described import DOCUMENT, validate
from tests.unit.pipeline.house import RULES, eventually
from tests.unit.pipeline.rules.conftest import a_rule, closed_always, rule_file

BLOCKING = rule_file(closed_always())


async def create(api: Api, text: str = BLOCKING, **fields: Any) -> dict[str, Any]:
    response = await api.post("/v1/rule-sets", {"rules": text, "reason": "a test", **fields})
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def activate(api: Api, version: int, **fields: Any) -> dict[str, Any]:
    response = await api.post(f"/v1/rule-sets/{version}/activate", {"reason": "a test", **fields})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_from_a_rule_file_to_a_decision_and_back(api: Api) -> None:
    created = await create(api)
    assert (created["rule_set"]["version"], created["rule_set"]["in_force_for"]) == (2, "nobody")
    assert created["rule_set"]["author"]["name"] == "tests"
    assert {"id": "house-closed", "kind": "added", "summary": "A rule of the tests.", "fields": []} in created[
        "changes"
    ]
    activation = await activate(api, 2)
    assert (activation["version"], activation["kind"], activation["author"]["reason"]) == (2, "activated", "a test")
    decision = (await api.send())["decision"]
    assert (decision["outcome"], decision["rule_set"]) == ("block", 2)
    back = await api.post("/v1/rule-sets:rollback", {"reason": "it blocked codes"})
    assert (back.status_code, back.json()["version"]) == (200, 1)
    decision = (await api.send())["decision"]
    assert (decision["outcome"], decision["rule_set"]) == ("allow", 1)
    history = (await api.get("/v1/rule-sets:history", limit=2)).json()
    assert [(entry["kind"], entry["author"]["reason"]) for entry in history["activations"]] == [
        ("rolled_back", "it blocked codes"),
        ("activated", "a test"),
    ]
    rest = (await api.get("/v1/rule-sets:history", cursor=history["next_cursor"])).json()
    assert [entry["kind"] for entry in rest["activations"]] == ["automatic"]


async def test_versions_are_listed_and_looked_at(api: Api) -> None:
    await create(api)
    await activate(api, 2, percent=10)
    listed = (await api.get("/v1/rule-sets")).json()["rule_sets"]
    assert [(entry["version"], entry["origin"], entry["in_force_for"]) for entry in listed] == [
        (2, "created", "some"),
        (1, "configured", "everyone"),
    ]
    page = (await api.get("/v1/rule-sets", limit=1)).json()
    assert [
        entry["version"] for entry in (await api.get("/v1/rule-sets", cursor=page["next_cursor"])).json()["rule_sets"]
    ] == [1]
    found = (await api.get("/v1/rule-sets/1")).json()
    assert found["rules"] == json.loads(msgspec.json.encode(RULES.rules))
    for path in ("/v1/rule-sets/3", "/v1/rule-sets/x", "/v1/rule-sets/0", "/v1/rule-sets/3/diff"):
        response = await api.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "rule_set_not_found")


async def test_everything_wrong_is_told_with_its_line_and_nothing_is_stored(api: Api) -> None:
    text = rule_file(a_rule(severity="odd", colour="red"), a_rule("b", condition="message.chanel == 'sms'"))
    checked = (await api.post("/v1/rule-sets:validate", {"rules": text})).json()
    assert not checked["valid"]
    lines = text.splitlines()
    told = {(p["rule"], p["field"]): lines[p["line"] - 1].strip() for p in checked["problems"]}
    assert told == {
        ("house-vip", "colour"): "colour: red",
        ("house-vip", "severity"): "severity: odd",
        ("b", "condition"): "condition: message.chanel == 'sms'",
    }
    refused = await api.post("/v1/rule-sets", {"rules": text, "reason": "a test"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_rules")
    assert refused.json()["details"]["problems"] == checked["problems"]
    assert len((await api.get("/v1/rule-sets")).json()["rule_sets"]) == 1


async def test_validation_tells_what_would_change(api: Api) -> None:
    rule = RULES.rules[0]
    text = rule_file(a_rule(rule.id, summary="Replaced."))
    checked = (
        await api.post("/v1/rule-sets:validate", {"rules": text, "base": 1, "remove": [RULES.rules[1].id]})
    ).json()
    assert (checked["valid"], checked["rule_count"]) == (True, len(RULES.rules) - 1)
    assert {change["id"]: change["kind"] for change in checked["changes"]} == {
        rule.id: "changed",
        RULES.rules[1].id: "removed",
    }
    assert (await api.post("/v1/rule-sets:validate", {"rules": text, "base": 7})).status_code == 404


async def test_versions_are_compared(api: Api) -> None:
    await create(api, rule_file(a_rule("new")), base=1)
    difference = (await api.get("/v1/rule-sets/2/diff")).json()
    assert (difference["before"], difference["after"]) == (1, 2)
    assert [(change["id"], change["kind"]) for change in difference["changes"]] == [("new", "added")]
    backwards = (await api.get("/v1/rule-sets/1/diff", **{"from": 2})).json()
    assert [(change["id"], change["kind"]) for change in backwards["changes"]] == [("new", "removed")]
    assert (await api.get("/v1/rule-sets/1/diff", **{"from": "x"})).status_code == 400


async def test_messages_are_decided_dry(api: Api) -> None:
    await create(api)
    answer = await api.post("/v1/rule-sets/2/dry-run", {"messages": [message(), message(purpose="promotional")]})
    first, _ = answer.json()["decisions"]
    assert first["changed"]
    assert (first["before"]["outcome"], first["before"]["rule_set"]) == ("allow", 1)
    assert (first["after"]["outcome"], first["after"]["rule_set"]) == ("block", 2)
    assert (await api.get("/v1/messages")).json()["messages"] == []
    wrong = await api.post("/v1/rule-sets/2/dry-run", {"messages": [message(), message(to={})]})
    assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/messages/1/to")


async def test_the_last_hour_is_decided_dry(api: Api) -> None:
    await create(api)
    await _sent(api, 3)
    compared = (await api.post("/v1/rule-sets/2/dry-run", {})).json()["last_hour"]
    assert (compared["decisions"], compared["changed"]) == (3, 3)
    assert compared["by_outcome"] == [{"before": "allow", "after": "block", "count": 3}]


async def test_a_backtest_is_begun_watched_and_ended(api: Api) -> None:
    await create(api)
    await _sent(api, 3)
    begun = await api.post("/v1/rule-sets/2/backtests", {})
    assert begun.status_code == 202
    path = f"/v1/rule-sets/2/backtests/{begun.json()['id']}"

    async def done() -> bool:
        return bool((await api.get(path)).json()["status"] == "done")

    await eventually(done)
    found = (await api.get(path)).json()
    assert (found["progress"], found["result"]["decisions"], found["result"]["changed"]) == (1.0, 3, 3)
    assert found["result"]["examples"][0]["rules"][0]["id"] == "house-closed"
    assert (await api.http.delete(path)).json()["status"] == "done"
    assert (await api.get("/v1/rule-sets/2/backtests/bt_0")).json()["code"] == "backtest_not_found"
    span = {"since": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"}
    wrong = await api.post("/v1/rule-sets/2/backtests", span)
    assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/since")


async def test_a_reason_is_asked_for(api: Api) -> None:
    for path, document in (
        ("/v1/rule-sets", {"rules": BLOCKING}),
        ("/v1/rule-sets/1/activate", {}),
        ("/v1/rule-sets:rollback", {"reason": ""}),
    ):
        assert (await api.post(path, document)).status_code == 422, path


async def test_stages_that_make_no_sense_are_refused(api: Api) -> None:
    await create(api)
    for fields in ({"percent": 0}, {"percent": 101}, {"jurisdictions": ["Norway"]}, {"colour": "red"}):
        response = await api.post("/v1/rule-sets/2/activate", {"reason": "a test", **fields})
        assert response.status_code == 422, fields
    again = await api.post("/v1/rule-sets/1/activate", {"reason": "a test"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_rules_are_listed_and_filtered(api: Api) -> None:
    every = (await api.get("/v1/rules")).json()
    assert every["version"] == 1
    assert [rule["id"] for rule in every["rules"]] == sorted(rule.id for rule in RULES.rules)
    page = (await api.get("/v1/rules", limit=2)).json()
    following = (await api.get("/v1/rules", limit=2, cursor=page["next_cursor"])).json()
    assert [rule["id"] for rule in page["rules"] + following["rules"]] == [rule["id"] for rule in every["rules"][:4]]
    there = (await api.get("/v1/rules", jurisdiction="US-FL", channel="sms")).json()["rules"]
    assert {rule["jurisdiction"] for rule in there} <= {"US-FL", "US", "*"}
    assert "us-tcpa-quiet-hours" in {rule["id"] for rule in there}
    kinds = (await api.get("/v1/rules", kind="quiet_hours")).json()["rules"]
    assert {rule["kind"] for rule in kinds} == {"quiet_hours"}
    assert (await api.get("/v1/rules", kind="moon_phase")).status_code == 400


async def test_one_rule_is_shown_as_it_is_written(api: Api) -> None:
    shown = (await api.get("/v1/rules/us-tcpa-quiet-hours")).json()
    (rule,) = [rule for rule in RULES.rules if rule.id == "us-tcpa-quiet-hours"]
    assert (shown["version"], shown["rule"]) == (1, json.loads(msgspec.json.encode(rule)))
    await create(api, rule_file(closed_always(condition="person.age < 18")))
    await activate(api, 2)
    await api.send()
    shown = (await api.get("/v1/rules/house-closed")).json()
    assert shown["condition_failures"] >= 1
    assert (await api.get("/v1/rules/house-closed", version=1)).json()["code"] == "rule_not_found"


async def test_answers_fit_their_schemas(api: Api) -> None:
    await create(api)
    await activate(api, 2, jurisdictions=["EU"], percent=50)
    await _sent(api, 1)
    backtest = (await api.post("/v1/rule-sets/2/backtests", {})).json()["id"]
    checks = [
        ("get", "/v1/rule-sets", "/v1/rule-sets", None),
        ("post", "/v1/rule-sets", "/v1/rule-sets", {"rules": rule_file(a_rule()), "reason": "a test"}),
        ("post", "/v1/rule-sets", "/v1/rule-sets", {"rules": "rules: 1", "reason": "a test"}),
        ("post", "/v1/rule-sets:validate", "/v1/rule-sets:validate", {"rules": "rules: 1"}),
        ("get", "/v1/rule-sets:history", "/v1/rule-sets:history", None),
        ("get", "/v1/rule-sets/{version}", "/v1/rule-sets/2", None),
        ("get", "/v1/rule-sets/{version}/diff", "/v1/rule-sets/2/diff", None),
        ("post", "/v1/rule-sets/{version}/dry-run", "/v1/rule-sets/2/dry-run", {"messages": [message()]}),
        ("post", "/v1/rule-sets/{version}/dry-run", "/v1/rule-sets/2/dry-run", {}),
        ("post", "/v1/rule-sets/{version}/backtests", "/v1/rule-sets/2/backtests", {"against": 1}),
        ("get", "/v1/rule-sets/{version}/backtests/{id}", f"/v1/rule-sets/2/backtests/{backtest}", None),
        ("post", "/v1/rule-sets/{version}/activate", "/v1/rule-sets/3/activate", {"reason": "a test"}),
        ("post", "/v1/rule-sets:rollback", "/v1/rule-sets:rollback", {"reason": "a test"}),
        ("get", "/v1/rules", "/v1/rules", None),
        ("get", "/v1/rules/{id}", "/v1/rules/us-tcpa-quiet-hours", None),
    ]
    for method, template, path, document in checks:
        response = await api.http.request(method, path, json=document)
        described = DOCUMENT["paths"][template][method]["responses"][str(response.status_code)]
        content = described["content"][response.headers["content-type"].partition(";")[0]]
        validate(response.json(), content["schema"])


async def _sent(api: Api, count: int) -> None:
    """Have messages decided for good."""
    ids = [(await api.send())["id"] for _ in range(count)]

    async def at_rest() -> bool:
        found = [(await api.get(f"/v1/messages/{id_}")).json()["status"] for id_ in ids]
        return all(status in ("sent", "blocked") for status in found)

    await eventually(at_rest)
