"""What people have a right to, over the API: a copy, erasure, restriction, each with a receipt."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
from tests.unit.api.rest.conftest import Api
from tests.unit.pipeline.house import SIGNING_KEY

from chappe.model.customer import Status
from chappe.observe.audit.record import DataRequestRecord, decode_open
from chappe.observe.audit.storage import AuditStorage
from chappe.pipeline.rights.receipts import is_genuine

PHONE = "+4915112345678"
MAIL = "ana@example.com"
PERSON = {"addresses": [{"email": MAIL}, {"phone": PHONE}], "country": "DE", "language": "de"}


async def live(api: Api, person: str = "ana") -> int:
    """Have a person with something of every kind; the key of a message that was sent."""
    await api.http.put(f"/v1/people/{person}", json=PERSON)
    await api.post("/v1/consents", {"person": {"email": MAIL}, "purpose": "promotional", "granted": True})
    await api.post("/v1/suppressions", {"to": {"phone": PHONE}, "purpose": "promotional", "reason": "secret wish"})
    texts = {"from": {"phone": PHONE}, "to": "+4930123456", "channel": "sms", "text": "What is this?"}
    taken = await api.post("/v1/inbound", texts | {"provider_message_id": "in-1"})
    assert taken.status_code == 201, taken.text
    answer = await api.send(content={"text": "Your code is 918273"})
    key = int(answer["id"].removeprefix("msg_"), 16)
    await api.house.becomes(key, Status.SENT)
    return key


async def ask(api: Api, right: str, who: str = "ana", **fields: Any) -> dict[str, Any]:
    """Ask for something and wait until it is done, or held."""
    response = await api.post(f"/v1/people/{who}/{right}", fields or None)
    assert response.status_code in (200, 202), response.text
    return await settled(api, response.json()["id"])


async def settled(api: Api, request: str, *states: str) -> dict[str, Any]:
    wanted = states or ("done", "held")
    async with asyncio.timeout(20):
        while True:
            found: dict[str, Any] = (await api.get(f"/v1/data-requests/{request}")).json()
            if found["state"] in wanted:
                return found
            await asyncio.sleep(0.01)


async def receipt_of(api: Api, request: dict[str, Any]) -> dict[str, Any]:
    response = await api.get(f"/v1/data-requests/{request['id']}/receipt")
    assert response.status_code == 200, response.text
    assert is_genuine(response.text, SIGNING_KEY.public_key())
    assert MAIL not in response.text
    assert PHONE not in response.text
    receipt: dict[str, Any] = response.json()
    return receipt


def stored_anywhere(api: Api, *texts: str) -> list[str]:
    """Which of these stand in a row of the records."""
    with AuditStorage(api.house.records.folder) as storage:

        def dump(connection: Any) -> str:
            tables = connection.exec_driver_sql("select name from sqlite_master where type = 'table'").scalars().all()
            rows = [connection.exec_driver_sql(f'select * from "{table}"').all() for table in tables]
            return str(rows)

        content = storage.read(dump)
    return [text for text in texts if text in content]


async def test_a_copy_holds_everything_and_its_manifest_the_hashes(api: Api) -> None:
    await live(api)
    done = await ask(api, "export")
    assert done["state"] == "done"
    response = await api.get(f"/v1/data-requests/{done['id']}/package")
    assert response.headers["content-type"] == "application/zip"
    package = zipfile.ZipFile(io.BytesIO(response.content))
    manifest = json.loads(package.read("manifest.json"))
    for file in manifest["files"]:
        content = package.read(file["name"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size_bytes"], file["sha256"])
    assert {entry["name"]: entry["entries"] for entry in manifest["files"]} == {
        "person.json": 1,
        "consents.json": 1,
        "suppressions.json": 1,
        "opt_outs.json": 0,
        "inbound.json": 1,
        "messages.json": 1,
        "decisions.json": 2,
    }
    (message,) = json.loads(package.read("messages.json"))
    assert message["content"] == {"text": "Your code is 918273"}
    assert [event["status"] for event in message["timeline"]] == ["accepted", "queued", "sending", "sent"]
    assert json.loads(package.read("person.json"))["profile"]["language"] == "de"
    assert json.loads(package.read("decisions.json"))[0]["facts"]["person"]["language"] == "de"
    receipt = await receipt_of(api, done)
    assert receipt["package"]["sha256"] == hashlib.sha256(response.content).hexdigest()


async def test_an_erasure_leaves_nothing_but_a_suppression(api: Api) -> None:
    await live(api)
    assert stored_anywhere(api, MAIL, PHONE, "918273", "secret wish") == [MAIL, PHONE, "918273", "secret wish"]
    done = await ask(api, "erase")
    assert done["state"] == "done", done
    receipt = await receipt_of(api, done)
    assert receipt["done"]["addresses_unreadable_in_audit_log"] == 2
    assert receipt["done"]["profiles"] == 1
    assert receipt["done"]["suppressions"] == 1
    kept = {entry["what"] for entry in receipt["kept"]}
    assert all(entry["rules"] for entry in receipt["kept"] if "law" in entry["why"] or "rule" in entry["why"])
    assert stored_anywhere(api, PHONE, "918273", "secret wish") == []
    # The German rules have proof of a consent kept.
    assert ("consent" in kept) == bool(stored_anywhere(api, MAIL))
    for to in ({"email": MAIL}, {"phone": PHONE}):
        again = await api.send(to=to)
        assert again["decision"]["outcome"] == "block"
        assert "erased" in str(again["decision"])


async def test_who_comes_back_can_be_written_to_again(api: Api) -> None:
    await live(api)
    await ask(api, "erase")
    listed = (await api.get("/v1/suppressions", to=MAIL)).json()["suppressions"]
    assert [entry["reason"] for entry in listed] == ["erased at the person's request"]
    assert (await api.get("/v1/suppressions")).json() == {"suppressions": []}
    assert (await api.http.delete(f"/v1/suppressions/{listed[0]['id']}")).status_code == 204
    assert (await api.send())["decision"]["outcome"] == "allow"


async def test_asking_again_for_an_erasure_gives_the_same_one(api: Api) -> None:
    await live(api)
    first = await api.post("/v1/people/ana/erase")
    assert first.status_code == 202
    second = await api.post("/v1/people/ana/erase")
    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])
    await settled(api, first.json()["id"])
    third = await api.post("/v1/people/ana/erase")
    assert (third.status_code, third.json()["id"]) == (200, first.json()["id"])
    assert (await api.post("/v1/people/nobody/erase")).json()["code"] == "person_not_found"


async def test_somebody_without_a_profile_can_be_erased_by_address(api: Api) -> None:
    answer = await api.send(to={"email": "bob@example.com"})
    await api.house.becomes(int(answer["id"].removeprefix("msg_"), 16), Status.SENT)
    done = await ask(api, "erase", "email:Bob@Example.com")
    assert done["state"] == "done"
    assert stored_anywhere(api, "bob@example.com") == []
    assert (await api.get(f"/v1/messages/{answer['id']}")).status_code == 404


async def test_a_message_that_waits_is_never_sent_after_an_erasure(api: Api) -> None:
    await api.http.put("/v1/people/ana", json=PERSON)
    api.house.clock.advance(0)
    answer = await api.send(send_at=_in(api, 3_600_000))
    done = await ask(api, "erase")
    assert ("queue message" in {entry["what"] for entry in (await receipt_of(api, done))["kept"]}) is True
    api.house.clock.advance(3_700_000)
    other = await api.send(to={"email": "other@example.com"})
    await api.house.becomes(int(other["id"].removeprefix("msg_"), 16), Status.SENT)
    assert [kept.outbound.to.email for kept in api.sandbox.kept] == ["other@example.com"]
    assert (await api.get(f"/v1/messages/{answer['id']}")).status_code == 404


def _in(api: Api, ms: int) -> str:
    import datetime

    return datetime.datetime.fromtimestamp((api.house.clock() + ms) / 1000, datetime.UTC).isoformat()


async def test_a_legal_hold_is_respected_until_it_is_released(api: Api) -> None:
    key = await live(api)
    hold = await api.house.audit.hold("DE", "a law suit")
    held = await ask(api, "erase")
    assert held["state"] == "held"
    receipt = await receipt_of(api, held)
    assert receipt["kept"][0]["why"] == "a legal hold covers it"
    assert receipt["kept"][0]["rules"][0].startswith("hld_")
    assert (await api.house.stored(key)).message.content.text == "Your code is 918273"
    assert (await api.send())["decision"]["outcome"] == "block"  # what is kept is not used
    await api.house.audit.release(hold.key)
    await api.post("/v1/people/other/export")  # nobody; only the next look at what waits
    await _look_again(api)
    done = await settled(api, held["id"], "done")
    assert stored_anywhere(api, "918273") == []
    assert (await receipt_of(api, done))["state"] == "done"


async def _look_again(api: Api) -> None:
    await api.http.put("/v1/people/bob", json={"addresses": [{"user": "bob"}]})
    await api.post("/v1/people/bob/export")


async def test_a_restriction_blocks_and_says_why_until_it_is_lifted(api: Api) -> None:
    await live(api)
    done = await ask(api, "restrict", note="by letter")
    assert (done["state"], done["note"]) == ("done", "by letter")
    assert (await receipt_of(api, done))["right"] == "restrict"
    blocked = await api.send()
    assert "processing is restricted" in str(blocked["decision"])
    assert (await api.get("/v1/people/ana")).json()["restricted_since"]
    again = await api.post("/v1/people/ana/restrict")
    assert (again.status_code, again.json()["id"]) == (200, done["id"])
    await ask(api, "unrestrict")
    assert (await api.send())["decision"]["outcome"] == "allow"
    assert (await ask(api, "restrict"))["id"] != done["id"]


async def test_a_restriction_outlives_the_profile(api: Api) -> None:
    await live(api)
    await ask(api, "restrict")
    await api.http.delete("/v1/people/ana")
    assert (await api.send())["decision"]["outcome"] == "block"
    await api.http.put("/v1/people/ana2", json={"addresses": [{"email": MAIL}]})
    assert (await api.send())["decision"]["outcome"] == "block"


async def test_a_restriction_covers_addresses_that_the_person_gets_later(api: Api) -> None:
    await live(api)
    await ask(api, "restrict")
    new = {"email": "ana@home.example"}
    await api.http.put("/v1/people/ana", json=PERSON | {"addresses": [new]})
    assert (await api.get("/v1/people/ana")).json()["restricted_since"]
    assert "processing is restricted" in str((await api.send(to=new))["decision"])
    await ask(api, "unrestrict")
    assert (await api.send(to=new))["decision"]["outcome"] == "allow"


async def test_the_profile_stays_while_a_hold_covers_one_of_the_addresses(api: Api) -> None:
    american = {"phone": "+12125550123"}
    await api.http.put("/v1/people/ana", json={"addresses": [{"email": "ana@example.de"}, american], "language": "de"})
    hold = await api.house.audit.hold("US", "a law suit")
    held = await ask(api, "erase")
    assert held["state"] == "held"
    assert (await api.get("/v1/people/ana")).json()["addresses"] == [american]
    await api.house.audit.release(hold.key)
    await _look_again(api)
    await settled(api, held["id"], "done")
    assert (await api.get("/v1/people/ana")).status_code == 404


async def test_requests_are_listed_with_what_is_due(api: Api) -> None:
    await live(api)
    await api.house.audit.hold("DE", "a law suit")
    asked = "2026-01-05T10:00:00Z"
    held = await ask(api, "erase", received_at=asked)
    assert (held["received_at"], held["due_at"]) == (asked, "2026-02-05T22:59:59.999000Z") or held["due_at"] > asked
    assert held["rules"]
    listed = (await api.get("/v1/data-requests", right="erase", overdue="true")).json()["requests"]
    assert [entry["id"] for entry in listed] == [held["id"]]
    extended = await api.post(f"/v1/data-requests/{held['id']}/extend", {"reason": "a law suit"})
    assert extended.status_code == 200, extended.text
    assert extended.json()["due_at"] > held["due_at"]
    assert (await api.post(f"/v1/data-requests/{held['id']}/extend", {"reason": "more"})).status_code == 409


async def test_the_audit_log_tells_of_each_request(api: Api) -> None:
    await live(api)
    done = await ask(api, "erase")
    receipt = await api.get(f"/v1/data-requests/{done['id']}/receipt")
    with AuditStorage(api.house.records.folder) as storage:
        said = [decode_open(record.open_part) for piece in storage.stretches() for record in piece if record.open_part]
    told = [record for record in said if isinstance(record, DataRequestRecord)]
    assert [(record.request, record.right, record.state) for record in told] == [
        (done["id"], "erase", "received"),
        (done["id"], "erase", "done"),
    ]
    assert told[-1].receipt == hashlib.sha256(receipt.content).hexdigest()


@pytest.mark.parametrize("change", [{"done": {}}, {"kept": []}, {"person": "00"}, {"signature": "AAAA"}])
async def test_a_receipt_that_was_changed_is_not_genuine(api: Api, change: dict[str, Any]) -> None:
    await live(api)
    receipt = await receipt_of(api, await ask(api, "erase"))
    assert not is_genuine(json.dumps(receipt | change), SIGNING_KEY.public_key())


async def test_what_is_not_there_is_a_404(api: Api) -> None:
    await live(api)
    done = await ask(api, "erase")
    for path in ("", "/receipt", "/package"):
        assert (await api.get(f"/v1/data-requests/dsr_0000000000000001{path}")).status_code == 404
        assert (await api.get(f"/v1/data-requests/nonsense{path}")).status_code == 404
    assert (await api.get(f"/v1/data-requests/{done['id']}/package")).status_code == 404
