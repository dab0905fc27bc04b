"""Second opinions on the way of a message: asked about what the model is unsure of, and decided by."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("safetensors", reason="needs safetensors and tokenizers of the extra chappe[embed]")
pytest.importorskip("tokenizers", reason="needs safetensors and tokenizers of the extra chappe[embed]")

from tests.unit.classify.second import taught
from tests.unit.classify.tiny import CODE, PROMOTION, content_check, model
from tests.unit.pipeline.house import house, request

from chappe.classify.second.consulting import Consultant, consultant
from chappe.classify.second.metadata import Metadata
from chappe.model.customer import Content, Recipient, Status
from chappe.model.errors import InvalidConfiguration
from chappe.model.sends import Rate
from chappe.pipeline.acceptance.accept import Accepted
from chappe.pipeline.content.second_opinion import known_of, reputation

UNHEARD = Content(text=taught.UNHEARD)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("second")
    taught.write_taught(path)
    return path


@pytest.fixture
def asked(folder: Path) -> Consultant:
    return consultant(folder / "second.npz", folder / "bert")


async def test_what_the_model_does_not_know_is_decided_by_both(tmp_path: Path, asked: Consultant) -> None:
    for folder in ("alone", "both"):
        (tmp_path / folder).mkdir()
    async with house(tmp_path / "alone", content=content_check()) as h:
        (alone,) = await h.pipeline.accept([request(content=UNHEARD)])
    async with house(tmp_path / "both", content=content_check(consultant=asked)) as h:
        (both,) = await h.pipeline.accept([request(content=UNHEARD)])
        assert isinstance(alone, Accepted)
        assert isinstance(both, Accepted)
        before, found = alone.message.classification, both.message.classification
        assert before is not None
        assert found is not None
        assert (before.label, before.second_opinion) == ("transactional", False)
        assert (found.label, found.second_opinion) == ("promotional", True)
        assert before.probability < found.probability
        evaluation = await h.pipeline.evaluate(request(content=UNHEARD))
        assert evaluation.message.classification == found
        # What the model alone was worth is what drift is about.
        assert [(entry.judged, entry.uncertain) for entry in h.pipeline.context.content.drift.senders()] == [(1, 1)]  # type: ignore[union-attr]
        stored = await h.becomes(both.key, Status.SENT)
        assert stored.message.classification == found


async def test_only_the_uncertain_of_a_batch_are_asked_about(tmp_path: Path, asked: Consultant) -> None:
    contents = [Content(text=CODE), UNHEARD, Content(text=PROMOTION)]
    async with house(tmp_path, content=content_check(consultant=asked)) as h:
        taken = await h.pipeline.accept([request(content=content) for content in contents])
        told = [entry.message.classification.second_opinion for entry in taken]  # type: ignore[union-attr]
        assert told == [False, True, False]
        assert (asked.asked, asked.changed) == (1, 1)


async def test_an_opinion_on_the_verdict_of_another_model_is_left_aside(tmp_path: Path, asked: Consultant) -> None:
    check = content_check(consultant=asked)
    async with house(tmp_path, content=check) as h:
        (taken,) = await h.pipeline.accept([request(content=UNHEARD)])
        second = await check.second_verdict(UNHEARD, None, Metadata())
        assert second is not None
        check.serving.use(model(hello={3: 800}))
        again = check.classified(taken.message, second=second).classification  # type: ignore[union-attr]
        assert again is not None
        assert (again.label, again.second_opinion) == ("transactional", False)


async def test_a_server_does_not_start_with_a_bad_file(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"PK")
    bad = consultant(tmp_path / "bad.npz", folder / "bert")
    with pytest.raises(InvalidConfiguration, match="no second opinion"):
        async with house(tmp_path, content=content_check(consultant=bad)):
            pass


async def test_what_is_known_besides_the_text(tmp_path: Path) -> None:
    tokyo = Recipient(phone="+81312345678")
    async with house(tmp_path) as h:
        first = await known_of(h.pipeline.context, request(to=tokyo))
        assert first.reputation is None
        assert first.received_30_days == 0
        assert first.hour is not None
        key = await h.send(to=tokyo)
        await h.becomes(key, Status.SENT)
        assert (await known_of(h.pipeline.context, request(to=tokyo))).received_30_days == 1
        unknown = await known_of(h.pipeline.context, request(to=Recipient(user="somebody")))
        assert (unknown.hour, unknown.weekday) == (None, None)


def test_the_senders_own_measurement_goes_before_that_of_all() -> None:
    rates = [
        Rate("spam_complaint_rate", 1, 0.2, "acme"),
        Rate("spam_complaint_rate", 2, 0.1, "acme"),
        Rate("spam_complaint_rate", 3, 0.5),
        Rate("bounce_rate", 4, 0.9, "acme"),
    ]
    assert reputation(rates, "acme") == pytest.approx(0.9)
    assert reputation(rates, "other") == pytest.approx(0.5)
    assert reputation(rates[:2], "other") is None
