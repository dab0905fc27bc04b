"""The API of a server that asks for a second opinion."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("safetensors", reason="needs safetensors and tokenizers of the extra chappe[embed]")
pytest.importorskip("tokenizers", reason="needs safetensors and tokenizers of the extra chappe[embed]")

from tests.unit.api.rest.conftest import Api
from tests.unit.classify.second.taught import UNHEARD, write_taught
from tests.unit.classify.tiny import CODE, content_check, model

from chappe.classify.second.consulting import consultant
from chappe.pipeline.content.checking import ContentCheck


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("second")
    write_taught(path)
    return path


@pytest.fixture
def content(folder: Path) -> ContentCheck:
    return content_check(consultant=consultant(folder / "second.npz", folder / "bert"))


async def test_an_uncertain_text_is_judged_by_both_models(api: Api) -> None:
    found = (await api.post("/v1/classify", {"text": UNHEARD})).json()
    assert (found["label"], found["second_opinion"], found["model"]) == ("promotional", True, model().version)
    assert found["probabilities"]["promotional"] == found["probability"] > 0.25
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=0.001)


async def test_a_confident_verdict_is_the_models_own(api: Api) -> None:
    found = (await api.post("/v1/classify", {"text": CODE})).json()
    assert found["label"] == "transactional"
    assert "second_opinion" not in found


async def test_of_a_batch_the_uncertain_are_asked_about(api: Api) -> None:
    texts = [CODE, UNHEARD, CODE]
    found = (await api.post("/v1/classify:batch", {"messages": [{"text": text} for text in texts]})).json()
    assert [entry.get("second_opinion", False) for entry in found["verdicts"]] == [False, True, False]


async def test_a_message_shows_that_another_model_had_its_say(api: Api) -> None:
    taken = await api.send(content={"text": UNHEARD})
    shown = (await api.get(f"/v1/messages/{taken['id']}")).json()
    assert shown["classification"]["label"] == "promotional"
    assert shown["classification"]["second_opinion"] is True
    assert (shown["declared_purpose"], shown["purpose"]) == ("transactional", "transactional")
    metrics = (await api.get("/metrics")).text
    assert "chappe_classifier_second_opinions_total" in metrics
