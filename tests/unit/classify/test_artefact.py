"""The shipped model: what it was made from, and that it does what it says."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from tests.unit.classify import tiny

from chappe.classify.artefact import artefact_bytes, packaged_artefact, packaged_model, read_artefact
from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Kind, Label
from chappe.classify.templates import corpus_digest
from chappe.model.errors import InvalidConfiguration

CORPUS = Path(__file__).parents[3] / "corpus"


def test_the_shipped_model_was_made_from_this_corpus() -> None:
    assert f"of the corpus {corpus_digest(CORPUS)}" in packaged_artefact().card.data, "run: make model"


def test_it_is_small_readable_and_in_order() -> None:
    raw = files("chappe.classify").joinpath("model.json").read_bytes()
    assert len(raw) < 1_000_000
    artefact = packaged_artefact()
    assert artefact_bytes(artefact.card, artefact.weights) == raw
    assert artefact.card.licence == "Apache-2.0"
    assert "held-out groups" in artefact.card.figures
    assert "a group is never in two parts" in artefact.card.split


@pytest.mark.parametrize(
    ("text", "label", "kind"),
    [
        ("482913 is your verification code. Do not share it with anyone.", Label.TRANSACTIONAL, Kind.CODE),
        ("Thank you, we received your payment of $42.10. Receipt no 5512.", Label.TRANSACTIONAL, Kind.RECEIPT),
        ("Reminder: your appointment with Dr. Weber is tomorrow at 10:30.", Label.TRANSACTIONAL, Kind.REMINDER),
        ("Big summer sale! Get 50% off all shoes this weekend only. Shop now!", Label.PROMOTIONAL, None),
        ("hey are you coming over tonight or not, mum is asking", Label.CONVERSATIONAL, None),
        ("Ihr Bestätigungscode lautet 123456. Geben Sie ihn nicht weiter.", Label.TRANSACTIONAL, Kind.CODE),
        ("¡Solo hoy! 30% de descuento en toda la tienda. Compra ahora", Label.PROMOTIONAL, None),
    ],
)
def test_plain_cases_are_judged_as_anyone_would(text: str, label: Label, kind: Kind | None) -> None:
    verdict = packaged_model().judge(fingerprint(text))
    assert (verdict.label, verdict.kind) == (label, kind)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a model"),
        (b"[" * 100_000, "not a model"),
        (b'{"format": "other"}', "not a model"),
        (artefact_bytes(tiny.artefact().card, tiny.weights()).replace(b"classifier/1", b"classifier/9"), "format"),
        (artefact_bytes(tiny.artefact().card, tiny.weights()).replace(b'"buy": [0,', b'"buy": ['), "numbers"),
    ],
)
def test_other_files_are_refused(content: bytes, says: str) -> None:
    with pytest.raises(InvalidConfiguration, match=says):
        read_artefact(content, "a file")
