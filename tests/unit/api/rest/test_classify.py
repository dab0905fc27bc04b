"""Texts judged, models exchanged and held messages reviewed, over the API."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.api.rest.conftest import Api
from tests.unit.classify.tiny import BETTING, CODE, PROMOTION, SPAM, artefact, model

from chappe.api.rest.classification.classify import exported_texts
from chappe.classify.artefact import artefact_bytes, packaged_artefact
from chappe.classify.fingerprint import fingerprint
from chappe.classify.policy import Policy
from chappe.model.classification import Treatment
from chappe.model.customer import Content, Status
from chappe.records import ids
from chappe.records.feedback import Labelled

OTHER = artefact(sale={0: 2_000}, buy={0: 2_000}, save={0: 2_000})


def document_of(version: str | None = None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(artefact_bytes(OTHER.card, OTHER.weights))
    return document if version is None else document | {"version": version}


async def held(api: Api, text: str = SPAM) -> str:
    """The id of the review of a message that is held."""
    taken = await api.send(content={"text": text})
    key = ids.parse_key(ids.MESSAGE, taken["id"])
    assert key is not None
    await api.house.becomes(key, Status.DEFERRED)
    return ids.key_text(ids.REVIEW, key)


class TestJudging:
    async def test_a_text_is_judged_and_nothing_is_kept(self, api: Api) -> None:
        found = (await api.post("/v1/classify", {"text": PROMOTION, "explain": True})).json()
        assert (found["label"], found["treatment"], found["model"]) == (
            "promotional",
            "treat_as_promotional",
            model().version,
        )
        assert found["probabilities"]["promotional"] == found["probability"]
        assert sum(found["probabilities"].values()) == pytest.approx(1, abs=0.001)
        explanation = found["explanation"]
        assert {word["gram"] for word in explanation["words"]} == {"sale", "buy", "save"}
        total = sum(word["weight"] for word in explanation["words"]) + explanation["bias"]
        assert total == pytest.approx(explanation["margin"], abs=0.01)
        assert (await api.get("/v1/classify/drift")).json()["senders"] == []

    async def test_flags_and_links_are_told(self, api: Api) -> None:
        text = f"{BETTING} at http://192.0.2.1/a or https://bit.ly/x"
        found = (await api.post("/v1/classify", {"text": text})).json()
        assert found["moderation"] == ["gambling"]
        assert [(link["host"], link["suspicions"]) for link in found["links"]] == [
            ("192.0.2.1", ["ip_address"]),
            ("bit.ly", ["shortener"]),
        ]
        assert found["treatment"] == "annotate"
        assert {flag["name"] for flag in found["flags"]} == {"gambling", "ip_address", "shortener"}
        assert "explanation" not in found

    async def test_what_is_declared_promotional_is_not_suspected_of_it(self, api: Api) -> None:
        found = (await api.post("/v1/classify", {"text": PROMOTION, "purpose": "promotional"})).json()
        assert "treatment" not in found

    async def test_a_batch_is_judged_in_order(self, api: Api) -> None:
        texts = [CODE, PROMOTION, SPAM]
        found = (await api.post("/v1/classify:batch", {"messages": [{"text": text} for text in texts]})).json()
        labels = [entry["label"] for entry in found["verdicts"]]
        assert labels == ["transactional", "promotional", "spam"]
        assert found["verdicts"][0]["kind"] == "code"

    @pytest.mark.parametrize(
        ("document", "pointer"),
        [
            ({}, None),
            ({"text": ""}, "/text"),
            ({"text": "x" * 100_001}, "/text"),
            ({"text": "x", "purpose": "spam"}, "/purpose"),
            ({"text": "x", "unknown": 1}, None),
        ],
    )
    async def test_what_cannot_be_judged(self, api: Api, document: object, pointer: str | None) -> None:
        response = await api.post("/v1/classify", document)
        assert response.status_code == 422
        if pointer is not None:
            assert response.json()["pointer"] == pointer

    async def test_a_server_that_does_not_judge_says_so(self, api: Api) -> None:
        api.house.pipeline.context.content = None
        for method, path in (("POST", "/v1/classify"), ("GET", "/v1/classify/models"), ("GET", "/v1/classify/drift")):
            response = await api.http.request(method, path, json={"text": "x"} if method == "POST" else None)
            assert (response.status_code, response.json()["code"]) == (409, "classifier_off")


class TestMessages:
    async def test_declared_and_effective_purpose_are_both_shown(self, api: Api) -> None:
        taken = await api.send(content={"text": PROMOTION})
        assert (taken["purpose"], taken["declared_purpose"]) == ("promotional", "transactional")
        assert taken["decision"]["outcome"] == "block"
        assert "classifier" in [rule["id"] for rule in taken["decision"]["rules"]]
        for path in (f"/v1/messages/{taken['id']}", f"/v1/messages/{taken['id']}/timeline"):
            found = (await api.get(path)).json()
            assert (found["purpose"], found["declared_purpose"]) == ("promotional", "transactional")
        shown = (await api.get(f"/v1/messages/{taken['id']}")).json()
        assert shown["classification"]["label"] == "promotional"
        assert shown["classification"]["flags"][0]["treatment"] == "treat_as_promotional"
        key = ids.parse_key(ids.MESSAGE, taken["id"])
        assert key is not None
        await api.house.becomes(key, Status.BLOCKED)
        decision = (await api.get("/v1/decisions", message=taken["id"])).json()["decisions"][0]
        assert (decision["purpose"], decision["declared_purpose"]) == ("promotional", "transactional")

    async def test_an_evaluation_and_a_batch_show_them_too(self, api: Api) -> None:
        document = {
            "to": {"user": "a"},
            "channel": "sandbox",
            "purpose": "transactional",
            "content": {"text": PROMOTION},
        }
        evaluated = (await api.post("/v1/messages:evaluate", document)).json()
        assert (evaluated["purpose"], evaluated["declared_purpose"]) == ("promotional", "transactional")
        batch = (await api.post("/v1/messages:batch", {"messages": [document]})).json()
        assert batch["results"][0]["declared_purpose"] == "transactional"

    async def test_drift_is_told_by_sender(self, api: Api) -> None:
        await api.send(content={"text": PROMOTION}, **{"from": "Acme"})
        await api.send(content={"text": CODE}, **{"from": "Acme"})
        found = (await api.get("/v1/classify/drift")).json()
        assert found["senders"] == [{"sender": "Acme", "judged": 2, "uncertain": 0, "disagreeing": 1}]
        assert found["labels"]["promotional"] == 1
        assert found["treatments"] == {"treat_as_promotional": 1}


class TestReviews:
    async def test_a_held_message_is_listed_looked_at_and_approved(self, api: Api) -> None:
        review = await held(api)
        (listed,) = (await api.get("/v1/reviews", state="open")).json()["reviews"]
        assert (listed["id"], listed["label"], listed["checks"]) == (review, "spam", ["classifier"])
        looked_at = (await api.get(f"/v1/reviews/{review}")).json()
        assert looked_at["content"] == {"text": SPAM}
        assert looked_at["declared_purpose"] == "transactional"
        assert looked_at["explanation"]["words"][0]["gram"] in ("prize", "winner")
        approved = await api.post(f"/v1/reviews/{review}/approve", {"purpose": "transactional", "note": "a raffle"})
        assert approved.status_code == 200, approved.text
        assert (approved.json()["state"], approved.json()["resolution"]) == ("resolved", "transactional")
        assert (approved.json()["by"], approved.json()["note"]) == ("tests", "a raffle")
        key = ids.parse_key(ids.REVIEW, review)
        assert key is not None
        await api.house.becomes(key, Status.SENT)
        again = await api.post(f"/v1/reviews/{review}/reject", {})
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert (await api.get("/v1/reviews", state="open")).json()["reviews"] == []

    async def test_rejected_by_the_id_of_its_message(self, api: Api) -> None:
        review = await held(api)
        message_id = review.replace("rev_", "msg_")
        rejected = await api.post(f"/v1/reviews/{message_id}/reject", {"note": "fraud"})
        assert rejected.json()["resolution"] == "rejected"
        key = ids.parse_key(ids.MESSAGE, message_id)
        assert key is not None
        await api.house.becomes(key, Status.BLOCKED)
        shown = (await api.get(f"/v1/messages/{message_id}")).json()
        assert shown["classification"]["review"]["by"] == "tests"
        assert [rule["id"] for rule in shown["decision"]["rules"] if rule["outcome"] == "block"] == ["review"]

    async def test_pages(self, api: Api) -> None:
        reviews = [await held(api) for _ in range(3)]
        first = (await api.get("/v1/reviews", limit=2)).json()
        assert [entry["id"] for entry in first["reviews"]] == reviews[:2]
        second = (await api.get("/v1/reviews", limit=2, cursor=first["next_cursor"])).json()
        assert [entry["id"] for entry in second["reviews"]] == reviews[2:]
        assert "next_cursor" not in second

    @pytest.mark.parametrize("review", ["rev_0000000000000001", "x", "rev_1"])
    async def test_reviews_that_do_not_exist(self, api: Api, review: str) -> None:
        for response in (
            await api.get(f"/v1/reviews/{review}"),
            await api.post(f"/v1/reviews/{review}/approve", {"purpose": "transactional"}),
            await api.post(f"/v1/reviews/{review}/reject", {}),
        ):
            assert (response.status_code, response.json()["code"]) == (404, "review_not_found")

    async def test_a_server_that_judges_no_more_still_settles_what_was_held(self, api: Api) -> None:
        review = await held(api)
        api.house.pipeline.context.content = None
        assert "explanation" not in (await api.get(f"/v1/reviews/{review}")).json()
        approved = await api.post(f"/v1/reviews/{review}/approve", {"purpose": "transactional"})
        assert approved.status_code == 200


class TestFeedback:
    async def test_labels_are_kept_and_exported_as_training_reads_them(self, api: Api, tmp_path: Path) -> None:
        review = await held(api)
        await api.post(f"/v1/reviews/{review}/approve", {"purpose": "transactional"})
        sent = await api.send(content={"subject": "Order 1234", "text": CODE})
        for label in ("spam", "transactional"):  # the second takes the place of the first
            document = {"message": sent["id"], "label": label}
            assert (await api.post("/v1/classify/feedback", document)).status_code == 201
        kept = await api.post("/v1/classify/feedback", {"text": "Win 500 now", "label": "spam"})
        assert kept.json()["label"] == "spam"
        exported = await api.get("/v1/classify/feedback")
        assert exported.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(exported.text)))
        assert [(row["text"], row["label"]) for row in rows] == [
            (SPAM, "transactional"),
            (f"Order 0000\n{CODE.replace('482913', '000000').replace('10', '00')}", "transactional"),
            ("Win 000 now", "spam"),
        ]
        file = tmp_path / "labelled.csv"
        file.write_text(exported.text, encoding="utf-8", newline="")
        examples = pytest.importorskip("chappe.classify.training.examples")
        assert [example.label for example in examples.from_csv(file)] == [row["label"] for row in rows]

    @given(text=st.text(min_size=1, max_size=60))
    def test_what_is_exported_has_the_fingerprint_of_what_was_sent(self, text: str) -> None:
        for exported in exported_texts(Labelled(1, "spam", None, Content(text=text))):
            assert fingerprint(exported) == fingerprint(text)
            assert not any(character in "123456789" for character in exported)

    @pytest.mark.parametrize(
        ("document", "status"),
        [
            ({"label": "spam"}, 422),
            ({"label": "spam", "text": "a", "message": "msg_0000000000000001"}, 422),
            ({"label": "spam", "message": "x"}, 422),
            ({"label": "spam", "message": "msg_0000000000000001"}, 404),
            ({"label": "spam", "text": "a", "kind": "code"}, 422),
            ({"label": "ham", "text": "a"}, 422),
        ],
    )
    async def test_what_cannot_be_kept(self, api: Api, document: object, status: int) -> None:
        assert (await api.post("/v1/classify/feedback", document)).status_code == status


class TestModels:
    async def test_a_model_is_stored_put_in_the_shadow_in_use_and_taken_back(self, api: Api) -> None:
        added = await api.post("/v1/classify/models", document_of())
        assert (added.status_code, added.json()["version"], added.json()["in_use"]) == (201, OTHER.version, False)
        path = f"/v1/classify/models/{OTHER.version}"
        assert (await api.post(f"{path}/shadow", {"reason": "to see"})).status_code == 200
        sent = await api.send(content={"text": PROMOTION})
        shadow = (await api.get("/v1/classify/shadow")).json()
        assert (shadow["shadow"], shadow["compared"], shadow["disagreed"]) == (OTHER.version, 1, 1)
        assert shadow["disagreements"][0]["message"] == sent["id"]
        activated = await api.post(f"{path}/activate", {"reason": "it is better"})
        assert (activated.json()["version"], activated.json()["by"]) == (OTHER.version, "tests")
        assert (await api.post("/v1/classify", {"text": PROMOTION})).json()["label"] == "transactional"
        listed = (await api.get("/v1/classify/models")).json()
        assert [entry["version"] for entry in listed["models"] if entry["in_use"]] == [OTHER.version]
        assert [change["change"] for change in listed["history"]] == ["activated", "shadowed"]
        back = await api.post("/v1/classify/models:rollback", {"reason": "it was not"})
        assert back.json()["change"] == "rolled_back"
        listed = (await api.get("/v1/classify/models")).json()
        assert [entry["version"] for entry in listed["models"] if entry["in_use"]] == [packaged_artefact().version]
        assert (await api.http.delete("/v1/classify/shadow")).status_code == 200
        assert (await api.get("/v1/classify/shadow")).json() == {"model": packaged_artefact().version}

    async def test_models_that_cannot_be_used_are_refused(self, api: Api) -> None:
        for document, status in (
            (document_of(version="0123456789ab"), 422),
            (document_of() | {"format": "other/1"}, 422),
            (document_of() | {"weights": {"grams": {"a": [1]}, "bias": [0.0]}}, 422),
            ({}, 422),
            ("x", 422),
        ):
            response = await api.post("/v1/classify/models", document)
            assert response.status_code == status, response.text
        unknown = await api.post("/v1/classify/models/0123456789ab/activate", {"reason": "x"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "model_not_found")
        assert (await api.post("/v1/classify/models:rollback", {"reason": "x"})).status_code == 409
        assert len((await api.get("/v1/classify/models")).json()["models"]) == 1


async def test_with_another_policy_a_batch_may_be_blocked_and_held_at_once(api: Api) -> None:
    content = api.house.pipeline.context.content
    assert content is not None
    content.policy = Policy(moderation={"gambling": Treatment.BLOCK})
    outcomes = [(await api.send(content={"text": text}))["decision"]["outcome"] for text in (CODE, BETTING, SPAM)]
    assert outcomes == ["allow", "block", "defer"]


async def test_a_scrape_tells_what_was_judged_and_what_waits(api: Api) -> None:
    await held(api)
    await api.send(content={"text": PROMOTION}, **{"from": "Acme"})
    text = (await api.get("/metrics")).text
    assert 'chappe_classifier_verdicts_total{label="spam"} 1.0' in text
    assert 'chappe_classifier_disagreeing_total{sender="Acme"} 1.0' in text
    assert "chappe_reviews_waiting 1.0" in text
