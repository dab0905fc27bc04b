"""GET /metrics."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.conformance.clocks import RunningClock
from tests.unit.api.rest.conftest import Api
from tests.unit.pipeline.house import SIGNING_KEY

from chappe.api.rest.application import build_app
from chappe.model.customer import Status
from chappe.pipeline.rights.service import Rights
from chappe.security.authenticator import Authenticator
from chappe.security.keys import KeyStore


async def test_what_happened_is_counted(api: Api) -> None:
    await api.post("/v1/suppressions", {"to": {"email": "bob@example.de"}})
    for to, status in (("ana@example.com", Status.SENT), ("bob@example.de", Status.BLOCKED)):
        answer = await api.send(to={"email": to})
        await api.house.becomes(int(answer["id"].removeprefix("msg_"), 16), status)
    response = await api.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert _total(found, "chappe_decisions_total", outcome="allow") == 1
    assert _total(found, "chappe_decisions_total", outcome="block", jurisdiction="DE") == 1
    assert _total(found, "chappe_rule_violations_total", rule="default-suppression") == 1
    assert _total(found, "chappe_attempts_total", provider="sandbox", outcome="sent") == 1
    assert _total(found, "chappe_records_commit_seconds_count") > 0
    assert _total(found, "chappe_rule_set_version") == 1
    assert _total(found, "chappe_disk_free_bytes") > 0
    assert ("chappe_queue_messages", (("queue", "chappe-intake-transactional"), ("state", "ready"))) in found
    assert "example" not in response.text


def _total(found: dict[tuple[str, tuple[tuple[str, str], ...]], float], name: str, **labels: str) -> float:
    return sum(value for (at, given), value in found.items() if at == name and labels.items() <= dict(given).items())


@pytest.mark.parametrize(
    ("local", "headers", "status"),
    [
        (True, {}, 200),
        (False, {}, 401),
        (True, {"x-forwarded-for": "203.0.113.7"}, 401),
        (True, {"via": "1.1 proxy"}, 401),
    ],
)
async def test_a_key_is_asked_for_unless_only_this_machine_asks(
    api: Api, clock: RunningClock, local: bool, headers: dict[str, str], status: int
) -> None:
    h = api.house
    folder = h.records.folder
    app = build_app(
        pipeline=h.pipeline,
        records=h.records,
        audit=h.audit,
        rights=Rights(h.pipeline.context, h.audit, folder, SIGNING_KEY),
        authenticator=Authenticator(KeyStore(folder), clock),
        local=local,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chappe.test") as http:
        assert (await http.get("/metrics", headers=headers)).status_code == status
        assert (await http.get("/v1/people", headers=headers)).status_code == 401
