"""Lists of consents and suppressions over the API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.clocks import RunningClock
from tests.unit.api.rest.conftest import Api

from chappe.model.errors import ImportNotFound
from chappe.records.lists import reading
from chappe.records.lists.reading import BATCH_RECORDS
from chappe.records.lists.store import ListImports
from chappe.records.store import Records

SUPPRESSIONS = b"email,phone,channel,purpose,reason\nana@example.com,,,,asked\n,+12025550101,sms,promotional,\n"
CONSENTS = (
    b"email,purpose,granted,level,proof,recorded_at,expires_at\n"
    b"ana@example.com,promotional,true,double_opt_in,the form,2024-01-02T00:00:00Z,\n"
    b"ben@example.com,promotional,false,,,2024-01-03T00:00:00Z,\n"
)


async def upload(api: Api, kind: str, content: bytes, **query: Any) -> dict[str, Any]:
    """Import a list and wait for what comes of it."""
    headers = {"content-type": "text/csv"}
    response = await api.http.post(f"/v1/{kind}:import", content=content, params=query, headers=headers)
    assert response.status_code == 202, response.text
    started: dict[str, Any] = response.json()
    async with asyncio.timeout(60):
        while started["status"] in ("waiting", "running"):
            await asyncio.sleep(0.01)
            started = (await api.get(f"/v1/{kind}/imports/{started['id']}")).json()
    return started


async def test_suppressions_of_a_list_are_in_force_once(api: Api) -> None:
    for changed in (2, 0):
        done = await upload(api, "suppressions", SUPPRESSIONS, reason="the old system")
        assert (done["status"], done["lines"], done["changed"]) == ("done", 2, changed)
    stored = (await api.get("/v1/suppressions")).json()["suppressions"]
    assert [(each["to"], each["reason"]) for each in stored] == [
        ({"phone": "+12025550101"}, "the old system"),
        ({"email": "ana@example.com"}, "asked"),
    ]
    sent = await api.send(to={"email": "Ana@example.com"}, channel="email")
    assert sent["decision"]["outcome"] == "block"


async def test_what_a_list_suppresses_too_is_not_lifted_by_a_start(api: Api) -> None:
    person = {"from": {"phone": "+12025550101"}, "to": "24273", "channel": "sms"}
    for number, text in enumerate(("STOP", "START")):
        await api.post("/v1/inbound", person | {"text": text, "provider_message_id": f"in-{number}"})
        await upload(api, "suppressions", b"phone,channel\n+12025550101,sms\n", reason="the old system")
    (left,) = (await api.get("/v1/suppressions")).json()["suppressions"]
    assert (left["to"], left["channel"]) == ({"phone": "+12025550101"}, "sms")
    assert "by a reply" in left["reason"], "it is the one that was there"


async def test_consents_of_a_list_are_recorded_once(api: Api) -> None:
    for changed in (2, 0):
        assert (await upload(api, "consents", CONSENTS, source="shop 7"))["changed"] == changed
    ben, ana = (await api.get("/v1/consents")).json()["consents"]
    assert (ana["level"], ana["proof"], ana["source"], ana["granted"]) == ("double_opt_in", "the form", "shop 7", True)
    assert (ben["granted"], ben["recorded_at"]) == (False, "2024-01-03T00:00:00Z")


async def test_a_line_that_says_more_is_another_consent(api: Api) -> None:
    await upload(api, "consents", CONSENTS)
    assert (await upload(api, "consents", CONSENTS, source="shop 7"))["changed"] == 2


async def test_a_consent_needs_its_moment(api: Api) -> None:
    content = b"email,purpose\nana@example.com,promotional\n"
    refused = await upload(api, "consents", content)
    assert (refused["status"], refused["bad"][0]["line"]) == ("refused", 2)
    assert "recorded_at" in refused["bad"][0]["reason"]
    assert (await upload(api, "consents", content, recorded_at="2024-01-02T00:00:00Z"))["changed"] == 1
    response = await api.http.post(
        "/v1/consents:import?recorded_at=2024-01-02", content=content, headers={"content-type": "text/csv"}
    )
    assert (response.status_code, response.json()["details"]) == (400, {"parameter": "recorded_at"})


async def test_what_is_wrong_with_a_cell_is_told(api: Api) -> None:
    header = b"email,purpose,recorded_at\n"
    lines = [b"a@example.com,promotional,01/02/2024", b"a@example.com,promo,2024-01-02T00:00:00Z"]
    refused = await upload(api, "consents", header + b"\n".join(lines) + b"\n")
    assert [bad["reason"] for bad in refused["bad"]] == [
        "recorded_at: is not a moment with its offset, such as 2026-03-01T08:00:00Z",
        "purpose: must be one of: transactional, promotional",
    ]


@pytest.mark.parametrize(
    ("kind", "listed", "says"),
    [
        ("suppressions", b"email\nsecret@example.com\nsecret at example\n", "email is not valid"),
        ("suppressions", b"phone\n+1\n", "phone is not valid"),
        ("suppressions", b"email,phone\nsecret@example.com,+12025550101\n", "exactly one"),
        ("suppressions", b"email,channel\nsecret@example.com,secret\n", "channel"),
        ("suppressions", b"email,channel\nsecret@example.com\n", "1 cells where the header has 2"),
        (
            "consents",
            b"email,purpose,recorded_at\nsecret@example.com,promotional,2999-01-01T00:00:00Z\n",
            "recorded_at",
        ),
        ("consents", b"email,purpose,recorded_at\nsecret@example.com,secret,2024-01-01T00:00:00Z\n", "purpose"),
        ("consents", b"email,granted,recorded_at\nsecret@example.com,secret,2024-01-01T00:00:00Z\n", "granted"),
    ],
)
async def test_one_bad_line_refuses_the_list_and_is_told_without_its_address(
    api: Api, kind: str, listed: bytes, says: str
) -> None:
    refused = await upload(api, kind, listed)
    assert (refused["status"], refused["bad_lines"]) == ("refused", 1)
    assert says in refused["bad"][0]["reason"]
    assert "secret" not in str(refused)
    assert (await api.get(f"/v1/{kind}")).json()[kind] == []


async def test_an_unknown_column_is_refused(api: Api) -> None:
    refused = await upload(api, "suppressions", b"email,mood\nana@example.com,bad\n")
    assert (refused["status"], "mood" in refused["reason"]) == ("refused", True)


async def test_a_list_goes_on_where_the_server_ended(
    tmp_path: Path, clock: RunningClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writing of the third batch never returns, as if the process had been killed there."""
    count = 3 * BATCH_RECORDS + 7
    content = b"email\n" + b"".join(b"person%d@example.com\n" % number for number in range(count))
    records = await Records.open(tmp_path, now_ms=clock)
    commit, reached = records.lists._writing.commit, asyncio.Event()

    async def commit_two(batch: Any, mark: str, done: int) -> int:
        if done == 3:
            reached.set()
            await asyncio.Event().wait()
        return await commit(batch, mark, done)

    monkeypatch.setattr(records.lists._writing, "commit", commit_two)
    started = await _start(records.lists, content)
    async with asyncio.timeout(60):
        await reached.wait()
    for path in (tmp_path / "imports", *(tmp_path / "imports").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, "only for the owner"
    await records.close()

    again = await Records.open(tmp_path, now_ms=clock)
    async with asyncio.timeout(60):
        while not (resumed := again.lists.get_import("suppressions", started)).ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert resumed.lines == 0, "what was counted before the crash is not known"
    assert resumed.changed == count - 2 * BATCH_RECORDS
    assert len(await again.people.list_suppressions(None, None, 10_000)) == count
    assert list((tmp_path / "imports").iterdir()) == []
    assert await again.marks.get(f"import {started.removeprefix('imp_')}") == 0
    await again.close()
    third = await Records.open(tmp_path, now_ms=clock)
    with pytest.raises(ImportNotFound):
        third.lists.get_import("suppressions", started)
    await third.close()


async def _start(lists: ListImports, content: bytes) -> str:
    from chappe.records.lists.store import CheckedImport

    async def chunks() -> Any:
        yield content

    how = CheckedImport("chappe.api.rest.people.lists.suppressions", defaults={"reason": "a list"})
    return (await lists.start_import("suppressions", how, chunks())).id


def test_a_batch_is_smaller_than_a_transaction_takes() -> None:
    from chappe.records.commit import ROWS_PER_TRANSACTION

    assert reading.BATCH_RECORDS < ROWS_PER_TRANSACTION
